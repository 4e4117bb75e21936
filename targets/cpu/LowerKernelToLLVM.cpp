// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expansion of math and bf16, then the standard conversions. Nothing here decides anything: the
// emitter wrote rank-1 vectors and raw addresses already.
#include "targets/Target.h"
#include "targets/cpu/Emitter.h"
#include "targets/cpu/ExpandMath.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace glm::cpu {
#define GEN_PASS_DEF_LOWERKERNELTOLLVMPASS
#include "targets/cpu/Passes.h.inc"
} // namespace glm::cpu

using namespace mlir;

namespace {

struct LowerKernelToLLVMPass : glm::cpu::impl::LowerKernelToLLVMPassBase<LowerKernelToLLVMPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto machine = module->getAttrOfType<glm::kernel::MachineAttr>(glm::machineAttribute);
    bool nativeRounding = machine && machine.getBf16Dot() && machine.getVectorBytes() == 64;
    RewritePatternSet patterns(&getContext());
    glm::cpu::populateExpandMath(patterns);
    glm::cpu::populateExpandBf16(patterns, nativeRounding);
    if (failed(applyPatternsGreedily(module, std::move(patterns))))
      return signalPassFailure();
    OpPassManager pipeline(ModuleOp::getOperationName());
    pipeline.addPass(createSCFToControlFlowPass());
    ConvertVectorToLLVMPassOptions vectors;
    vectors.x86Vector = true;
    pipeline.addPass(createConvertVectorToLLVMPass(vectors));
    pipeline.addPass(createConvertMathToLLVMPass());
    pipeline.addPass(createArithToLLVMConversionPass());
    pipeline.addPass(createConvertControlFlowToLLVMPass());
    pipeline.addPass(createConvertFuncToLLVMPass());
    pipeline.addPass(createUBToLLVMConversionPass());
    pipeline.addPass(createReconcileUnrealizedCastsPass());
    if (failed(runPipeline(pipeline, module)))
      return signalPassFailure();
    functions += llvm::range_size(module.getOps<LLVM::LLVMFuncOp>());
  }
};

} // namespace
