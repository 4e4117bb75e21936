// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choosing: the text of streams over keys, and rules of shape.
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::kernel;

#define GET_OP_CLASSES
#include "dialects/kernel/SelectionOps.cpp.inc"

void KernelDialect::addSelectionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/SelectionOps.cpp.inc"
      >();
}

//===--- Streams over keys ------------------------------------------------------------------===//

/// What follows the bounds: `step 16 -> !kernel.tile<1x10xi32> {...}`.
static ParseResult parseBody(OpAsmParser &parser, OperationState &result, StringAttr step,
                             OpAsmParser::Argument key) {
  int64_t size = 0;
  if (parser.parseKeyword("step") || parser.parseInteger(size) ||
      parser.parseArrowTypeList(result.types) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute(step, parser.getBuilder().getI64IntegerAttr(size));
  return parser.parseRegion(*result.addRegion(), key);
}

static void printBody(OpAsmPrinter &printer, Operation *op, int64_t step) {
  printer << " step " << step;
  printer.printArrowTypeList(op->getResultTypes());
  printer << ' ';
  printer.printOptionalAttrDictWithKeyword(op->getAttrs(), {"step"});
  printer.printRegion(op->getRegion(0), /*printEntryBlockArgs=*/false);
}

static ParseResult parseKey(OpAsmParser &parser, OpAsmParser::Argument &key) {
  key.type = parser.getBuilder().getIndexType();
  return failure(parser.parseLParen() || parser.parseArgument(key) || parser.parseRParen());
}

static LogicalResult checkStep(Operation *op, int64_t step) {
  return step > 0 ? success()
                  : LogicalResult(op->emitOpError() << "step must be positive, found " << step);
}

/// `(%t) from %begin to %end0, %end1 step 16 -> …`.
ParseResult TopKOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument key;
  SmallVector<OpAsmParser::UnresolvedOperand> bounds(1);
  Type index = parser.getBuilder().getIndexType();
  if (parseKey(parser, key) || parser.parseKeyword("from") || parser.parseOperand(bounds[0]) ||
      parser.parseKeyword("to") || parser.parseOperandList(bounds) ||
      parser.resolveOperands(bounds, index, result.operands))
    return failure();
  return parseBody(parser, result, getStepAttrName(result.name), key);
}

void TopKOp::print(OpAsmPrinter &printer) {
  printer << " (" << getBody().getArgument(0) << ") from " << getBegin() << " to " << getEnds();
  printBody(printer, *this, getStep());
}

LogicalResult TopKOp::verify() {
  // C1: the region yields an R x step f32 tile, then at most a 1 x step i32 tile.
  size_t yields = getBody().front().back().getNumOperands();
  if (failed(checkStep(*this, getStep())) ||
      failed(checkRegion(*this, IndexType::get(getContext()), yields == 2 ? 2 : 1)))
    return failure();
  Type f32 = Float32Type::get(getContext()), i32 = IntegerType::get(getContext(), 32);
  int64_t rows = getResult().getType().getRows(), kept = getResult().getType().getColumns();
  auto scores = dyn_cast<TileType>(yielded(*this, 0));
  if (!scores)
    return emitOpError("the region must yield a tile");
  if (failed(checkTile(*this, "the yielded tile", scores, rows, getStep())) ||
      failed(checkElement(*this, "the yielded tile", scores, f32)))
    return failure();
  auto numbers = yields == 2 ? dyn_cast<TileType>(yielded(*this, 1)) : TileType();
  if (yields == 2 && !numbers)
    return emitOpError("the region must yield tiles");
  if (numbers && (failed(checkTile(*this, "the tile of numbers", numbers, 1, getStep())) ||
                  failed(checkElement(*this, "the tile of numbers", numbers, i32))))
    return failure();
  // C2: the result is R x K i32, the second one R x K f32, and there are R ends.
  if (failed(checkElement(*this, "the result", getResult().getType(), i32)))
    return failure();
  if (getScores() &&
      (failed(checkTile(*this, "the second result", getScores().getType(), rows, kept)) ||
       failed(checkElement(*this, "the second result", getScores().getType(), f32))))
    return failure();
  if (int64_t(getEnds().size()) != rows)
    return emitOpError() << "has " << getEnds().size() << " ends for " << rows << " rows";
  return success();
}

/// `(%t) to %count step 16 -> …`.
ParseResult OnlineSoftmaxOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument key;
  OpAsmParser::UnresolvedOperand count;
  Type index = parser.getBuilder().getIndexType();
  if (parseKey(parser, key) || parser.parseKeyword("to") || parser.parseOperand(count) ||
      parser.resolveOperand(count, index, result.operands))
    return failure();
  return parseBody(parser, result, getStepAttrName(result.name), key);
}

