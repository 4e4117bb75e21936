// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The last rows of caches of 202,752 and of 1,048,576 positions, the contexts of GLM-5 and GLM-5.2,
// in a model of two layers. The caches are filled with numbers, not by running a text; the
// interpreter gets the same numbers and says what the rows behind them are.
#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/Glm5.h"
#include "compiler/interpret/Interpreter.h"
#include "compiler/pipeline/Compile.h"
#include "glm/glm.hpp"
#include "runtime/schema/snapshot.h"

#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <unistd.h>

using namespace glm;
using namespace mlir;

namespace {

constexpr int64_t longest = 1048576;
constexpr int32_t tailRows = 8;
constexpr size_t vocabulary = 96;

void expectOk(const Status &status) { ASSERT_TRUE(status) << status.message(); }

int64_t residentBytes() {
  int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class LongContext : public testing::TestWithParam<int64_t> {
protected:
  static void SetUpTestSuite() {
    folder = testing::TempDir() + "long-context-" + std::to_string(getpid());
    std::string command = std::string(GLM_PYTHON) + " " + GLM_MAKE_T1 + " " + folder + " 2 " +
                          std::to_string(longest);
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_EQ(report(compile(options(longest))), 0);
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder); }

  static CompileOptions options(int64_t context) {
    CompileOptions options;
    options.input = folder;
    options.output = folder + "/model.glm";
    options.precision = "f32";
    options.context = context;
    options.noMtp = true;
    return options;
  }

  void SetUp() override { load(2); }
  void load(int32_t threads) {
    model = {};
    expectOk(Runtime::create({.threads = threads}, runtime));
    expectOk(Model::load(runtime, (folder + "/model.glm").c_str(), {}, model));
    page = model.info().page_rows;
  }

  /// A slot of the context and pages for a few rows of another that shares the rest.
  Session open(int64_t context) {
    Session session;
    expectOk(Session::create(
        model, {.max_rows = 8, .slots = 2, .context = context, .pages = context / page + 2},
        session));
    return session;
  }

  /// The tokens behind `first`: so many in one step, then one by one. Logits of them all.
  static std::vector<float> runTail(Session &session, int32_t slot, int32_t first,
                                    int32_t together = 5) {
    std::vector<float> all;
    for (int32_t at = 0, count = together; at < tailRows; at += count, count = 1) {
      std::vector<glm_row> rows;
      std::vector<int32_t> wanted(size_t(count), 0);
      std::iota(wanted.begin(), wanted.end(), 0);
      for (int32_t i = at; i < at + count; ++i)
        rows.push_back({i * 11 % 90, slot, first + i, 0});
      expectOk(session.step(rows, wanted));
      glm_tensor logits = {};
      expectOk(session.output("logits", logits));
      auto values = elements<float>(logits, GLM_F32);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  static std::vector<float> interpretTail(const std::string &snapshot, int32_t first);

  static inline std::string folder;
  Runtime runtime;
  Model model;
  int64_t page = 0;
};

/// Reads a snapshot's rows into caches, in the order of the module's states.
void readCaches(ModuleOp module, const std::string &path, int32_t rows,
                std::deque<interpret::Cache<float>> &caches) {
  std::ifstream file(path, std::ios::binary);
  std::vector<model::StateOp> states(module.getOps<model::StateOp>().begin(),
                                     module.getOps<model::StateOp>().end());
  file.seekg(long(sizeof(glm_snapshot_header) + states.size() * sizeof(uint64_t)));
  for (model::StateOp state : states) {
    int64_t width = cast<model::CacheType>(state.getType()).getWidth();
    auto &cache = caches.emplace_back(width, interpret::Element::F32);
    std::vector<float> row(static_cast<size_t>(width));
    for (int32_t position = 0; position < rows; ++position) {
      file.read(reinterpret_cast<char *>(row.data()), width * 4);
      ASSERT_TRUE(cache.write(0, position, row.data()));
    }
  }
  ASSERT_TRUE(file.good());
  file.peek();
  ASSERT_TRUE(file.eof()) << "the states are not all";
}

/// The same rows by the interpreter, behind the caches of a snapshot.
std::vector<float> LongContext::interpretTail(const std::string &snapshot, int32_t first) {
  MLIRContext context;
  ImportOptions options;
  options.noMtp = true;
  auto module = importCheckpoint(folder, options, context);
  EXPECT_TRUE(module.ok()) << module.status();
  std::deque<interpret::Cache<float>> caches;
  readCaches(**module, snapshot, first, caches);

  // The states become arguments of the step.
  auto step = (*module)->lookupSymbol<func::FuncOp>("step");
  interpret::Rows rows;
  interpret::Integers wanted{{tailRows}, {}};
  for (int32_t i = 0; i < tailRows; ++i) {
    rows.push_back({i * 11 % 90, 0, first + i});
    wanted.values.push_back(i);
  }
  std::vector<interpret::Datum<float>> arguments = {rows, wanted};
  llvm::StringMap<interpret::Cache<float> *> byName;
  for (auto [i, state] : llvm::enumerate((*module)->getOps<model::StateOp>()))
    byName[state.getSymName()] = &caches[i];
  std::vector<model::StateValueOp> uses;
  step.walk([&](model::StateValueOp op) { uses.push_back(op); });
  for (model::StateValueOp op : uses) {
    unsigned index = step.getNumArguments();
    EXPECT_TRUE(succeeded(step.insertArgument(index, op.getType(), {}, op.getLoc())));
    op.getResult().replaceAllUsesWith(step.getArgument(index));
    arguments.push_back(byName.lookup(op.getState()));
    op.erase();
  }
  interpret::Interpreter<float> interpreter(**module, folder);
  auto results = interpreter.call(step, std::move(arguments));
  EXPECT_TRUE(succeeded(results));
  interpret::Tensor<float> logits = std::get<interpret::Tensor<float>>(results->front()).held();
  return {logits.data(), logits.data() + logits.count()};
}

void expectNear(const std::vector<float> &got, const std::vector<float> &wanted) {
  ASSERT_EQ(got.size(), tailRows * vocabulary);
  ASSERT_EQ(wanted.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i]));
    ASSERT_NEAR(got[i], wanted[i], 1e-4) << "row " << i / vocabulary << " logit " << i % vocabulary;
  }
}

