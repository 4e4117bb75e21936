// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codes and scales: rules of shapes and code types.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/QuantizeOps.cpp.inc"

void GlmDialect::addQuantizeOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/QuantizeOps.cpp.inc"
      >();
}

LogicalResult QuantizedType::verify(function_ref<InFlightDiagnostic()> emitError, Type code,
                                    int64_t rows, int64_t columns) {
  if (!code.isInteger(8) && !code.isInteger(4) && !isa<Float8E4M3FNType>(code))
    return emitError() << "codes are i8, i4 or f8E4M3FN, not " << code;
  if (rows < 1 || columns < 1)
    return emitError() << "a block has at least one row and one column, not " << rows << " and "
                       << columns;
  return success();
}

/// The shape of what there is one of for each block of `rows` by `columns` of `type`.
static SmallVector<int64_t> blocksOf(Type type, int64_t rows, int64_t columns) {
  SmallVector<int64_t> shape(cast<ShapedType>(type).getShape());
  size_t rank = shape.size();
  if (shape[rank - 2] != glm::model::any)
    shape[rank - 2] = llvm::divideCeil(shape[rank - 2], rows);
  if (shape[rank - 1] != glm::model::any)
    shape[rank - 1] = llvm::divideCeil(shape[rank - 1], columns);
  return shape;
}

LogicalResult QuantizedOp::verify() {
  Type result = getResult().getType(), codes = getCodes().getType();
  auto element = cast<QuantizedType>(getElementTypeOrSelf(result));
  if (cast<ShapedType>(result).getRank() < 2)
    return emitOpError() << "ties matrices and banks, not " << result;
  // C1: the codes are the result's.
  if (failed(checkShape(*this, "codes", codes, cast<ShapedType>(result).getShape())) ||
      failed(checkElement(*this, "codes", codes, element.getCode())))
    return failure();
  // C2: one scale, and one zero, for each block.
  SmallVector<int64_t> blocks = blocksOf(result, element.getRows(), element.getColumns());
  if (failed(checkShape(*this, "scales", getScales().getType(), blocks)) ||
      (getZeros() && failed(checkShape(*this, "zeros", getZeros().getType(), blocks))))
    return failure();
  // C3: integer sums have integer biases.
  if (!getBias())
    return success();
  if (!element.getCode().isInteger() || cast<ShapedType>(result).getRank() != 2)
    return emitOpError() << "has a bias for " << result << ", whose products have no integer sums";
  return checkShape(*this, "bias", getBias().getType(), {sizeOf(result, 0)});
}

LogicalResult QuantizeOp::verify() {
  Type x = getX().getType(), codes = getCodes().getType();
  if (int64_t(getColumns()) < 1 || cast<ShapedType>(x).getRank() < 2)
    return emitOpError() << "cuts rows into runs of at least one column, not " << x << " into "
                         << int64_t(getColumns());
  // C1: a code for each number, a scale for each run.
  SmallVector<int64_t> runs = blocksOf(x, 1, getColumns());
  if (failed(checkShape(*this, "codes", codes, cast<ShapedType>(x).getShape())) ||
      failed(checkShape(*this, "scales", getScales().getType(), runs)))
    return failure();
  for (Value zeros : getZeros())
    if (failed(checkShape(*this, "zeros", zeros.getType(), runs)))
      return failure();
  // C2: integer codes, and zeros where they are used.
  Type code = getElementTypeOrSelf(codes);
  if (!code.isInteger())
    return emitOpError() << "makes codes of i8 or i4, not " << code;
  if (getZeros().size() != (getAsymmetric() ? 1 : 0) || (getAsymmetric() && !code.isInteger(4)))
    return emitOpError("has zeros if and only if it is asymmetric, in i4");
  return success();
}

LogicalResult QuantizeStaticOp::verify() {
  // C1: shapes are kept; one scale and one offset.
  return failure(failed(checkShape(*this, "codes", getCodes().getType(),
                                   cast<ShapedType>(getX().getType()).getShape())) ||
                 failed(checkShape(*this, "scale", getScale().getType(), {1})) ||
                 failed(checkShape(*this, "offset", getOffset().getType(), {1})));
}

LogicalResult DequantizeOp::verify() {
  // C1: the shape is kept, and no sum of codes has a bias.
  if (auto tied = getX().getDefiningOp<QuantizedOp>(); tied && tied.getBias())
    return emitOpError("reads a weight with a bias");
  return checkShape(*this, "result", getResult().getType(),
                    cast<ShapedType>(getX().getType()).getShape());
}
