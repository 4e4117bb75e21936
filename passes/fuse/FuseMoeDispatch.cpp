// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Gated.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {
#define GEN_PASS_DEF_FUSEMOEDISPATCH
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

DispatchOp dispatchOf(ExpertLinearOp linear) { return linear.getX().getDefiningOp<DispatchOp>(); }

/// Why the product would not be the same function, or nullptr.
const char *whyNot(Gated<ExpertLinearOp> gated) {
  ExpertLinearOp gate = gated.gate, up = gated.up;
  DispatchOp left = dispatchOf(gate), right = dispatchOf(up);
  if (!left || !right)
    return "its rows are not dispatched beside it";
  if (left.getX() != right.getX())
    return "its two linears read different rows";
  for (Value routing : {up.getRouting(), left.getRouting(), right.getRouting()})
    if (routing != gate.getRouting())
      return "its rows are dispatched by different routings";
  if (elementTypeOf(gate.getBank()) != elementTypeOf(up.getBank()))
    return "its two banks differ in element type";
  return whyShared(gated);
}

struct FuseMoeDispatch : glm::impl::FuseMoeDispatchBase<FuseMoeDispatch> {
  using FuseMoeDispatchBase::FuseMoeDispatchBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    FusionCheck check(verify);
    for (Gated<ExpertLinearOp> gated : findGated<ExpertLinearOp>(getOperation())) {
      const char *reason = whyNot(gated);
      reason ? ++kept : ++fused;
      if (reason) {
        gated.product.emitRemark("glm-fuse-moe-dispatch: kept apart: ") << reason;
        continue;
      }
      gated.product.emitRemark("glm-fuse-moe-dispatch: fused into one gated linear of experts");
      rewriter.setInsertionPoint(gated.product);
      ExpertLinearOp gate = gated.gate, up = gated.up;
      DispatchOp left = dispatchOf(gate), right = dispatchOf(up);
      auto now =
          ExpertGatedLinearOp::create(rewriter, gated.product.getLoc(), gated.product.getType(),
                                      left.getX(), gate.getBank(), up.getBank(), gate.getRouting());
      check.compare(gated.product, now,
                    {now.getX(), now.getGates(), now.getUps(), now.getRouting()});
      replaceGated(rewriter, gated, now);
      if (right != left && right->use_empty())
        rewriter.eraseOp(right);
      if (left->use_empty())
        rewriter.eraseOp(left);
    }
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }
};

} // namespace
