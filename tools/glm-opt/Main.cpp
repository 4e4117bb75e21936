// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-opt: one pass or pipeline over one module, for tests and for looking at what a phase does.
//
//   glm-opt module.mlir --glm-model-pipeline=precision=bf16 --glm-fuse-pipeline --glm-tile-pipeline
#include "compiler/interpret/Passes.h"
#include "dialects/glm/Glm.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/program/Program.h"
#include "passes/fuse/Passes.h"
#include "passes/fuse/Pipeline.h"
#include "passes/model/Passes.h"
#include "passes/model/Pipeline.h"
#include "passes/place/Passes.h"
#include "passes/place/Pipeline.h"
#include "passes/tile/Passes.h"
#include "passes/tile/Pipeline.h"
#include "targets/cpu/Cpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

static void registerDialects(DialectRegistry &registry) {
  registry
      .insert<glm::model::GlmDialect, glm::kernel::KernelDialect, glm::program::ProgramDialect>();
  registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect, x86vector::X86VectorDialect>();
  func::registerInlinerExtension(registry);
}

static void registerPasses() {
  registerTransformsPasses();
  glm::interpret::registerInterpretPasses();
  glm::registerModelPasses();
  glm::registerFusePasses();
  glm::registerTilePasses();
  glm::place::registerPlacePasses();
  glm::registerCpuPasses();
  glm::registerModelPipeline();
  glm::registerFusePipeline();
  glm::registerTilePipeline();
  glm::registerPlacePipeline();
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  return asMainReturnCode(
      MlirOptMain(argc, argv, "glm-opt, the passes of glmc " GLM_VERSION "\n", registry));
}
