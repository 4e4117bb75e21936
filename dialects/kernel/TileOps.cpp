// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Movement and arithmetic: rules of shape, and the folds that make static sizes constants.
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::kernel;

#define GET_OP_CLASSES
#include "dialects/kernel/TileOps.cpp.inc"

void KernelDialect::addTileOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/TileOps.cpp.inc"
      >();
}

//===--- Memory -----------------------------------------------------------------------------===//

LogicalResult DimOp::verify() {
  // C1: the buffer has that dimension.
  int64_t rank = getBuffer().getType().getShape().size();
  if (int64_t(getDimension()) >= rank)
    return emitOpError() << "dimension " << getDimension() << " of a buffer with " << rank;
  return success();
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  int64_t size = getBuffer().getType().getShape()[getDimension()];
  if (ShapedType::isDynamic(size))
    return {};
  return IntegerAttr::get(IndexType::get(getContext()), size);
}

LogicalResult FlattenOp::verify() {
  // C1: the buffer has no layout and at least two dimensions; the result's first is dynamic.
  BufferType from = getBuffer().getType(), to = getResult().getType();
  if (from.getLayout() || to.getLayout() || from.getShape().size() < 2)
    return emitOpError() << "flattens a row-major buffer of at least two dimensions, not " << from;
  if (from.getElementType() != to.getElementType() || !ShapedType::isDynamic(to.getShape()[0]) ||
      from.getShape().drop_front(2) != to.getShape().drop_front(1))
    return emitOpError() << to << " is not " << from << " with its first two dimensions as one";
  return success();
}

LogicalResult LoadScalarOp::verify() {
  // C1: as many indices as the buffer has dimensions, no layout.
  if (getBuffer().getType().getLayout())
    return emitOpError("reads a row-major buffer, not a packed one");
  if (failed(checkIndices(*this, getBuffer().getType(), getIndices().size())))
    return failure();
  return checkElement(*this, "the buffer", getBuffer().getType(), getResult().getType());
}

/// A tile of one row for rank-1 buffers, of whole rows for caches.
static LogicalResult checkWindow(Operation *op, Type memory, TileType tile) {
  if (rankOf(memory) == 1)
    return checkTile(op, "the tile", tile, 1, anySize);
  if (auto cache = dyn_cast<CacheType>(memory))
    return checkTile(op, "the tile", tile, anySize, cache.getWidth());
  return success();
}

LogicalResult LoadTileOp::verify() {
  // C1: as many indices as the memory has dimensions (2 for a cache).
  Type memory = getSource().getType();
  if (failed(checkIndices(*this, memory, getIndices().size())))
    return failure();
  // C2: element types are equal; a cache's tile has the cache's width.
  TileType tile = getResult().getType();
  if (failed(checkElement(*this, "the memory", memory, tile.getElementType())))
    return failure();
  return checkWindow(*this, memory, tile);
}

LogicalResult StoreTileOp::verify() {
  // C1: as many indices as the memory has dimensions (2 for a cache).
  Type memory = getDestination().getType();
  if (isa<BankType>(memory) || (isa<BufferType>(memory) && layoutOf(memory)))
    return emitOpError() << "writes row-major buffers and caches, not " << memory;
  if (failed(checkIndices(*this, memory, getIndices().size())))
    return failure();
  // C2: element types are equal.
  TileType tile = getTile().getType();
  if (failed(checkElement(*this, "the memory", memory, tile.getElementType())) ||
      failed(checkWindow(*this, memory, tile)))
    return failure();
  return isa<CacheType>(memory) ? checkTile(*this, "the tile", tile, 1, anySize) : success();
}

LogicalResult GatherRowsOp::verify() {
  // C1: ids is 1xR i32, the result has R rows and the source's element type.
  TileType tile = getResult().getType();
  Type memory = getSource().getType();
  if (failed(checkTile(*this, "ids", getIds().getType(), 1, tile.getRows())) ||
      failed(checkElement(*this, "ids", getIds().getType(), IntegerType::get(getContext(), 32))) ||
      failed(checkElement(*this, "the memory", memory, tile.getElementType())))
    return failure();
  // C2: one index: the column of a buffer, the slot of a cache.
  if (rankOf(memory) != 2 || layoutOf(memory) || isa<BankType>(memory))
    return emitOpError() << "gathers rows of row-major buffers of rank 2 and caches, not "
                         << memory;
  return isa<CacheType>(memory) ? checkWindow(*this, memory, tile) : success();
}

//===--- Arithmetic -------------------------------------------------------------------------===//

LogicalResult SplatOp::verify() {
  // C1: the value is of the tile's element type.
  return checkElement(*this, "the tile", getResult().getType(), getValue().getType());
}

