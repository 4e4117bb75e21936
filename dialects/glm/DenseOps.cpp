// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense steps: rules of shape, and the folds that later passes rely on to see through casts and
// slices.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/DenseOps.cpp.inc"

void GlmDialect::addDenseOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/DenseOps.cpp.inc"
      >();
}

//===--- Rules
//---------------------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  // C1: a row of the result is a row of the table.
  return checkShape(*this, "result", getResult().getType(), {any, sizeOf(getTable().getType(), 1)});
}

LogicalResult TakeRowsOp::verify() {
  // C1: rows are moved as they are, one for each index.
  Type x = getX().getType(), result = getResult().getType();
  int64_t rows = sizeOf(getIndices().getType(), 0);
  return failure(failed(checkShape(*this, "result", result, {rows, sizeOf(x, 1)})) ||
                 failed(checkElement(*this, "result", result, getElementTypeOrSelf(x))));
}

LogicalResult LinearOp::verify() {
  Type x = getX().getType(), weight = getWeight().getType(), result = getResult().getType();
  // C1: weights are [N, K].
  if (failed(checkShape(*this, "weight", weight, {sizeOf(result, 1), sizeOf(x, 1)})) ||
      failed(checkShape(*this, "result", result, {sizeOf(x, 0), any})))
    return failure();
  // C2: sums stay wide. C3: the factors can be multiplied.
  return failure(failed(checkSum(*this, result)) || failed(checkFactors(*this, x, weight)));
}

LogicalResult HeadLinearOp::verify() {
  Type x = getX().getType(), result = getResult().getType();
  int64_t heads = sizeOf(x, 1), in = sizeOf(x, 2), out = sizeOf(result, 2);
  // C1: one matrix for every head.
  SmallVector<int64_t, 3> weight = {heads, out, in};
  if (getTransposed())
    std::swap(weight[1], weight[2]);
  if (failed(checkShape(*this, "weight", getWeight().getType(), weight)) ||
      failed(checkShape(*this, "result", result, {sizeOf(x, 0), heads, out})))
    return failure();
  // C2: sums stay wide.
  return checkSum(*this, result);
}

LogicalResult RmsNormOp::verify() {
  Type x = getX().getType();
  // C1: shapes are kept, one gain for each column.
  if (failed(checkShape(*this, "gain", getGain().getType(), {sizeOf(x, 1)})) ||
      failed(checkShape(*this, "result", getResult().getType(), cast<ShapedType>(x).getShape())))
    return failure();
  // C2: eps is positive.
  return checkAbove(*this, "eps", getEps(), 0);
}

LogicalResult LayerNormOp::verify() {
  Type x = getX().getType();
  // C1: shapes are kept, one gain and bias for each column.
  if (failed(checkShape(*this, "gain", getGain().getType(), {sizeOf(x, 1)})) ||
      failed(checkShape(*this, "bias", getBias().getType(), {sizeOf(x, 1)})) ||
      failed(checkShape(*this, "result", getResult().getType(), cast<ShapedType>(x).getShape())))
    return failure();
  // C2: eps is positive.
  return checkAbove(*this, "eps", getEps(), 0);
}

LogicalResult RopeAnglesOp::verify() {
  // C1: as many cosines as sines.
  int64_t width = sizeOf(getResult().getType(), 1);
  if (width == any || width % 2 != 0)
    return emitOpError() << "result must have an even width, is " << getResult().getType();
  // C2: wavelengths grow.
  return checkAbove(*this, "theta", getTheta(), 1);
}

LogicalResult RopeOp::verify() {
  // C1: rows or heads of rows, in pairs, and as many angles as elements of a head.
  Type x = getX().getType();
  int64_t rank = cast<ShapedType>(x).getRank();
  if (rank < 2 || rank > 3)
    return emitOpError() << "x must have rank 2 or 3, is " << x;
  int64_t width = sizeOf(x, -1);
  if (width == any || width % 2 != 0)
    return emitOpError() << "x must have an even width, is " << x;
  return checkShape(*this, "angles", getAngles().getType(), {sizeOf(x, 0), width});
}

