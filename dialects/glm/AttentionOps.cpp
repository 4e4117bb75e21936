// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sparse attention: rules of shape between queries, caches and selections.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/AttentionOps.cpp.inc"

void GlmDialect::addAttentionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/AttentionOps.cpp.inc"
      >();
}

LogicalResult IndexScoresOp::verify() {
  Type q = getQ().getType(), weights = getWeights().getType(), result = getResult().getType();
  // C1: one weight a head, keys as wide as queries.
  if (failed(checkShape(*this, "q", q, {any, any, getKeys().getType().getWidth()})) ||
      failed(checkShape(*this, "weights", weights, {sizeOf(q, 0), sizeOf(q, 1)})))
    return failure();
  // C2: one score for each cached key, in a wide type.
  if (failed(checkShape(*this, "result", result, {sizeOf(q, 0), any})) ||
      failed(checkSum(*this, result)))
    return failure();
  // C3: the scale is positive.
  return checkAbove(*this, "scale", getScale(), 0);
}

LogicalResult SelectionIdsOp::verify() {
  // C1: one column for each key that may be selected.
  return checkShape(*this, "result", getResult().getType(),
                    {any, getSelection().getType().getLimit()});
}

LogicalResult SelectionOfIdsOp::verify() {
  // C1: one column for each key that may be selected.
  return checkShape(*this, "ids", getIds().getType(), {any, getResult().getType().getLimit()});
}

LogicalResult GatherOp::verify() {
  // C1: rows of the cache, as they are.
  CacheType cache = getCache().getType();
  Type result = getResult().getType();
  return failure(failed(checkShape(*this, "result", result, {any, any, cache.getWidth()})) ||
                 failed(checkElement(*this, "result", result, cache.getElementType())));
}

LogicalResult AttendExpandedOp::verify() {
  Type nope = getQNope().getType(), rope = getQRope().getType(), kvB = getKvB().getType();
  Type result = getResult().getType();
  int64_t rows = sizeOf(nope, 0), heads = sizeOf(nope, 1), latent = sizeOf(kvB, 1);
  // C1: a gathered row is a latent followed by a rotated key.
  if (failed(checkShape(*this, "q_rope", rope, {rows, heads, any})) ||
      failed(checkShape(*this, "gathered", getGathered().getType(),
                        {rows, any, sum(latent, sizeOf(rope, 2))})))
    return failure();
  // C2: kv_b makes a key and a value for every head.
  int64_t expanded = product(heads, sum(sizeOf(nope, 2), sizeOf(result, 2)));
  if (failed(checkShape(*this, "kv_b", kvB, {expanded, latent})) ||
      failed(checkShape(*this, "result", result, {rows, heads, any})))
    return failure();
  // C3: the scale is positive.
  return checkAbove(*this, "scale", getScale(), 0);
}

LogicalResult AttendLatentOp::verify() {
  Type q = getQ().getType(), rope = getQRope().getType();
  int64_t rows = sizeOf(q, 0), heads = sizeOf(q, 1), latent = sizeOf(q, 2);
  // C1: a gathered row is a latent followed by a rotated key; the result is a latent.
  if (failed(checkShape(*this, "q_rope", rope, {rows, heads, any})) ||
      failed(checkShape(*this, "gathered", getGathered().getType(),
                        {rows, any, sum(latent, sizeOf(rope, 2))})) ||
      failed(checkShape(*this, "result", getResult().getType(), {rows, heads, latent})))
    return failure();
  // C2: the scale is positive.
  return checkAbove(*this, "scale", getScale(), 0);
}
