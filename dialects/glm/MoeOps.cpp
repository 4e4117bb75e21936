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
  // C2: groups of equal size, at least one of them kept.
  int64_t groups = getGroups(), kept = getKeptGroups();
  if (groups < 1 || experts % groups != 0)
    return emitOpError() << groups << " groups do not divide " << experts << " experts";
  if (kept < 1 || kept > groups)
    return emitOpError() << "keeps " << kept << " of " << groups << " groups";
  // C3: there are enough experts left to choose from.
  if (kept * (experts / groups) < topK)
    return emitOpError() << "chooses " << topK << " of the " << kept * (experts / groups)
                         << " experts in " << kept << " kept groups";
  return success();
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
  // C2: sums stay wide.
  return checkSum(*this, result);
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
