// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of an index before the kernel runs: enough to leave out masks at edges that do not
// exist.
#include "targets/cpu/Emitter.h"

#include <numeric>

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

int64_t knownDivisor(Value value) {
  constexpr int64_t all = int64_t(1) << 40; // divides zero, so "everything"
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant == 0 ? all : std::abs(*constant);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *owner = argument.getOwner()->getParentOp();
    if (auto grid = dyn_cast<ParallelOp>(owner))
      return grid.getSteps()[argument.getArgNumber()];
    if (auto loop = dyn_cast<scf::ForOp>(owner); loop && value == loop.getInductionVar())
      return std::gcd(knownDivisor(loop.getLowerBound()), knownDivisor(loop.getStep()));
    if (auto stream = dyn_cast<OnlineSoftmaxOp>(owner))
      return stream.getStep();
    if (auto stream = dyn_cast<TopKOp>(owner))
      return std::gcd(knownDivisor(stream.getBegin()), stream.getStep());
    return 1;
  }
  if (auto sum = value.getDefiningOp<arith::AddIOp>())
    return std::gcd(knownDivisor(sum.getLhs()), knownDivisor(sum.getRhs()));
  if (auto product = value.getDefiningOp<arith::MulIOp>()) {
    int64_t a = knownDivisor(product.getLhs()), b = knownDivisor(product.getRhs());
    return std::max(a, b) == all ? all : std::min(a * b, all);
  }
  if (auto cast = value.getDefiningOp<arith::IndexCastOp>())
    return knownDivisor(cast.getIn());
  return 1;
}

/// The last of `0, step, 2 step ... < bound` above `begin`.
static std::optional<int64_t> lastStep(Value begin, Value bound, int64_t step) {
  std::optional<int64_t> first = getConstantIntValue(begin), end = getConstantIntValue(bound);
  if (!first || !end)
    return std::nullopt;
  return *first + std::max<int64_t>(0, *end - 1 - *first) / step * step;
}

std::optional<int64_t> knownMaximum(Value value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return constant;
  if (auto dim = value.getDefiningOp<DimOp>()) {
    int64_t size = dim.getBuffer().getType().getShape()[dim.getDimension()];
    return ShapedType::isDynamic(size) ? std::nullopt : std::optional(size);
  }
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *owner = argument.getOwner()->getParentOp();
    if (auto grid = dyn_cast<ParallelOp>(owner)) {
      int64_t step = grid.getSteps()[argument.getArgNumber()];
      std::optional<int64_t> bound = knownMaximum(grid.getBounds()[argument.getArgNumber()]);
      return bound ? std::optional(std::max<int64_t>(0, *bound - 1) / step * step) : std::nullopt;
    }
    auto loop = dyn_cast<scf::ForOp>(owner);
    if (loop && value == loop.getInductionVar() && loop.getConstantStep())
      return lastStep(loop.getLowerBound(), loop.getUpperBound(),
                      loop.getConstantStep()->getSExtValue());
    return std::nullopt;
  }
  auto combined = [](Value a, Value b, auto combine) -> std::optional<int64_t> {
    std::optional<int64_t> left = knownMaximum(a), right = knownMaximum(b);
    return left && right ? std::optional<int64_t>(combine(*left, *right)) : std::nullopt;
  };
  if (auto sum = value.getDefiningOp<arith::AddIOp>())
    return combined(sum.getLhs(), sum.getRhs(), std::plus<int64_t>());
  if (auto product = value.getDefiningOp<arith::MulIOp>())
    return combined(product.getLhs(), product.getRhs(), std::multiplies<int64_t>());
  return std::nullopt;
}

} // namespace glm::cpu
