// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routing is two kernels, because laying pairs out by expert needs the choices of all rows.
#include "passes/tile/Emit.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

/// `1 / (1 + exp(-x))`.
static Value sigmoid(KernelBuilder &b, Value logits, int64_t E) {
  return b.map(logits, 1, E, b.f32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
    Value one = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(1.0f));
    Value power = math::ExpOp::create(s, loc, arith::NegFOp::create(s, loc, x[0]));
    return arith::DivFOp::create(s, loc, one, arith::AddFOp::create(s, loc, one, power));
  });
}

/// Weights of the chosen experts: their scores, normalised where the model says so, times `scale`.
static Value weigh(KernelBuilder &b, Value chosen, model::RouteOp op, int64_t topK) {
  double scale = op.getScale().convertToDouble();
  bool normalize = op.getNormalize();
  SmallVector<Value> operands{chosen};
  if (normalize)
    operands.push_back(b.sum(chosen, 1));
  return b.map(operands, 1, topK, b.f32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
    Value factor = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(scale));
    Value weight = normalize ? Value(arith::DivFOp::create(s, loc, x[0], x[1])) : x[0];
    return arith::MulFOp::create(s, loc, weight, factor);
  });
}

/// Ids and weights, one unit a row.
static LaunchOp emitChoice(GroupOp group, model::RouteOp op, TypeRange types,
                           SymbolTable &symbols) {
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  auto routing = cast<model::RoutingType>(op.getType());
  int64_t E = routing.getExperts(), topK = routing.getTopK();
  Value logits = b.input(op.getLogits(), bufferOf(op.getLogits().getType()));
  Value bias = b.input(op.getBias(), bufferOf(op.getBias().getType()));
  Value idsOut = b.output(bufferOf(types[Ids])), weightsOut = b.output(bufferOf(types[Weights]));

  Value i = b.parallel({b.dim(idsOut)}, {1})[0];
  Value scores = sigmoid(b, b.convert(b.load(logits, {i, b.index(0)}, 1, E), b.f32), E);
  Value biases = b.convert(b.load(bias, b.index(0), 1, E), b.f32);
  Value biased =
      b.map({scores, biases}, 1, E, b.f32, [](OpBuilder &s, Location loc, ValueRange x) -> Value {
        return arith::AddFOp::create(s, loc, x[0], x[1]);
      });
  auto ids = TileType::get(b.loc.getContext(), 1, topK, b.i32);
  auto chosen = TileType::get(b.loc.getContext(), 1, topK, b.f32);
  Value experts =
      SelectExpertsOp::create(b.body, b.loc, ids, biased, op.getGroups(), op.getKeptGroups());
  Value weights = TakeColumnsOp::create(b.body, b.loc, chosen, scores, experts);
  b.store(experts, idsOut, {i, b.index(0)});
  b.store(weigh(b, weights, op, topK), weightsOut, {i, b.index(0)});
  std::string name = "route_" + std::to_string(E) + "_top_" + std::to_string(topK) + "_f32";
  return b.finish(symbols, name, group, {types[Ids], types[Weights]});
}

/// Order, inverse, offsets and active experts, one unit in all.
static LaunchOp emitOrder(GroupOp group, Value ids, TypeRange types, int64_t experts,
                          SymbolTable &symbols) {
  KernelBuilder b(group.getLoc(), group.getScheduleAttr());
  Value in = b.input(ids, bufferOf(types[Ids]));
  SmallVector<Value> out;
  for (RoutingPart part : {Order, Inverse, Offsets, Active})
    out.push_back(b.output(bufferOf(types[part])));
  b.parallel({b.index(1)}, {1});
  GroupRowsOp::create(b.body, b.loc, in, out[0], out[1], out[2], out[3]);
  std::string name = "group_rows_" + std::to_string(experts) + "_top_" +
                     std::to_string(cast<RankedTensorType>(types[Ids]).getDimSize(1)) + "_i32";
  return b.finish(symbols, name, group, types.drop_front(2));
}

Results glm::emitRoute(GroupOp group, SymbolTable &symbols) {
  auto op = only<model::RouteOp>(group);
  auto routing = cast<model::RoutingType>(op.getType());
  SmallVector<Type> types = partTypes(routing);
  LaunchOp choice = emitChoice(group, op, types, symbols);
  LaunchOp order = emitOrder(group, choice.getResult(0), types, routing.getExperts(), symbols);
  SmallVector<Value> parts(choice.getResults());
  llvm::append_range(parts, order.getResults());
  OpBuilder builder(group);
  return {
      UnrealizedConversionCastOp::create(builder, group.getLoc(), TypeRange(op.getType()), parts)
          .getResult(0)};
}
