// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-opt: reads a module, runs the passes named on the command line, prints it. It knows every dialect and pass of the
// tree and, of MLIR's own, what the phases produce on the way plus canonicalize, cse, inline and the like.

#include "compiler/interpret/Passes.h"
#include "dialects/glm/Glm.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/program/Program.h"

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

namespace {

void registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<glm::model::GlmDialect, glm::kernel::KernelDialect, glm::program::ProgramDialect>();
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                  mlir::tensor::TensorDialect, mlir::vector::VectorDialect,
                  mlir::x86vector::X86VectorDialect>();
  mlir::func::registerInlinerExtension(registry);
}

void registerPasses() {
  mlir::registerTransformsPasses();
  glm::interpret::registerInterpretPasses();
}

} // namespace

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "The optimizer driver of glmc " GLM_VERSION "\n", registry));
}
