// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fused steps: their rules, and the steps they stand for.
#include "dialects/glm/Glm.h"
#include "dialects/glm/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::model;

#include "dialects/glm/FusedInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/glm/FusedOps.cpp.inc"

void GlmDialect::addFusedOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/glm/FusedOps.cpp.inc"
      >();
}

/// `silu(gate) * up`.
static Value gated(OpBuilder &builder, Location loc, Value gate, Value up) {
  Value open = SiluOp::create(builder, loc, gate.getType(), gate);
  return MultiplyOp::create(builder, loc, up.getType(), open, up);
}

LogicalResult GatedLinearOp::verify() {
  Type x = getX().getType(), gate = getGate().getType(), up = getUp().getType();
  Type result = getResult().getType();
  // C1: two matrices that map rows to the result's width.
  if (failed(checkShape(*this, "gate", gate, {sizeOf(result, 1), sizeOf(x, 1)})) ||
      failed(checkShape(*this, "up", up, {sizeOf(result, 1), sizeOf(x, 1)})) ||
      failed(checkShape(*this, "result", result, {sizeOf(x, 0), any})))
    return failure();
  // C2: both are multiplied in the same way.
  if (failed(checkElement(*this, "up", up, getElementTypeOrSelf(gate))))
    return failure();
  // C3: sums stay wide. C4: the factors can be multiplied.
  return failure(failed(checkSum(*this, result)) || failed(checkFactors(*this, x, gate)));
}

SmallVector<Value> GatedLinearOp::decompose(OpBuilder &builder) {
  auto linear = [&](Value weight) -> Value {
    return LinearOp::create(builder, getLoc(), getType(), getX(), weight);
  };
  Value gate = linear(getGate()), up = linear(getUp());
  return {gated(builder, getLoc(), gate, up)};
}

LogicalResult ExpertGatedLinearOp::verify() {
  Type x = getX().getType(), gates = getGates().getType(), ups = getUps().getType();
  Type result = getResult().getType();
  RoutingType routing = getRouting().getType();
  // C1: two matrices for each expert, one row for each pair.
  SmallVector<int64_t> bank{routing.getExperts(), sizeOf(result, 1), sizeOf(x, 1)};
  int64_t pairs = product(sizeOf(x, 0), routing.getTopK());
  if (failed(checkShape(*this, "gates", gates, bank)) ||
      failed(checkShape(*this, "ups", ups, bank)) ||
      failed(checkShape(*this, "result", result, {pairs, any})))
    return failure();
  // C2: both are multiplied in the same way.
  if (failed(checkElement(*this, "ups", ups, getElementTypeOrSelf(gates))))
    return failure();
  // C3: sums stay wide. C4: the factors can be multiplied.
  return failure(failed(checkSum(*this, result)) || failed(checkFactors(*this, x, gates)));
}

SmallVector<Value> ExpertGatedLinearOp::decompose(OpBuilder &builder) {
  auto x = cast<RankedTensorType>(getX().getType());
  auto dispatched = RankedTensorType::get({sizeOf(getType(), 0), x.getDimSize(1)}, //
                                          x.getElementType());
  Value rows = DispatchOp::create(builder, getLoc(), dispatched, getX(), getRouting());
  auto linear = [&](Value bank) -> Value {
    return ExpertLinearOp::create(builder, getLoc(), getType(), rows, bank, getRouting());
  };
  Value gate = linear(getGates()), up = linear(getUps());
  return {gated(builder, getLoc(), gate, up)};
}

//===--- Linears of the same rows -------------------------------------------------------------===//

/// Every weight maps rows of shape `x` to the result of its number.
static LogicalResult checkMembers(Operation *op, Type x, ValueRange weights, TypeRange results) {
  if (weights.size() != results.size())
    return op->emitOpError() << "has " << weights.size() << " weights and " << results.size()
                             << " results, expected as many of both";
  for (auto [index, pair] : llvm::enumerate(llvm::zip(weights, results))) {
    auto [weight, result] = pair;
    std::string number = std::to_string(index);
    if (failed(checkShape(op, "weight " + number, weight.getType(),
                          {sizeOf(result, 1), sizeOf(x, 1)})) ||
        failed(checkShape(op, "result " + number, result, {sizeOf(x, 0), glm::model::any})) ||
        failed(checkSum(op, result)))
      return failure();
  }
  return success();
}

