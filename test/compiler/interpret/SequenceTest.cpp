// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How rows come in does not matter to the interpreter: T1 at once, in chunks, token by token, and
// beside another sequence.
#include "compiler/import/Glm5.h"
#include "compiler/interpret/Evaluate.h"
#include "tools/npy/Npy.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace glm;
using namespace mlir;

namespace {

class Sequences : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = testing::TempDir() + "t1-sequences-" + std::to_string(getpid());
    std::string command = std::string(GLM_PYTHON) + " " + GLM_MAKE_T1 + " " + folder;
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_FALSE(npy::readIds(folder + "/tokens.npy", tokens));
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder); }

  static inline std::string folder;
  static inline std::vector<int64_t> tokens;
};

// The prompt at once, in chunks and token by token: the same bits.
TEST_F(Sequences, ChunksChangeNothing) {
  MLIRContext context;
  auto module = importCheckpoint(folder, {}, context);
  ASSERT_TRUE(module.ok());
  for (bool f64 : {false, true}) {
    auto once = interpret::Session::open(**module, folder, f64);
    std::vector<double> whole = interpret::promptLogits(*once, tokens, 256)->reals;
    for (int64_t chunk : {1, 3, 7, 19}) {
      auto session = interpret::Session::open(**module, folder, f64);
      EXPECT_EQ(interpret::promptLogits(*session, tokens, chunk)->reals, whole) << chunk;
    }
  }
}

// Two sequences in one batch do not see each other.
TEST_F(Sequences, SlotsAreApart) {
  MLIRContext context;
  auto module = importCheckpoint(folder, {}, context);
  ASSERT_TRUE(module.ok());
  auto alone = interpret::Session::open(**module, folder, true);
  std::vector<double> wanted = interpret::promptLogits(*alone, tokens, 256)->reals;
  auto session = interpret::Session::open(**module, folder, true);
  interpret::Rows rows;
  interpret::Array logitRows;
  for (int32_t i = 0; i < 20; ++i) {
    rows.push_back({int32_t(tokens[i]), 0, i});
    rows.push_back({int32_t(tokens[19 - i]), 5, i});
    logitRows.integers.push_back(2 * i);
  }
  logitRows.shape = {20};
  auto results = session->run("step", rows, {{"logit_rows", logitRows}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->at("logits").reals, wanted);
}

} // namespace
