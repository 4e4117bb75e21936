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
  // C3: sums stay wide.
  return checkSum(*this, result);
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
  // C3: sums stay wide.
  return checkSum(*this, result);
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
