// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {
#define GEN_PASS_DEF_FUSENORMLINEAR
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// The linears behind a norm: one op that reads its rows, perhaps rounded, and nothing else does.
struct Behind {
  Operation *op = nullptr; // a linear or a group of them
  bool isOnly = true;
  SmallVector<CastOp> casts;
};

bool isLinear(Operation *op) { return isa<LinearOp, LinearGroupOp>(op); }

Behind linearsBehind(RmsNormOp norm) {
  Behind behind;
  auto visit = [&](Operation *user) {
    if (isLinear(user) && (!behind.op || behind.op == user))
      behind.op = user;
    else
      behind.isOnly = false;
  };
  for (Operation *user : norm->getUsers()) {
    auto cast = dyn_cast<CastOp>(user);
    if (!cast) {
      visit(user);
      continue;
    }
    behind.casts.push_back(cast);
    for (Operation *reader : cast->getUsers())
      visit(reader);
  }
  return behind;
}

/// Whether a value is what a product writes: behind it stands a barrier in any case.
bool isOfProduct(Value value) {
  Operation *op = value.getDefiningOp();
  return isa_and_nonnull<LinearOp, LinearGroupOp, NormLinearOp, HeadLinearOp, GatedLinearOp>(op);
}

SmallVector<Value> rowsOf(Operation *op) {
  if (auto group = dyn_cast<LinearGroupOp>(op))
    return SmallVector<Value>(group.getRows());
  return {cast<LinearOp>(op).getX()};
}

SmallVector<Value> weightsOf(Operation *op) {
  if (auto group = dyn_cast<LinearGroupOp>(op))
    return SmallVector<Value>(group.getWeights());
  return {cast<LinearOp>(op).getWeight()};
}

struct FuseNormLinear : glm::impl::FuseNormLinearBase<FuseNormLinear> {
  using FuseNormLinearBase::FuseNormLinearBase;

  void runOnOperation() override {
    SmallVector<RmsNormOp> norms;
    getOperation().walk([&](RmsNormOp op) { norms.push_back(op); });
    FusionCheck check(verify);
    for (RmsNormOp norm : norms) {
      Behind behind = linearsBehind(norm);
      if (!behind.op)
        continue; // nothing to fuse with, and so nothing to say
      if (const char *reason = whyNot(norm, behind)) {
        norm.emitRemark("glm-fuse-norm-linear: kept apart: ") << reason;
        ++kept;
        continue;
      }
      norm.emitRemark("glm-fuse-norm-linear: fused into the linears behind it");
      fuse(norm, behind, check);
      ++fused;
    }
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }

private:
  /// Why the norm would be no gain inside, or nullptr.
  const char *whyNot(RmsNormOp norm, const Behind &behind) const {
    if (!behind.isOnly)
      return "its rows have other readers, so they are written anyway";
    if (!isOfProduct(norm.getX()))
      return "no product computes its rows, so no barrier would fall";
    if (cast<RankedTensorType>(norm.getType()).getDimSize(1) > width)
      return "its rows are longer than what workers keep for themselves";
    for (auto [rows, weight] : llvm::zip(rowsOf(behind.op), weightsOf(behind.op)))
      if (getElementTypeOrSelf(rows.getType()) != getElementTypeOrSelf(weight.getType()) ||
          !isa<FloatType>(getElementTypeOrSelf(weight.getType())))
        return "the element types of the rows and a weight differ";
    if (behind.op->getNumResults() == 1 && behind.op->hasOneUse() &&
        isa<CastOp>(*behind.op->user_begin()))
      return "the result behind it is rounded where it is written";
    return nullptr;
  }

  void fuse(RmsNormOp norm, const Behind &behind, FusionCheck &check) {
    IRRewriter rewriter(&getContext());
    rewriter.setInsertionPoint(behind.op);
    SmallVector<Value> weights = weightsOf(behind.op);
    auto now = NormLinearOp::create(rewriter, behind.op->getLoc(), behind.op->getResultTypes(),
                                    norm.getX(), norm.getGain(), norm.getEpsAttr(), weights);
    SmallVector<Value> leaves(weights);
    leaves.append({norm.getX(), norm.getGain()});
    for (auto [before, after] : llvm::zip(behind.op->getResults(), now.getResults()))
      check.compare(before, after, leaves);
    rewriter.replaceOp(behind.op, now.getResults());
    for (CastOp cast : behind.casts)
      rewriter.eraseOp(cast);
    rewriter.eraseOp(norm);
  }
};

} // namespace
