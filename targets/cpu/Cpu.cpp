// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "targets/cpu/Cpu.h"
#include "targets/cpu/Codegen.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Pass/PassManager.h"

namespace glm::cpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/cpu/Passes.h.inc"
} // namespace glm::cpu

namespace glm {

namespace {

class CpuTarget final : public Target {
public:
  absl::StatusOr<TargetDescription> describe(mlir::MLIRContext &context,
                                             const TargetOptions &options) const override {
    return cpu::describeCpu(context, options);
  }
  void legalize(mlir::OpPassManager &passes) const override {
    passes.addPass(cpu::createVectorizeKernelsPass());
    passes.addPass(cpu::createLowerKernelToLLVMPass());
  }
  absl::StatusOr<ObjectCode> codegen(mlir::ModuleOp kernels,
                                     const TargetDescription &description) const override {
    return cpu::generateCode(kernels, description);
  }
  absl::StatusOr<CodeImage> link(const ObjectCode &object,
                                 const TargetDescription &description) const override {
    return cpu::linkImage(object, description);
  }
};

} // namespace

const Target &cpuTarget() {
  static const CpuTarget target;
  return target;
}

void registerCpuPasses() { cpu::registerCpuPasses(); }

} // namespace glm
