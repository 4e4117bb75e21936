// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Gated.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {
#define GEN_PASS_DEF_FUSEGATEDMLP
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// Why the product would not be the same function, or nullptr.
const char *whyNot(Gated<LinearOp> gated) {
  if (gated.gate.getX() != gated.up.getX())
    return "its two linears read different rows";
  if (elementTypeOf(gated.gate.getWeight()) != elementTypeOf(gated.up.getWeight()))
    return "its two weights differ in element type";
  return whyShared(gated);
}

struct FuseGatedMlp : glm::impl::FuseGatedMlpBase<FuseGatedMlp> {
  using FuseGatedMlpBase::FuseGatedMlpBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    FusionCheck check(verify);
    for (Gated<LinearOp> gated : findGated<LinearOp>(getOperation())) {
      const char *reason = whyNot(gated);
      reason ? ++kept : ++fused;
      if (reason) {
        gated.product.emitRemark("glm-fuse-gated-mlp: kept apart: ") << reason;
        continue;
      }
      gated.product.emitRemark("glm-fuse-gated-mlp: fused into one gated linear");
      rewriter.setInsertionPoint(gated.product);
      LinearOp gate = gated.gate, up = gated.up;
      auto now = GatedLinearOp::create(rewriter, gated.product.getLoc(), gated.product.getType(),
                                       gate.getX(), gate.getWeight(), up.getWeight());
      check.compare(gated.product, now, {now.getX(), now.getGate(), now.getUp()});
      replaceGated(rewriter, gated, now);
    }
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }
};

} // namespace
