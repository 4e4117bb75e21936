// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and caches: rules of the symbols and of their uses.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/WeightOps.cpp.inc"

void GlmDialect::addWeightOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/WeightOps.cpp.inc"
      >();
}

LogicalResult WeightOp::verify() {
  // C1: the type is static.
  if (!cast<ShapedType>(getType()).hasStaticShape())
    return emitOpError() << "type must be static, is " << getType();
  // C2: there is a place.
  if (getFile().empty())
    return emitOpError("file must not be empty");
  if (int64_t(getOffset()) < 0)
    return emitOpError() << "offset must not be negative, is " << int64_t(getOffset());
  return success();
}

LogicalResult BankOp::verify() {
  // C1: the type is static with rank 3.
  auto type = cast<ShapedType>(getType());
  if (!type.hasStaticShape() || type.getRank() != 3)
    return emitOpError() << "type must be static with rank 3, is " << getType();
  // C2: one matrix for each expert, in a file of the list.
  auto experts = static_cast<size_t>(type.getDimSize(0));
  if (getFileOf().size() != experts || getOffsets().size() != experts)
    return emitOpError() << "has " << getFileOf().size() << " files and " << getOffsets().size()
                         << " offsets for " << experts << " experts";
  for (int32_t file : getFileOf())
    if (file < 0 || static_cast<size_t>(file) >= getFiles().size())
      return emitOpError() << "names file " << file << " of " << getFiles().size();
  for (int64_t offset : getOffsets())
    if (offset < 0)
      return emitOpError() << "offset must not be negative, is " << offset;
  return success();
}

LogicalResult WeightValueOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1: the symbol is a weight or bank of the result's type.
  Operation *symbol = symbols.lookupNearestSymbolFrom(*this, getWeightAttr());
  if (!isa_and_nonnull<WeightOp, BankOp>(symbol))
    return emitOpError() << getWeightAttr() << " is no glm.weight or glm.bank of the module";
  Type type =
      isa<WeightOp>(symbol) ? cast<WeightOp>(symbol).getType() : cast<BankOp>(symbol).getType();
  if (type != getResult().getType())
    return emitOpError() << getWeightAttr() << " is " << type << ", the result "
                         << getResult().getType();
  return success();
}

LogicalResult HeadRowsOp::verify() {
  Type weight = getWeight().getType(), result = getResult().getType();
  if (cast<ShapedType>(weight).getRank() != 2 || cast<ShapedType>(result).getRank() != 3)
    return emitOpError() << "takes rows of a matrix for every head, not " << weight << " to "
                         << result;
  // C1: the heads share the rows.
  int64_t rows = sizeOf(weight, 0), heads = sizeOf(result, 0);
  if (heads < 1 || rows % heads != 0)
    return emitOpError() << heads << " heads do not divide " << rows << " rows";
  // C2: the rows taken are rows of the head.
  int64_t begin = getBegin(), taken = sizeOf(result, 1);
  if (begin < 0 || taken < 0 || begin + taken > rows / heads)
    return emitOpError() << "rows " << begin << " to " << begin + taken << " are not within the "
                         << rows / heads << " rows of a head";
  return failure(failed(checkShape(*this, "result", result, {heads, taken, sizeOf(weight, 1)})) ||
                 failed(checkElement(*this, "result", result, getElementTypeOrSelf(weight))));
}

LogicalResult StateValueOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1: the symbol is a state of the result's type.
  auto state = symbols.lookupNearestSymbolFrom<StateOp>(*this, getStateAttr());
  if (!state)
    return emitOpError() << getStateAttr() << " is no glm.state of the module";
  if (state.getType() != getResult().getType())
    return emitOpError() << getStateAttr() << " is " << state.getType() << ", the result "
                         << getResult().getType();
  return success();
}

LogicalResult AppendOp::verify() {
  // C1: the values are as wide as the cache.
  return checkShape(*this, "values", getValues().getType(), {any, getCache().getType().getWidth()});
}
