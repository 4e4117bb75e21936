// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass around the emitter. Which kernels exist and in which order stays as it is.
#include "targets/Target.h"
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Pass/Pass.h"

namespace glm::cpu {
#define GEN_PASS_DEF_VECTORIZEKERNELSPASS
#include "targets/cpu/Passes.h.inc"
} // namespace glm::cpu

using namespace mlir;

namespace {

struct VectorizeKernelsPass : glm::cpu::impl::VectorizeKernelsPassBase<VectorizeKernelsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto machine = module->getAttrOfType<glm::kernel::MachineAttr>(glm::machineAttribute);
    if (!machine) {
      module.emitError() << "has no " << glm::machineAttribute << ", which describe gives";
      return signalPassFailure();
    }
    int64_t bytes = machine.getVectorBytes(), pageRows = machine.getPageRows();
    if (!llvm::is_contained({16, 32, 64}, bytes) || !llvm::isPowerOf2_64(pageRows)) {
      module.emitError() << "vectors of " << bytes << " bytes and pages of " << pageRows
                         << " rows: expected 16, 32 or 64 bytes and a power of two";
      return signalPassFailure();
    }
    OpBuilder builder(module.getContext());
    auto range = module.getOps<glm::kernel::FuncOp>();
    for (glm::kernel::FuncOp kernel : llvm::make_early_inc_range(range)) {
      if (failed(glm::cpu::Emitter(kernel, machine, builder).run()))
        return signalPassFailure();
      kernel.erase();
      ++kernels;
    }
  }
};

} // namespace
