// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {
#define GEN_PASS_DEF_FUSEROUTER
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

struct FuseRouter : glm::impl::FuseRouterBase<FuseRouter> {
  using FuseRouterBase::FuseRouterBase;

  void runOnOperation() override {
    SmallVector<RouteOp> routes;
    getOperation().walk([&](RouteOp op) { routes.push_back(op); });
    IRRewriter rewriter(&getContext());
    FusionCheck check(verify);
    for (RouteOp op : routes) {
      std::string reason = whyNot(op);
      reason.empty() ? ++fused : ++kept;
      if (!reason.empty()) {
        op.emitRemark("glm-fuse-router: kept apart: ") << reason;
        continue;
      }
      op.emitRemark("glm-fuse-router: fused into one router");
      auto linear = op.getLogits().getDefiningOp<LinearOp>();
      rewriter.setInsertionPoint(op);
      auto now = RouterOp::create(rewriter, op.getLoc(), op.getType(), linear.getX(),
                                  linear.getWeight(), op.getBias(), op.getGroupsAttr(),
                                  op.getKeptGroupsAttr(), op.getScaleAttr(), op.getNormalizeAttr());
      check.compare(op, now, {now.getX(), now.getWeight(), now.getBias()});
      rewriter.replaceOp(op, now);
      rewriter.eraseOp(linear);
    }
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }

private:
  /// Why the choice would not be cheaper beside its logits, or nothing.
  std::string whyNot(RouteOp op) const {
    auto linear = op.getLogits().getDefiningOp<LinearOp>();
    if (!linear)
      return "its logits are not computed beside it";
    if (!linear->hasOneUse())
      return "its logits are read by others too";
    auto weight = cast<RankedTensorType>(linear.getWeight().getType());
    if (!isa<FloatType>(weight.getElementType()) ||
        getElementTypeOrSelf(linear.getX().getType()) != weight.getElementType())
      return "the element types of its rows and its matrix differ";
    int64_t size = weight.getNumElements() * weight.getElementTypeBitWidth() / 8;
    if (size > bytes)
      return "its matrix of " + std::to_string(size) + " bytes is read by all workers";
    return "";
  }
};

} // namespace
