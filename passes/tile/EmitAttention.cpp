// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Search and attention: one unit is one row, or some heads of one row. Both ops that own a loop
// over keys (top_k, online_softmax) get their block from the schedule's `n`.
#include "passes/tile/Emit.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

/// The columns of a row of a batch that attention needs.
struct RowInfo {
  Value slot, position;

  RowInfo(KernelBuilder &b, Value rows, Value i)
      : slot(b.position(rows, {i, b.index(1)})), position(b.position(rows, {i, b.index(2)})) {}

  /// Keys that the row sees.
  Value visible(KernelBuilder &b) const {
    return arith::AddIOp::create(b.body, b.loc, position, b.index(1));
  }
};

Value product(KernelBuilder &b, Value left, Value right) {
  Value zero = b.zeros(tileOf(left).getRows(), tileOf(right).getRows());
  return MmaOp::create(b.body, b.loc, zero.getType(), left, right, zero);
}

Value scaled(KernelBuilder &b, Value tile, double factor) {
  return b.map(tile, tileOf(tile).getRows(), tileOf(tile).getColumns(), b.f32,
               [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
                 Value scale = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(factor));
                 return arith::MulFOp::create(s, loc, x[0], scale);
               });
}

/// Gives the region of `op` its block, and `body` a place in it, for as long as the guard lives.
struct KeyLoop {
  KeyLoop(KernelBuilder &b, Operation *op) : guard(b.body) {
    Block &block = op->getRegion(0).emplaceBlock();
    key = block.addArgument(b.body.getIndexType(), b.loc);
    b.body.setInsertionPointToStart(&block);
  }

  OpBuilder::InsertionGuard guard;
  Value key;
};

} // namespace

Results glm::emitIndex(GroupOp group, SymbolTable &symbols) {
  auto scores = only<model::IndexScoresOp>(group);
  auto select = only<model::SelectTopKOp>(group);
  KernelBuilder b(scores.getLoc(), group.getScheduleAttr());
  int64_t H = sizeAt(scores.getQ(), 1), D = sizeAt(scores.getQ(), 2);
  int64_t step = b.getSchedule().getN();
  int64_t limit = cast<model::SelectionType>(select.getType()).getLimit();
  Type element = elementAt(scores.getQ());
  auto lines = LinesAttr::get(b.loc.getContext(), step);
  Value q = b.input(scores.getQ(), bufferOf({anyRows, H, D}, element));
  Value weights =
      b.input(scores.getWeights(), bufferOf({anyRows, H, 1}, elementAt(scores.getWeights())));
  Value cache = b.input(scores.getKeys(), CacheType::get(b.loc.getContext(), D, element, lines));
  Value rows = b.input(scores.getRows(), bufferOf(scores.getRows().getType()));
  Value out = b.output(bufferOf({anyRows, limit}, b.i32));

  Value i = b.parallel({b.dim(out)}, {1})[0];
  RowInfo row(b, rows, i);
  Value query = b.load(q, {i, b.index(0), b.index(0)}, H, D);
  Value weight = b.load(weights, {i, b.index(0), b.index(0)}, H, 1);
  auto ids = TileType::get(b.loc.getContext(), 1, limit, b.i32);
  auto top = TopKOp::create(b.body, b.loc, ids, row.visible(b), step);
  {
    KeyLoop loop(b, top);
    Value keys = b.load(cache, {row.slot, loop.key}, step, D);
    Value weighted = b.map({product(b, query, keys), weight}, H, step, b.f32,
                           [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                             Value zero =
                                 arith::ConstantOp::create(s, loc, s.getF32FloatAttr(0.0f));
                             Value positive = arith::MaximumFOp::create(s, loc, v[0], zero);
                             return arith::MulFOp::create(s, loc, positive, v[1]);
                           });
    Value total = scaled(b, b.sum(weighted, 0), scores.getScale().convertToDouble());
    YieldOp::create(b.body, b.loc, total);
  }
  b.store(top.getResult(), out, {i, b.index(0)});
  std::string name = "index_" + std::to_string(H) + "x" + std::to_string(D) + "_top_" +
                     std::to_string(limit) + "_" + elementName(element);
  return Results(b.finish(symbols, name, group, group.getResultTypes()).getResults());
}

Results glm::emitAttend(GroupOp group, SymbolTable &symbols) {
  auto gather = only<model::GatherOp>(group);
  auto op = only<model::AttendLatentOp>(group);
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  int64_t H = sizeAt(op.getQ(), 1), L = sizeAt(op.getQ(), 2), R = sizeAt(op.getQRope(), 2);
  int64_t heads = b.getSchedule().getM(), step = b.getSchedule().getN();
  int64_t limit = cast<model::SelectionType>(op.getSelection().getType()).getLimit();
  Type element = elementAt(op.getQ()), result = elementAt(group.getResult(0));
  Value q = b.input(op.getQ(), bufferOf({anyRows, H, L}, element));
  Value qRope = b.input(op.getQRope(), bufferOf({anyRows, H, R}, element));
  Value cache =
      b.input(gather.getCache(), CacheType::get(b.loc.getContext(), L + R, element, Attribute()));
  Value selection = b.input(gather.getSelection(), bufferOf({anyRows, limit}, b.i32));
  Value rows = b.input(gather.getRows(), bufferOf(gather.getRows().getType()));
  Value out = b.output(bufferOf({anyRows, H, L}, result));

  ValueRange unit = b.parallel({b.dim(out), b.index(H)}, {1, heads});
  Value i = unit[0], h = unit[1];
  RowInfo row(b, rows, i);
  Value query = b.concat(b.load(q, {i, h, b.index(0)}, heads, L),
                         b.load(qRope, {i, h, b.index(0)}, heads, R));
  Value count = arith::MinSIOp::create(b.body, b.loc, row.visible(b), b.index(limit));
  auto sums = TileType::get(b.loc.getContext(), heads, L, b.f32);
  auto softmax = OnlineSoftmaxOp::create(b.body, b.loc, sums, count, step);
  {
    KeyLoop loop(b, softmax);
    Value ids = b.load(selection, {i, loop.key}, 1, step);
    auto block = TileType::get(b.loc.getContext(), step, L + R, element);
    Value latent = GatherRowsOp::create(b.body, b.loc, block, cache, row.slot, ids);
    Value scores = scaled(b, product(b, query, latent), op.getScale().convertToDouble());
    YieldOp::create(b.body, b.loc, ValueRange{scores, latent});
  }
  b.store(b.convert(softmax.getResult(), result), out, {i, h, b.index(0)});
  std::string name = "attend_" + std::to_string(H) + "x" + std::to_string(L + R) + "_top_" +
                     std::to_string(limit) + "_" + elementName(element);
  return Results(b.finish(symbols, name, group, group.getResultTypes()).getResults());
}