LogicalResult LinearGroupOp::verify() {
  // C1: two weights at least, as many results as weights.
  if (getWeights().size() < 2)
    return emitOpError() << "has " << getWeights().size() << " weight, a group has two at least";
  // C2: the same rows for all, each in the element type its weight wants.
  Type x = getRows().front().getType();
  for (auto [index, rows] : llvm::enumerate(getRows()))
    if (failed(checkShape(*this, "rows " + std::to_string(index), rows.getType(),
                          cast<ShapedType>(x).getShape())))
      return failure();
  // C3: sums stay wide.
  return checkMembers(*this, x, getWeights(), getResultTypes());
}

SmallVector<Value> LinearGroupOp::decompose(OpBuilder &builder) {
  SmallVector<Value> results;
  for (auto [rows, weight, result] : llvm::zip(getRows(), getWeights(), getResults()))
    results.push_back(LinearOp::create(builder, getLoc(), result.getType(), rows, weight));
  return results;
}

LogicalResult NormLinearOp::verify() {
  // C1: one weight at least, as many results as weights.
  if (getWeights().empty())
    return emitOpError("has no weight");
  // C2: one gain for each column, matrices that map rows of that width.
  Type x = getX().getType();
  if (failed(checkShape(*this, "gain", getGain().getType(), {sizeOf(x, 1)})))
    return failure();
  // C3: sums stay wide.
  if (failed(checkMembers(*this, x, getWeights(), getResultTypes())))
    return failure();
  // C4: eps is positive.
  return checkAbove(*this, "eps", getEps(), 0);
}

SmallVector<Value> NormLinearOp::decompose(OpBuilder &builder) {
  auto x = cast<RankedTensorType>(getX().getType());
  auto wide = x.clone(getElementTypeOrSelf(getResultTypes().front()));
  Value normal = RmsNormOp::create(builder, getLoc(), wide, getX(), getGain(), getEpsAttr());
  SmallVector<Value> results;
  DenseMap<Type, Value> rounded{{wide.getElementType(), normal}};
  for (auto [weight, result] : llvm::zip(getWeights(), getResults())) {
    Type element = getElementTypeOrSelf(weight.getType());
    Value &rows = rounded[element];
    if (!rows)
      rows = CastOp::create(builder, getLoc(), x.clone(element), normal);
    results.push_back(LinearOp::create(builder, getLoc(), result.getType(), rows, weight));
  }
  return results;
}

//===--- Router -------------------------------------------------------------------------------===//

static Value logitsOf(RouterOp op, OpBuilder &builder) {
  auto x = cast<RankedTensorType>(op.getX().getType());
  Type sum = x.getElementType().isF64() ? x.getElementType() : builder.getF32Type();
  auto type = RankedTensorType::get({x.getDimSize(0), op.getType().getExperts()}, sum);
  return LinearOp::create(builder, op.getLoc(), type, op.getX(), op.getWeight());
}

LogicalResult RouterOp::verify() {
  Type x = getX().getType();
  int64_t experts = getType().getExperts();
  // C1: one row of the matrix and one bias for each expert.
  if (failed(checkShape(*this, "weight", getWeight().getType(), {experts, sizeOf(x, 1)})) ||
      failed(checkShape(*this, "bias", getBias().getType(), {experts})))
    return failure();
  // C2: groups of equal size, at least one of them kept. C3: enough experts to choose from.
  return checkGroups(*this, getGroups(), getKeptGroups(), experts, getType().getTopK());
}

SmallVector<Value> RouterOp::decompose(OpBuilder &builder) {
  return {RouteOp::create(builder, getLoc(), getType(), logitsOf(*this, builder), getBias(),
                          getGroupsAttr(), getKeptGroupsAttr(), getScaleAttr(),
                          getNormalizeAttr())};
}