LogicalResult MmaOp::verify() {
  // C1: a is MxK, b is NxK, c and the result are MxN.
  TileType a = getA().getType(), b = getB().getType(), c = getC().getType();
  if (failed(checkTile(*this, "b", b, anySize, a.getColumns())) ||
      failed(checkTile(*this, "c", c, a.getRows(), b.getRows())))
    return failure();
  // C2: a is f32 or bf16 and b the same or f8E4M3FN, c f32; or a is i8, b i8 or i4, c i32.
  Type left = a.getElementType(), right = b.getElementType();
  Type f32 = Float32Type::get(getContext());
  if (left.isInteger(8)) {
    if (!right.isInteger(8) && !right.isInteger(4))
      return emitOpError() << "b holds " << right << ", expected i8 or i4";
    if (!getScales())
      return checkElement(*this, "c", c, IntegerType::get(getContext(), 32));
    // C3: scales is NxR f32, K is R runs of equal length.
    TileType scales = getScales().getType();
    if (a.getColumns() % scales.getColumns() != 0)
      return emitOpError() << scales.getColumns() << " scales do not cut " << a.getColumns()
                           << " columns into equal runs";
    if (failed(checkTile(*this, "scales", scales, b.getRows(), anySize)) ||
        failed(checkElement(*this, "scales", scales, f32)))
      return failure();
    if (getZeros() && (failed(checkTile(*this, "zeros", getZeros().getType(), b.getRows(),
                                        scales.getColumns())) ||
                       failed(checkElement(*this, "zeros", getZeros().getType(),
                                           IntegerType::get(getContext(), 8)))))
      return failure();
    return checkElement(*this, "c", c, f32);
  }
  if (getScales() || getZeros())
    return emitOpError() << "has scales, which only integers have";
  if (!left.isF32() && !left.isBF16())
    return emitOpError() << "a holds " << left << ", expected f32, bf16 or i8";
  if (!isa<Float8E4M3FNType>(right) && failed(checkElement(*this, "b", b, left)))
    return failure();
  return checkElement(*this, "c", c, f32);
}

int64_t MmaOp::runLength() {
  return getScales() ? getA().getType().getColumns() / getScales().getType().getColumns() : 0;
}

LogicalResult MapOp::verify() {
  // C1: every operand's dimensions equal the result's or are 1.
  TileType result = getResult().getType();
  SmallVector<Type> elements;
  for (auto [index, value] : llvm::enumerate(getInputs())) {
    auto tile = cast<TileType>(value.getType());
    elements.push_back(tile.getElementType());
    if ((tile.getRows() != 1 && tile.getRows() != result.getRows()) ||
        (tile.getColumns() != 1 && tile.getColumns() != result.getColumns()))
      return emitOpError() << "operand " << index << " is " << tile.getRows() << "x"
                           << tile.getColumns() << ", which does not repeat to " << result.getRows()
                           << "x" << result.getColumns();
  }
  // C2: the block's arguments are the operands' element types, it yields the result's.
  if (failed(checkRegion(*this, elements, 1)))
    return failure();
  if (yielded(*this, 0) != result.getElementType())
    return emitOpError() << "yields " << yielded(*this, 0) << ", expected "
                         << result.getElementType();
  return success();
}

LogicalResult ReduceOp::verify() {
  // C1: dimension is 0 or 1; along columns the result has one, along rows its rows divide the
  // tile's; the other dimension is kept.
  if (getDimension() > 1)
    return emitOpError() << "dimension " << getDimension() << " is neither 0 nor 1";
  TileType x = getX().getType(), result = getResult().getType();
  bool columns = getDimension() == 1;
  if (failed(checkTile(*this, "the result", result, columns ? x.getRows() : anySize,
                       columns ? 1 : x.getColumns())))
    return failure();
  if (!columns && x.getRows() % result.getRows() != 0)
    return emitOpError() << "makes " << result.getRows() << " rows of " << x.getRows()
                         << ", which they do not divide";
  // Sums and maxima are f32.
  Type f32 = Float32Type::get(getContext());
  return failure(failed(checkElement(*this, "x", x, f32)) ||
                 failed(checkElement(*this, "the result", result, f32)));
}

LogicalResult WordColumnOp::verify() {
  // C1: x holds i8, the result 1 x R numbers of 32 bits.
  TileType x = getX().getType(), result = getResult().getType();
  if (failed(checkElement(*this, "x", x, IntegerType::get(getContext(), 8))) ||
      failed(checkTile(*this, "the result", result, 1, x.getRows())))
    return failure();
  if (bitWidth(result.getElementType()) != 32)
    return emitOpError() << "the result holds " << result.getElementType()
                         << ", not numbers of 32 bits";
  // C2: at is a multiple of 4, and the word lies inside the row.
  int64_t at = getAt();
  if (at < 0 || at % 4 != 0 || at + 4 > x.getColumns())
    return emitOpError() << "there is no word at " << at << " of " << x.getColumns() << " bytes";
  return success();
}

