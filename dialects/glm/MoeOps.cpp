// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixture of experts: rules of groups and of shapes between rows and their experts.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::model;

#define GET_OP_CLASSES
#include "dialects/glm/MoeOps.cpp.inc"

void GlmDialect::addMoeOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/MoeOps.cpp.inc"
      >();
}

LogicalResult RouteOp::verify() {
  int64_t experts = getResult().getType().getExperts(), topK = getResult().getType().getTopK();
  // C1: one logit and one bias for each expert.
  if (failed(checkShape(*this, "logits", getLogits().getType(), {any, experts})) ||
      failed(checkShape(*this, "bias", getBias().getType(), {experts})))
    return failure();
  // C2: groups of equal size, at least one of them kept. C3: enough experts to choose from.
  return checkGroups(*this, getGroups(), getKeptGroups(), experts, topK);
}

LogicalResult DispatchOp::verify() {
  // C1: rows are moved as they are.
  Type x = getX().getType(), result = getResult().getType();
  int64_t pairs = product(sizeOf(x, 0), getRouting().getType().getTopK());
  return failure(failed(checkShape(*this, "result", result, {pairs, sizeOf(x, 1)})) ||
                 failed(checkElement(*this, "result", result, getElementTypeOrSelf(x))));
}

LogicalResult ExpertLinearOp::verify() {
  Type x = getX().getType(), bank = getBank().getType(), result = getResult().getType();
  // C1: one [N, K] matrix for each expert.
  if (failed(checkShape(*this, "bank", bank,
                        {getRouting().getType().getExperts(), sizeOf(result, 1), sizeOf(x, 1)})) ||
      failed(checkShape(*this, "result", result, {sizeOf(x, 0), any})))
    return failure();
  // C2: sums stay wide. C3: the factors can be multiplied.
  return failure(failed(checkSum(*this, result)) || failed(checkFactors(*this, x, bank)));
}

LogicalResult CombineOp::verify() {
  // C1: the width is kept.
  return checkShape(*this, "result", getResult().getType(), {any, sizeOf(getX().getType(), 1)});
}

LogicalResult RoutingIdsOp::verify() {
  // C1: one column for each chosen expert.
  return checkShape(*this, "result", getResult().getType(),
                    {any, getRouting().getType().getTopK()});
}

LogicalResult RoutingWeightsOp::verify() {
  // C1: one column for each chosen expert.
  return checkShape(*this, "result", getResult().getType(),
                    {any, getRouting().getType().getTopK()});
}
