// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {
#define GEN_PASS_DEF_FUSESPARSEATTENTION
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

GatherOp gatherOf(AttendExpandedOp op) { return op.getGathered().getDefiningOp<GatherOp>(); }

/// Why attention to the cache would not be the same function, or nullptr.
const char *whyNot(AttendExpandedOp op) {
  GatherOp gather = gatherOf(op);
  if (!gather)
    return "its rows are not gathered from a cache";
  if (gather.getSelection() != op.getSelection())
    return "its rows are gathered by another selection";
  if (!gather->hasOneUse())
    return "others read the gathered rows too";
  // Whatever stands between the two must not write what is read later now.
  for (Operation *between = gather->getNextNode(); between != op; between = between->getNextNode())
    if (!between || isa<AppendOp>(between) || isa<CallOpInterface>(between))
      return "rows may be appended between gathering and attention";
  return nullptr;
}

struct FuseSparseAttention : glm::impl::FuseSparseAttentionBase<FuseSparseAttention> {
  using FuseSparseAttentionBase::FuseSparseAttentionBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    FusionCheck check(verify);
    SmallVector<AttendExpandedOp> attentions;
    getOperation().walk([&](AttendExpandedOp op) { attentions.push_back(op); });
    for (AttendExpandedOp op : attentions) {
      const char *reason = whyNot(op);
      reason ? ++kept : ++fused;
      if (reason) {
        op.emitRemark("glm-fuse-sparse-attention: kept apart: ") << reason;
        continue;
      }
      op.emitRemark("glm-fuse-sparse-attention: fused with the gathering of its rows");
      GatherOp gather = gatherOf(op);
      rewriter.setInsertionPoint(op);
      auto now = SparseAttentionOp::create(rewriter, op.getLoc(), op.getType(), op.getQNope(),
                                           op.getQRope(), gather.getCache(), op.getSelection(),
                                           op.getKvB(), gather.getRows(), op.getScaleAttr());
      check.compare(op, now,
                    {now.getQNope(), now.getQRope(), now.getLatent(), now.getSelection(),
                     now.getKvB(), now.getRows()});
      rewriter.replaceOp(op, now);
      rewriter.eraseOp(gather);
    }
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }
};

} // namespace