void OnlineSoftmaxOp::print(OpAsmPrinter &printer) {
  printer << " (" << getBody().getArgument(0) << ") to " << getCount();
  printBody(printer, *this, getStep());
}

LogicalResult OnlineSoftmaxOp::verify() {
  // C1: the region has one index argument and yields an H x step f32 tile and a step x W tile.
  if (failed(checkStep(*this, getStep())) ||
      failed(checkRegion(*this, IndexType::get(getContext()), 2)))
    return failure();
  Type f32 = Float32Type::get(getContext());
  auto scores = dyn_cast<TileType>(yielded(*this, 0)), rows = dyn_cast<TileType>(yielded(*this, 1));
  if (!scores || !rows)
    return emitOpError("the region must yield two tiles");
  TileType result = getResult().getType();
  if (failed(checkTile(*this, "the scores", scores, result.getRows(), getStep())) ||
      failed(checkElement(*this, "the scores", scores, f32)))
    return failure();
  if (getByColumns() ? failed(checkTile(*this, "the columns", rows, anySize, getStep())) ||
                           failed(checkElement(*this, "the columns", rows, f32))
                     : failed(checkTile(*this, "the rows", rows, getStep(), anySize)))
    return failure();
  // C2: the result is H x C f32 with C <= W.
  int64_t width = getByColumns() ? rows.getRows() : rows.getColumns();
  if (result.getColumns() > width)
    return emitOpError() << "the result has " << result.getColumns() << " columns, the rows only "
                         << width;
  return checkElement(*this, "the result", result, f32);
}

//===--- Experts ----------------------------------------------------------------------------===//

LogicalResult SelectExpertsOp::verify() {
  // C1: groups divides the columns, 1 <= kept <= groups, the kept groups have K columns.
  int64_t experts = getValues().getType().getColumns(), groups = getGroups(), kept = getKept();
  if (groups < 1 || experts % groups != 0)
    return emitOpError() << groups << " groups do not divide " << experts << " columns";
  if (kept < 1 || kept > groups)
    return emitOpError() << "keeps " << kept << " of " << groups << " groups";
  int64_t chosen = getResult().getType().getColumns();
  if (experts / groups * kept < chosen)
    return emitOpError() << "chooses " << chosen << " columns, but the kept groups have "
                         << experts / groups * kept;
  // C2: values is 1xE f32, the result 1xK i32.
  MLIRContext *context = getContext();
  return failure(
      failed(checkTile(*this, "values", getValues().getType(), 1, anySize)) ||
      failed(checkElement(*this, "values", getValues().getType(), Float32Type::get(context))) ||
      failed(checkTile(*this, "the result", getResult().getType(), 1, anySize)) ||
      failed(
          checkElement(*this, "the result", getResult().getType(), IntegerType::get(context, 32))));
}

LogicalResult TakeColumnsOp::verify() {
  // C1: x, ids and the result have one row; ids is i32 and as wide as the result.
  TileType x = getX().getType(), ids = getIds().getType(), result = getResult().getType();
  return failure(failed(checkTile(*this, "x", x, 1, anySize)) ||
                 failed(checkTile(*this, "the result", result, 1, anySize)) ||
                 failed(checkTile(*this, "ids", ids, 1, result.getColumns())) ||
                 failed(checkElement(*this, "ids", ids, IntegerType::get(getContext(), 32))) ||
                 failed(checkElement(*this, "the result", result, x.getElementType())));
}

LogicalResult GroupRowsOp::verify() {
  // C1: all buffers are i32: ids [n, k], order and inverse [n, k], offsets and active [E + 1].
  for (Value value : getOperands()) {
    auto buffer = cast<BufferType>(value.getType());
    if (!buffer.getElementType().isInteger(32) || buffer.getLayout())
      return emitOpError() << "works on row-major buffers of i32, not " << buffer;
  }
  BufferType ids = getIds().getType(), offsets = getOffsets().getType();
  if (ids.getShape().size() != 2 || getOrder().getType() != ids || getInverse().getType() != ids)
    return emitOpError() << "order and inverse must be like ids, " << ids;
  if (offsets.getShape().size() != 1 || offsets.getShape()[0] < 2 ||
      getActive().getType() != offsets)
    return emitOpError() << "offsets and active must be equal and of one static dimension, found "
                         << offsets << " and " << getActive().getType();
  return success();
}