LogicalResult SliceOp::verify() {
  // C1: the result lies inside the tile and has its rows.
  TileType x = getX().getType(), result = getResult().getType();
  int64_t begin = getBegin();
  if (begin < 0 || begin + result.getColumns() > x.getColumns())
    return emitOpError() << "columns [" << begin << ", " << begin + result.getColumns()
                         << ") are not inside " << x.getColumns();
  return failure(failed(checkTile(*this, "the result", result, x.getRows(), anySize)) ||
                 failed(checkElement(*this, "the result", result, x.getElementType())));
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  if (getX().getType() == getResult().getType())
    return getX();
  if (auto inner = getX().getDefiningOp<SliceOp>()) {
    setBegin(getBegin() + inner.getBegin());
    getXMutable().assign(inner.getX());
    return getResult();
  }
  auto concat = getX().getDefiningOp<ConcatOp>();
  if (!concat)
    return {};
  int64_t seam = concat.getX().getType().getColumns();
  int64_t end = getBegin() + getResult().getType().getColumns();
  bool left = end <= seam, right = int64_t(getBegin()) >= seam;
  if (!left && !right)
    return {};
  setBegin(getBegin() - (right ? seam : 0));
  getXMutable().assign(left ? concat.getX() : concat.getY());
  return getResult();
}

LogicalResult ConcatOp::verify() {
  // C1: rows and element types are equal, the result's columns are the sum.
  TileType x = getX().getType(), y = getY().getType(), result = getResult().getType();
  return failure(failed(checkTile(*this, "y", y, x.getRows(), anySize)) ||
                 failed(checkTile(*this, "the result", result, x.getRows(),
                                  x.getColumns() + y.getColumns())) ||
                 failed(checkElement(*this, "y", y, x.getElementType())) ||
                 failed(checkElement(*this, "the result", result, x.getElementType())));
}

LogicalResult RotateOp::verify() {
  // C1: x and the result are RxD, angles is RxD or 1xD, D even.
  TileType x = getX().getType(), angles = getAngles().getType();
  if (x.getColumns() % 2 != 0)
    return emitOpError() << "rotates pairs of columns, but x has " << x.getColumns();
  Type f32 = Float32Type::get(getContext());
  return failure(failed(checkTile(*this, "angles", angles, angles.getRows() == 1 ? 1 : x.getRows(),
                                  x.getColumns())) ||
                 failed(checkElement(*this, "x", x, f32)) ||
                 failed(checkElement(*this, "angles", angles, f32)));
}

LogicalResult IotaOp::verify() {
  // C1: the result has one row of i32 or f32.
  TileType result = getResult().getType();
  if (!result.getElementType().isF32() && !result.getElementType().isInteger(32))
    return emitOpError() << "the result holds " << result.getElementType()
                         << ", expected i32 or f32";
  return checkTile(*this, "the result", result, 1, anySize);
}

//===--- Rows one by one --------------------------------------------------------------------===//

/// `(%r) to %n -> !kernel.tile<8x64xbf16> {...}`.
ParseResult StackRowsOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument row;
  OpAsmParser::UnresolvedOperand count;
  Type index = parser.getBuilder().getIndexType();
  row.type = index;
  if (parser.parseLParen() || parser.parseArgument(row) || parser.parseRParen() ||
      parser.parseKeyword("to") || parser.parseOperand(count) ||
      parser.resolveOperand(count, index, result.operands) ||
      parser.parseArrowTypeList(result.types) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  return parser.parseRegion(*result.addRegion(), row);
}

void StackRowsOp::print(OpAsmPrinter &printer) {
  printer << " (" << getBody().getArgument(0) << ") to " << getCount() << " -> " << getType()
          << ' ';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult StackRowsOp::verify() {
  // C1: the region has one index argument and yields a tile of one row.
  if (failed(checkRegion(*this, IndexType::get(getContext()), 1)))
    return failure();
  auto row = dyn_cast<TileType>(yielded(*this, 0));
  if (!row)
    return emitOpError("the region must yield a tile");
  // C2: that row is as wide as the result and of its element type.
  return failure(failed(checkTile(*this, "the yielded tile", row, 1, getType().getColumns())) ||
                 failed(checkElement(*this, "the yielded tile", row, getType().getElementType())));
}
