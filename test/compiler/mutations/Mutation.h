// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mistakes that are easily made in this model, each as a change of the imported IR, with the
// logits of T1 (test/e2e/make_t1.py) that it must give: float64, from another implementation. What
// computes them has no part in the change, so a change that shows proves that the op, its attribute
// and whatever executes it mean what they should.
#ifndef GLM_TEST_COMPILER_MUTATIONS_MUTATION_H
#define GLM_TEST_COMPILER_MUTATIONS_MUTATION_H

#include "dialects/glm/Glm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include "gtest/gtest.h"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace glm::mutations {

using Change = std::function<void(mlir::ModuleOp)>;

struct Mutation {
  std::string name;
  Change change;
  /// Logits 0 to 3 of row 19.
  std::vector<double> row19;
  /// The largest deviation of a logit in rows 0 to 5, which see all their keys, and in the others.
  double early, late;
  /// Compiled and run as machine code too; the others need ops that only the interpreter has.
  bool compiled = false;
};
inline void PrintTo(const Mutation &mutation, std::ostream *os) { *os << mutation.name; }

/// Of the attention and its indexer; of norms, routers and experts. For modules without drafts.
std::vector<Mutation> attentionMutations();
std::vector<Mutation> feedForwardMutations();

/// Changes every op of a kind for which `which` is true; there must be one.
template <typename Op>
Change
each(std::function<void(Op)> change, std::function<bool(Op)> which = [](Op) { return true; }) {
  return [=](mlir::ModuleOp module) {
    std::vector<Op> found;
    module.walk([&](Op op) {
      if (which(op))
        found.push_back(op);
    });
    EXPECT_FALSE(found.empty());
    for (Op op : found)
      change(op);
  };
}

/// f32 constant of this shape, by its values in order.
inline mlir::Value constant(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<int64_t> shape,
                            llvm::ArrayRef<float> values) {
  auto type = mlir::RankedTensorType::get(shape, b.getF32Type());
  return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(type, values));
}

/// `x` times a number, for a matrix `x`: a linear map with it on the diagonal.
inline mlir::Value times(mlir::OpBuilder &b, mlir::Value x, float factor) {
  int64_t width = mlir::cast<mlir::RankedTensorType>(x.getType()).getDimSize(1);
  std::vector<float> diagonal(size_t(width * width));
  for (int64_t i = 0; i < width; ++i)
    diagonal[size_t(i * width + i)] = factor;
  return model::LinearOp::create(b, x.getLoc(), x.getType(), x,
                                 constant(b, x.getLoc(), {width, width}, diagonal));
}

} // namespace glm::mutations

#endif