LogicalResult SliceOp::verify() {
  // C1: the columns taken are columns of x.
  Type x = getX().getType(), result = getResult().getType();
  int64_t rank = cast<ShapedType>(result).getRank();
  if (rank < 1 ||
      failed(checkShape(*this, "result", result, withWidth(x, rank ? sizeOf(result, -1) : 0))))
    return rank < 1 ? emitOpError("result must have columns") : failure();
  if (failed(checkElement(*this, "result", result, getElementTypeOrSelf(x))))
    return failure();
  int64_t begin = getBegin(), end = sum(begin, sizeOf(result, -1)), width = sizeOf(x, -1);
  if (begin < 0 || end == any || (width != any && end > width))
    return emitOpError() << "columns " << begin << " to " << end << " are not within the " << width
                         << " columns of x";
  return success();
}

LogicalResult ConcatOp::verify() {
  // C1: widths add up, everything else is equal.
  Type x = getX().getType(), y = getY().getType(), result = getResult().getType();
  if (cast<ShapedType>(x).getRank() < 1 || cast<ShapedType>(y).getRank() < 1)
    return emitOpError("x and y must have columns");
  int64_t width = sum(sizeOf(x, -1), sizeOf(y, -1));
  return failure(failed(checkShape(*this, "y", y, withWidth(x, any))) ||
                 failed(checkShape(*this, "result", result, withWidth(x, width))) ||
                 failed(checkElement(*this, "y", y, getElementTypeOrSelf(x))) ||
                 failed(checkElement(*this, "result", result, getElementTypeOrSelf(x))));
}

/// `flat` is [n, H * D] where `heads` is [n, H, D], of one element type.
static LogicalResult checkHeads(Operation *op, StringRef name, Type flat, Type heads) {
  int64_t width = product(sizeOf(heads, 1), sizeOf(heads, 2));
  return failure(failed(checkShape(op, name, flat, {sizeOf(heads, 0), width})) ||
                 failed(checkElement(op, name, flat, getElementTypeOrSelf(heads))));
}

LogicalResult SplitHeadsOp::verify() {
  // C1: the heads share the columns.
  return checkHeads(*this, "x", getX().getType(), getResult().getType());
}

LogicalResult MergeHeadsOp::verify() {
  // C1: the heads share the columns.
  return checkHeads(*this, "result", getResult().getType(), getX().getType());
}

//===--- Folds
//---------------------------------------------------------------------------------===//

/// Every value of `narrow` is one of `wide`.
static bool widens(Type narrow, Type wide) {
  return cast<FloatType>(narrow).getWidth() < cast<FloatType>(wide).getWidth();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  Type result = getElementTypeOrSelf(getResult().getType());
  if (getX().getType() == getResult().getType())
    return getX();
  // What was widened exactly before can be cast from where it came from.
  auto inner = getX().getDefiningOp<CastOp>();
  if (!inner ||
      !widens(getElementTypeOrSelf(inner.getX().getType()), getElementTypeOrSelf(getX().getType())))
    return {};
  if (inner.getX().getType() == getResult().getType())
    return inner.getX();
  if (getElementTypeOrSelf(inner.getX().getType()) == result)
    return {};
  getXMutable().assign(inner.getX());
  return getResult();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  Type result = getResult().getType();
  if (getX().getType() == result)
    return getX();
  int64_t begin = getBegin(), width = sizeOf(result, -1);
  // A slice of a slice begins where both beginnings say.
  if (auto inner = getX().getDefiningOp<SliceOp>()) {
    setBegin(begin + inner.getBegin());
    getXMutable().assign(inner.getX());
    return getResult();
  }
  // A slice of one side of a concatenation is a slice of that side.
  auto concat = getX().getDefiningOp<ConcatOp>();
  if (!concat)
    return {};
  int64_t left = sizeOf(concat.getX().getType(), -1);
  if (left == any || (begin < left && begin + width > left))
    return {};
  setBegin(begin < left ? begin : begin - left);
  getXMutable().assign(begin < left ? concat.getX() : concat.getY());
  return getResult();
}

OpFoldResult MergeHeadsOp::fold(FoldAdaptor) {
  auto split = getX().getDefiningOp<SplitHeadsOp>();
  return split && split.getX().getType() == getResult().getType() ? OpFoldResult(split.getX())
                                                                  : OpFoldResult();
}
