// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hand-written kernel, compiled by itself and run through the runtime: every kernel on plain
// buffers gets an entry `run.<kernel>` with a port for each argument.
#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/pipeline/Compile.h"
#include "glm/runtime.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

constexpr const char *module = R"(
kernel.func @twice(%x: !kernel.buffer<?x20xf32>, %y: !kernel.buffer<?x20xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x20xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x20xf32> -> !kernel.tile<1x20xf32>
    %d = kernel.map (%t) : (!kernel.tile<1x20xf32>) -> !kernel.tile<1x20xf32> {
    ^bb0(%a: f32):
      %s = arith.addf %a, %a : f32
      kernel.yield %s : f32
    }
    kernel.store_tile %d, %y[%i, %c0] : !kernel.tile<1x20xf32>, !kernel.buffer<?x20xf32>
  }
  kernel.return
}
)";

class KernelArtifact : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("glm-kernel-" + std::to_string(getpid()));
    fs::create_directories(folder);
    options.input = folder / "kernel.mlir";
    options.output = folder / "kernel.glm";
    options.compiler = "test";
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path folder;
  glm::CompileOptions options;
};

TEST_F(KernelArtifact, Runs) {
  std::ofstream(options.input) << module;
  ASSERT_EQ(glm::report(glm::compile(options)), 0);

  glm_runtime *runtime = nullptr;
  glm_model *model = nullptr;
  glm_session *session = nullptr;
  glm_status status = glm_runtime_create(nullptr, &runtime);
  ASSERT_EQ(status.code, GLM_OK) << status.message;
  status = glm_model_load(runtime, options.output.c_str(), nullptr, &model);
  ASSERT_EQ(status.code, GLM_OK) << status.message;
  status = glm_session_create(model, nullptr, &session);
  ASSERT_EQ(status.code, GLM_OK) << status.message;

  std::vector<float> x(7 * 20), y(7 * 20);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i);
  glm_tensor inputs[] = {{"arg0", GLM_F32, 2, {7, 20}, x.data()},
                         {"arg1", GLM_F32, 2, {7, 20}, y.data()}};
  status = glm_session_run(session, "run.twice", inputs, 2);
  ASSERT_EQ(status.code, GLM_OK) << status.message;
  glm_tensor output;
  status = glm_session_output(session, "arg1", &output);
  ASSERT_EQ(status.code, GLM_OK) << status.message;
  ASSERT_EQ(output.shape[0], 7);
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(static_cast<const float *>(output.data)[i], 2 * x[i]);
  glm_session_destroy(session);
  glm_model_destroy(model);
  glm_runtime_destroy(runtime);
}

// What does not parse is one coded error, and no artifact.
TEST_F(KernelArtifact, Malformed) {
  std::ofstream(options.input) << "kernel.func @f(";
  auto diagnostic = glm::diagnosticOf(glm::compile(options));
  ASSERT_TRUE(diagnostic);
  EXPECT_EQ(diagnostic->code, glm::Code::ModuleMalformed);
  EXPECT_FALSE(fs::exists(options.output));
}

// The model level's modules need a checkpoint that is still there.
TEST_F(KernelArtifact, WeightsWithoutCheckpoint) {
  std::ofstream(options.input) << R"(
    glm.weight @w : tensor<16xf32> from "a.safetensors" at 0
    kernel.func @k(%w: !kernel.buffer<16xf32>, %y: !kernel.buffer<16xf32>) {
      %c0 = arith.constant 0 : index
      %t = kernel.load_tile %w[%c0] : !kernel.buffer<16xf32> -> !kernel.tile<1x16xf32>
      kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
      kernel.return
    }
    func.func @step() -> !kernel.buffer<16xf32> attributes {glm.entry} {
      %w = program.weight_ref @w : !kernel.buffer<16xf32>
      %y = program.buffer : !kernel.buffer<16xf32>
      kernel.launch @k(%w) outs(%y : !kernel.buffer<16xf32>) : (!kernel.buffer<16xf32>) -> ()
      func.return %y : !kernel.buffer<16xf32>
    })";
  auto diagnostic = glm::diagnosticOf(glm::compile(options));
  ASSERT_TRUE(diagnostic);
  EXPECT_EQ(diagnostic->code, glm::Code::CheckpointChanged);
  EXPECT_FALSE(fs::exists(options.output));
}

} // namespace
