// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forms of attention: rules of shape, the steps they stand for, and the functions they name.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/FormOps.cpp.inc"

void GlmDialect::addFormOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/FormOps.cpp.inc"
      >();
}

LogicalResult SparseAttentionOp::verify() {
  Type nope = getQNope().getType(), rope = getQRope().getType(), result = getResult().getType();
  int64_t rows = sizeOf(nope, 0), heads = sizeOf(nope, 1), latent = sizeOf(getKvB().getType(), 1);
  // C1: a cached row is a latent followed by a rotated key.
  if (failed(checkShape(*this, "q_rope", rope, {rows, heads, any})))
    return failure();
  int64_t width = getLatent().getType().getWidth(), expected = sum(latent, sizeOf(rope, 2));
  if (!agree(width, expected))
    return emitOpError() << "latent is " << width << " wide, expected " << expected;
  // C2: kv_b makes a key and a value for every head.
  int64_t expanded = product(heads, sum(sizeOf(nope, 2), sizeOf(result, 2)));
  if (failed(checkShape(*this, "kv_b", getKvB().getType(), {expanded, latent})) ||
      failed(checkShape(*this, "result", result, {rows, heads, any})))
    return failure();
  // C3: the scale is positive.
  return checkAbove(*this, "scale", getScale(), 0);
}

SmallVector<Value> SparseAttentionOp::decompose(OpBuilder &builder) {
  CacheType cache = getLatent().getType();
  auto gathered = RankedTensorType::get(
      {getQNope().getType().getDimSize(0), ShapedType::kDynamic, cache.getWidth()},
      cache.getElementType());
  Value rows =
      GatherOp::create(builder, getLoc(), gathered, getLatent(), getSelection(), getRows());
  return {AttendExpandedOp::create(builder, getLoc(), getType(), getQNope(), getQRope(), rows,
                                   getKvB(), getSelection(), getScaleAttr())};
}

LogicalResult CallByKeysOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1: the three functions take the operands and give the results.
  for (FlatSymbolRefAttr name : {getGatheredAttr(), getMaskedAttr(), getCausalAttr()}) {
    auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, name);
    if (!function)
      return emitOpError() << name << " is not a function";
    if (function.getArgumentTypes() != getArguments().getTypes() ||
        function.getResultTypes() != getResultTypes())
      return emitOpError() << name << " is of type " << function.getFunctionType()
                           << ", not that of the operands and results";
  }
  return success();
}