TEST_P(LongContext, LastRows) {
  int64_t before = residentBytes();
  Session session = open(GetParam());
  EXPECT_LT(residentBytes() - before, 32 << 20) << "caches are touched before they are used";
  auto first = int32_t(GetParam() - tailRows);
  expectOk(glm_session_fill(session.get(), 0, first, 7));

  std::string file = folder + "/slot";
  expectOk(session.save(0, file.c_str()));
  expectOk(session.branch(0, 1, first));
  auto logits = runTail(session, 0, first);
  EXPECT_EQ(runTail(session, 1, first), logits) << "a branch";
  expectOk(session.truncate(0, first));
  EXPECT_EQ(runTail(session, 0, first), logits) << "cut and run again";
  glm_row beyond = {1, 0, first + tailRows, 0};
  Status full = session.step({&beyond, 1}, {});
  EXPECT_EQ(full.code(), GLM_BAD_POSITION);
  std::string numbers = "context of " + std::to_string(GetParam());
  EXPECT_NE(std::string(full.message()).find(numbers), std::string::npos) << full.message();

  expectOk(session.release(0));
  expectOk(session.release(1));
  expectOk(session.restore(1, file.c_str()));
  EXPECT_EQ(runTail(session, 1, first), logits) << "a restored snapshot";
  session = {};
  expectNear(logits, interpretTail(file, first));
}

// One position more than the model has is refused by the compiler, and by the session one more than
// was compiled.
TEST_F(LongContext, Beyond) {
  CompileOptions more = options(longest + 1);
  more.output = folder + "/more.glm";
  auto diagnostic = diagnosticOf(compile(more));
  ASSERT_TRUE(diagnostic);
  std::string text = toText(*diagnostic);
  EXPECT_NE(text.find("--context: is 1048577, the model's max_position_embeddings is 1048576"),
            std::string::npos)
      << text;
  EXPECT_FALSE(std::filesystem::exists(more.output));

  Session session;
  Status status = Session::create(model, {.context = longest + 1}, session);
  EXPECT_EQ(status.code(), GLM_INVALID_ARGUMENT);
  text = status.message();
  EXPECT_NE(text.find("context is 1048577, this artifact allows 1 to 1048576"), std::string::npos)
      << text;
}

// The keys of a row are searched by several workers, by as many as rows leave free: not one bit of
// a row depends on that.
TEST_F(LongContext, BitsOfARow) {
  constexpr int64_t context = 202752;
  auto first = int32_t(context - tailRows);
  std::vector<float> wanted;
  for (int32_t threads : {1, 2, 3}) {
    load(threads);
    Session session = open(context);
    expectOk(glm_session_fill(session.get(), 0, first, 3));
    for (int32_t together : {1, 2, 5, 8}) {
      expectOk(session.truncate(0, first));
      auto logits = runTail(session, 0, first, together);
      wanted = wanted.empty() ? logits : wanted;
      ASSERT_EQ(logits, wanted) << together << " rows in a step, " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Published, LongContext, testing::Values(202752, longest));

} // namespace
