// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/fuse/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace glm {
#define GEN_PASS_DEF_VERIFYFUSE
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// The rule an op breaks, or nullptr.
const char *brokenRule(Operation *op) {
  auto usedOnlyBy = [&](auto isReader) { return llvm::all_of(op->getUsers(), isReader); };
  if (isa<AttendExpandedOp>(op))
    return "expanded attention is left, for which no target has a kernel";
  if (isa<IndexScoresOp>(op) && !(op->hasOneUse() && usedOnlyBy(llvm::IsaPred<SelectTopKOp>)))
    return "scores are read by one glm.select_top_k and nothing else";
  if (isa<SelectTopKOp>(op) && !op->getOperand(0).getDefiningOp<IndexScoresOp>())
    return "selects from scores that no glm.index_scores computes";
  if (isa<GatherOp>(op) && !usedOnlyBy(llvm::IsaPred<AttendLatentOp>))
    return "gathered rows are read by attention only";
  if (isa<HeadRowsOp>(op) && !usedOnlyBy(llvm::IsaPred<HeadLinearOp, CastOp>))
    return "a derived weight is read by linears only";
  return nullptr;
}

struct VerifyFuse : glm::impl::VerifyFuseBase<VerifyFuse> {
  void runOnOperation() override {
    llvm::DenseSet<StringAttr> forms;
    getOperation().walk([&](CallByKeysOp call) {
      forms.insert(call.getMaskedAttr().getAttr());
      forms.insert(call.getCausalAttr().getAttr());
    });
    WalkResult result = getOperation().walk([&](Operation *op) {
      attentions += isa<AttendLatentOp>(op);
      const char *rule = brokenRule(op);
      auto function = op->getParentOfType<func::FuncOp>();
      if (isa<SparseAttentionOp>(op) && !(function && forms.contains(function.getSymNameAttr())))
        rule = "attention to a cache is a form that a glm.call_by_keys chooses";
      if (!rule)
        return WalkResult::advance();
      emitCoded(op, {Code::VerificationFailed, op->getName().getStringRef().str(), rule,
                     "run the fuse pipeline on the module"});
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
