// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over selected keys: one unit is some heads of one row, and `online_softmax` gets its
// block of keys from the schedule's `n`.
#include "passes/tile/Emit.h"
#include "passes/tile/EmitKeys.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

static constexpr int64_t anyRows = ShapedType::kDynamic;

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
