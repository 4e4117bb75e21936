// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace glm {
#define GEN_PASS_DEF_ABSORBLATENTPROJECTIONS
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

RankedTensorType headsOf(Value like, int64_t width, Type element) {
  auto type = cast<RankedTensorType>(like.getType());
  return RankedTensorType::get({type.getDimSize(0), type.getDimSize(1), width}, element);
}

/// Rounds `value` to `element`, if it is not of that type already.
Value rounded(OpBuilder &builder, Value value, Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return CastOp::create(builder, value.getLoc(), type.clone(element), value);
}

/// Why the absorbed form would not be the same function, or nullptr.
const char *whyNot(AttendExpandedOp op) {
  if (!op.getGathered().getDefiningOp<GatherOp>())
    return "its rows are not gathered from a cache";
  if (op.getGathered().getDefiningOp<GatherOp>().getSelection() != op.getSelection())
    return "its rows are gathered by another selection";
  if (elementOf(op.getQNope()) != elementOf(op.getKvB()))
    return "the element types of query and projection differ";
  if (elementOf(op.getQRope()) != elementOf(op.getGathered()))
    return "the element types of rotated query and cache differ";
  return nullptr;
}

struct Absorb : OpRewritePattern<AttendExpandedOp> {
  Absorb(MLIRContext *context, FusionCheck &check) : OpRewritePattern(context), check(check) {}

  LogicalResult matchAndRewrite(AttendExpandedOp op, PatternRewriter &rewriter) const override {
    if (const char *reason = whyNot(op))
      return rewriter.notifyMatchFailure(op, reason);
    Location loc = op.getLoc();
    auto kvB = cast<RankedTensorType>(op.getKvB().getType());
    Type sum = elementOf(op.getResult());
    int64_t heads = headsOf(op.getQNope(), 0, sum).getDimSize(1);
    int64_t keyRows = cast<RankedTensorType>(op.getQNope().getType()).getDimSize(2);
    int64_t valueRows = cast<RankedTensorType>(op.getResult().getType()).getDimSize(2);
    int64_t latent = kvB.getDimSize(1);

    auto takeRows = [&](int64_t begin, int64_t rows) -> Value {
      auto type = RankedTensorType::get({heads, rows, latent}, kvB.getElementType());
      return HeadRowsOp::create(rewriter, loc, type, op.getKvB(), begin);
    };
    Value up = takeRows(0, keyRows), down = takeRows(keyRows, valueRows);
    Value query = HeadLinearOp::create(rewriter, loc, headsOf(op.getQNope(), latent, sum),
                                       op.getQNope(), up, /*transposed=*/true);
    query = rounded(rewriter, query, elementOf(op.getGathered()));
    Value attended =
        AttendLatentOp::create(rewriter, loc, headsOf(query, latent, sum), query, op.getQRope(),
                               op.getGathered(), op.getSelection(), op.getScaleAttr());
    attended = rounded(rewriter, attended, kvB.getElementType());
    Value now = HeadLinearOp::create(rewriter, loc, op.getType(), attended, down,
                                     /*transposed=*/false);
    check.compare(op, now,
                  {op.getQNope(), op.getQRope(), op.getGathered(), op.getKvB(), op.getSelection()},
                  /*tolerance=*/1e-5);
    rewriter.replaceOp(op, now);
    return success();
  }

  FusionCheck &check;
};

struct AbsorbLatentProjections : glm::impl::AbsorbLatentProjectionsBase<AbsorbLatentProjections> {
  using AbsorbLatentProjectionsBase::AbsorbLatentProjectionsBase;

  void runOnOperation() override {
    // Said before the rewrite, while the ops are there to point at.
    getOperation().walk([&](AttendExpandedOp op) {
      const char *reason = whyNot(op);
      reason ? ++kept : ++absorbed;
      InFlightDiagnostic remark = op.emitRemark("glm-absorb: ");
      reason ? remark << "kept expanded: " << reason : remark << "absorbed into latent attention";
    });
    FusionCheck check(verify);
    RewritePatternSet patterns(&getContext());
    patterns.add<Absorb>(&getContext(), check);
    bool applied = succeeded(applyPatternsGreedily(getOperation(), std::move(patterns)));
    compared += check.compared();
    if (!applied || check.failed())
      signalPassFailure();
  }
};

} // namespace
