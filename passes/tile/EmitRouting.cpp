// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routing of many rows is two kernels, because laying pairs out by expert needs the choices of all
// rows. Few rows are one unit of one kernel, which computes the logits too where it is given rows.
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

/// What `route` and `router` have in common.
struct Choice {
  int64_t E, topK, groups, kept;
  double scale;
  bool normalize;

  template <typename Op>
  explicit Choice(Op op)
      : E(op.getType().getExperts()), topK(op.getType().getTopK()), groups(op.getGroups()),
        kept(op.getKeptGroups()), scale(op.getScale().convertToDouble()),
        normalize(op.getNormalize()) {}

  std::string name() const {
    return "_" + std::to_string(E) + "_top_" + std::to_string(topK) + "_f32";
  }
};

/// Weights of the chosen experts: their scores, normalised where the model says so, times `scale`.
static Value weigh(KernelBuilder &b, Value chosen, const Choice &choice) {
  SmallVector<Value> operands{chosen};
  if (choice.normalize)
    operands.push_back(b.sum(chosen, 1));
  return b.map(
      operands, 1, choice.topK, b.f32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
        Value factor = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(choice.scale));
        Value weight = choice.normalize ? Value(arith::DivFOp::create(s, loc, x[0], x[1])) : x[0];
        return arith::MulFOp::create(s, loc, weight, factor);
      });
}

/// Ids and weights of row `i`, whose logits are a tile.
static void choose(KernelBuilder &b, const Choice &choice, Value logits, Value bias, Value i,
                   Value idsOut, Value weightsOut) {
  int64_t E = choice.E;
  Value scores = sigmoid(b, b.convert(logits, b.f32), E);
  Value biases = b.convert(b.load(bias, b.index(0), 1, E), b.f32);
  Value biased =
      b.map({scores, biases}, 1, E, b.f32, [](OpBuilder &s, Location loc, ValueRange x) -> Value {
        return arith::AddFOp::create(s, loc, x[0], x[1]);
      });
  auto ids = TileType::get(b.loc.getContext(), 1, choice.topK, b.i32);
  auto chosen = TileType::get(b.loc.getContext(), 1, choice.topK, b.f32);
  Value experts = SelectExpertsOp::create(b.body, b.loc, ids, biased, choice.groups, choice.kept);
  Value weights = TakeColumnsOp::create(b.body, b.loc, chosen, scores, experts);
  b.store(experts, idsOut, {i, b.index(0)});
  b.store(weigh(b, weights, choice), weightsOut, {i, b.index(0)});
}

/// Ids and weights, one unit a row.
static LaunchOp emitChoice(GroupOp group, model::RouteOp op, TypeRange types,
                           SymbolTable &symbols) {
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  Choice choice(op);
  Value logits = b.input(op.getLogits(), bufferOf(op.getLogits().getType()));
  Value bias = b.input(op.getBias(), bufferOf(op.getBias().getType()));
  Value idsOut = b.output(bufferOf(types[Ids])), weightsOut = b.output(bufferOf(types[Weights]));
  Value i = b.parallel({b.dim(idsOut)}, {1})[0];
  choose(b, choice, b.load(logits, {i, b.index(0)}, 1, choice.E), bias, i, idsOut, weightsOut);
  return b.finish(symbols, "route" + choice.name(), group, {types[Ids], types[Weights]});
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

/// The six parts as one value.
static Results together(GroupOp group, ValueRange parts) {
  OpBuilder builder(group);
  return {UnrealizedConversionCastOp::create(builder, group.getLoc(), group.getResultTypes(), parts)
              .getResult(0)};
}

Results glm::emitRoute(GroupOp group, SymbolTable &symbols) {
  auto op = only<model::RouteOp>(group);
  SmallVector<Type> types = partTypes(op.getType());
  LaunchOp choice = emitChoice(group, op, types, symbols);
  LaunchOp order = emitOrder(group, choice.getResult(0), types, op.getType().getExperts(), symbols);
  SmallVector<Value> parts(choice.getResults());
  llvm::append_range(parts, order.getResults());
  return together(group, parts);
}

/// Logits of row `i`, as the linear of many rows computes them.
static Value logitsOf(KernelBuilder &b, Value x, Value panels, Value i, int64_t E) {
  int64_t n = b.getSchedule().getN(), K = columnsOf(panels.getType());
  int64_t columns = llvm::alignTo(E, n);
  Value row = b.load(x, {i, b.index(0)}, 1, K);
  Value matrix = b.load(panels, {b.index(0), b.index(0)}, columns, K);
  Value zero = b.zeros(1, columns);
  Value sums = MmaOp::create(b.body, b.loc, row, matrix, zero);
  return b.slice(sums, 0, E);
}

Results glm::emitRouter(GroupOp group, SymbolTable &symbols) {
  auto router = only<model::RouterOp>(group);
  auto route = only<model::RouteOp>(group);
  KernelBuilder b(group.getLoc(), group.getScheduleAttr());
  Choice choice = router ? Choice(router) : Choice(route);
  Value from = router ? router.getX() : route.getLogits();
  Value x = b.input(from, bufferOf(from.getType())), panels;
  if (router) {
    Value weight = router.getWeight();
    Type element = elementAt(weight);
    auto layout =
        PanelsAttr::get(element.getContext(), b.getSchedule().getN(), 32 / bitWidth(element));
    panels = b.input(
        weight, bufferOf(cast<RankedTensorType>(weight.getType()).getShape(), element, layout));
  }
  Value biasValue = router ? router.getBias() : route.getBias();
  Value bias = b.input(biasValue, bufferOf(biasValue.getType()));
  auto routing = cast<model::RoutingType>(group.getResultTypes().front());
  SmallVector<Type> types = partTypes(routing);
  Results out;
  for (Type type : types)
    out.push_back(b.output(bufferOf(type)));

  Value rows = b.dim(out[Ids]);
  b.parallel({b.index(1)}, {1});
  auto loop = scf::ForOp::create(b.body, b.loc, b.index(0), rows, b.index(1));
  {
    OpBuilder::InsertionGuard guard(b.body);
    b.body.setInsertionPointToStart(loop.getBody());
    Value i = loop.getInductionVar();
    Value logits =
        router ? logitsOf(b, x, panels, i, choice.E) : b.load(x, {i, b.index(0)}, 1, choice.E);
    choose(b, choice, logits, bias, i, out[Ids], out[Weights]);
  }
  GroupRowsOp::create(b.body, b.loc, out[Ids], out[Order], out[Inverse], out[Offsets], out[Active]);
  std::string name = router ? "router_" + std::to_string(columnsOf(panels.getType())) + "x"
                            : std::string("route_group_");
  LaunchOp launch = b.finish(symbols, name + choice.name().substr(1), group, types);
  return together(group, launch.getResults());
}
