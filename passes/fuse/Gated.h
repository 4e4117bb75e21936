// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `multiply(silu(gate), up)` with `gate` and `up` from two linears of one kind: what
// fuse-gated-mlp and fuse-moe-dispatch look for.
#ifndef GLM_PASSES_FUSE_GATED_H
#define GLM_PASSES_FUSE_GATED_H

#include "dialects/glm/Glm.h"

#include "mlir/IR/PatternMatch.h"

namespace glm {

template <typename Linear> struct Gated {
  model::MultiplyOp product;
  model::SiluOp open;
  Linear gate, up;
};

inline mlir::Type elementTypeOf(mlir::Value tensor) {
  return mlir::getElementTypeOrSelf(tensor.getType());
}

/// Every product of that form, in the order of the module.
template <typename Linear> llvm::SmallVector<Gated<Linear>> findGated(mlir::Operation *module) {
  llvm::SmallVector<Gated<Linear>> found;
  module->walk([&](model::MultiplyOp product) {
    for (auto [left, right] :
         {std::pair(product.getX(), product.getY()), std::pair(product.getY(), product.getX())}) {
      auto open = left.template getDefiningOp<model::SiluOp>();
      auto gate = open ? open.getX().template getDefiningOp<Linear>() : Linear();
      auto up = right.template getDefiningOp<Linear>();
      if (gate && up) {
        found.push_back({product, open, gate, up});
        return;
      }
    }
  });
  return found;
}

/// Why steps of the product would be computed twice if it were one op, or nullptr.
template <typename Linear> const char *whyShared(Gated<Linear> gated) {
  if (!gated.open->hasOneUse() || !gated.gate->hasOneUse() || !gated.up->hasOneUse())
    return "one of its steps is read by others too";
  return nullptr;
}

/// Puts `now` in the product's place and removes the steps it stands for.
template <typename Linear>
void replaceGated(mlir::IRRewriter &rewriter, Gated<Linear> gated, mlir::Value now) {
  rewriter.replaceOp(gated.product, now);
  rewriter.eraseOp(gated.open);
  rewriter.eraseOp(gated.gate);
  rewriter.eraseOp(gated.up);
}

} // namespace glm

#endif
