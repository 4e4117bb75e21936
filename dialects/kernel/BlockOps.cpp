// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of rows: rules of shape.
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/Verify.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm::kernel;

#define GET_OP_CLASSES
#include "dialects/kernel/BlockOps.cpp.inc"

void KernelDialect::addBlockOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/BlockOps.cpp.inc"
      >();
}

/// Elements of one matrix of a buffer of rank 3 as it lies in memory.
static int64_t storedElements(BufferType type) {
  int64_t rows = type.getShape()[1], columns = type.getShape()[2];
  if (auto panels = dyn_cast_or_null<PanelsAttr>(type.getLayout())) {
    rows = llvm::alignTo(rows, panels.getN());
    columns = llvm::alignTo(columns, panels.getK());
  }
  return rows * columns;
}

int64_t BlockRowsOp::matrices() {
  return getRows() * getBuffer().getType().getShape()[1] / storedElements(getResult().getType());
}

LogicalResult BlockRowsOp::verify() {
  // C1: a row-major buffer with two dimensions becomes one with three, the first one dynamic.
  BufferType from = getBuffer().getType(), to = getResult().getType();
  if (from.getLayout() || from.getShape().size() != 2)
    return emitOpError() << "blocks rows of a row-major buffer with two dimensions, not " << from;
  if (to.getShape().size() != 3 || !ShapedType::isDynamic(to.getShape()[0]) ||
      to.getElementType() != from.getElementType())
    return emitOpError() << to << " is not a number of matrices of " << from.getElementType();
  // C2: a block is a whole number of matrices.
  int64_t block = int64_t(getRows()) * from.getShape()[1], matrix = storedElements(to);
  if (getRows() < 1 || block % matrix != 0)
    return emitOpError() << "a block of " << getRows() << " rows has " << block
                         << " elements, no multiple of a matrix's " << matrix;
  return success();
}

LogicalResult TransposeOp::verify() {
  // C1: sizes are exchanged, elements are equal and have 32 bits.
  TileType x = getX().getType();
  if (bitWidth(x.getElementType()) != 32)
    return emitOpError() << "turns tiles with elements of 32 bits, not " << x.getElementType();
  return failure(
      failed(checkTile(*this, "the result", getResult().getType(), x.getColumns(), x.getRows())) ||
      failed(checkElement(*this, "the result", getResult().getType(), x.getElementType())));
}

LogicalResult HiddenBitsOp::verify() {
  // C1: ids and the result have one row of i32.
  Type i32 = IntegerType::get(getContext(), 32);
  for (auto [name, type] : {std::pair(StringRef("ids"), getIds().getType()),
                            std::pair(StringRef("the result"), getResult().getType())})
    if (failed(checkTile(*this, name, type, 1, anySize)) ||
        failed(checkElement(*this, name, type, i32)))
      return failure();
  return success();
}

LogicalResult UnpackBitsOp::verify() {
  // C1: both are i32 with as many rows; 32 columns for each one of x.
  TileType x = getX().getType();
  Type i32 = IntegerType::get(getContext(), 32);
  return failure(failed(checkElement(*this, "x", x, i32)) ||
                 failed(checkTile(*this, "the result", getResult().getType(), x.getRows(),
                                  32 * x.getColumns())) ||
                 failed(checkElement(*this, "the result", getResult().getType(), i32)));
}
