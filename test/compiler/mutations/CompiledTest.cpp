// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same mistakes all the way down: the changed module is compiled to machine code and run, and
// shows the same logits, which are not those of the model.
#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/pipeline/Compile.h"
#include "glm/glm.hpp"
#include "test/compiler/mutations/T1.h"

#include <fstream>
#include <numeric>

using namespace mlir;

namespace glm::mutations {
namespace {

struct Compiled : T1<testing::TestWithParam<Mutation>> {
  /// Compiles the changed module; the path of the artifact.
  static std::string compiled(const Change &change) {
    MLIRContext context;
    auto module = import(context, change);
    std::string file = folder + "/changed.mlir";
    std::string text;
    llvm::raw_string_ostream(text) << *module;
    std::ofstream(file) << text;
    CompileOptions options;
    options.input = folder;
    options.resume = file;
    options.output = folder + "/changed.glm";
    options.precision = "f32";
    EXPECT_EQ(report(compile(options)), 0);
    return options.output;
  }

  /// Logits of the whole prompt in one step.
  static std::vector<float> logits(const std::string &artifact) {
    Runtime runtime;
    Model model;
    Session session;
    Status status = Runtime::create({.threads = 2}, runtime);
    if (status)
      status = Model::load(runtime, artifact.c_str(), {}, model);
    if (status)
      status = Session::create(model, {.max_rows = promptRows, .context = promptRows}, session);
    std::vector<glm_row> rows;
    for (int64_t token : tokens)
      rows.push_back({int32_t(token), 0, int32_t(rows.size()), 0});
    std::vector<int32_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0);
    if (status)
      status = session.step(rows, all);
    glm_tensor output = {};
    if (status)
      status = session.output("logits", output);
    EXPECT_TRUE(status) << status.message();
    auto values = elements<float>(output, GLM_F32);
    return {values.begin(), values.end()};
  }
};

TEST_P(Compiled, GivesTheTablesLogits) {
  auto got = logits(compiled(GetParam().change));
  expectRow(got, lastRow, GetParam().row19, 1e-3);
}

std::vector<Mutation> compiledMutations() {
  std::vector<Mutation> all = attentionMutations(), some;
  for (auto &mutation : feedForwardMutations())
    all.push_back(mutation);
  std::copy_if(all.begin(), all.end(), std::back_inserter(some),
               [](const Mutation &mutation) { return mutation.compiled; });
  return some;
}

INSTANTIATE_TEST_SUITE_P(T1, Compiled, testing::ValuesIn(compiledMutations()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace glm::mutations
