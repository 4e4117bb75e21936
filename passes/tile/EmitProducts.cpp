// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linears. The weight is packed in panels of as many rows as the tile has columns. ProductGrid.h
// says how panels and rows are shared: a worker streams its panels once for every block of rows.
#include "passes/tile/Factors.h"
#include "passes/tile/ProductGrid.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

/// Sizes of a product: an `m x n` tile of `[?, N]`, reduced over `K` in blocks of `k`.
struct Product {
  int64_t N, K, m, n, k;
  Type element;

  Product(int64_t N, int64_t K, ScheduleAttr schedule, Type element)
      : N(N), K(K), m(schedule.getM()), n(schedule.getN()), k(schedule.getK()), element(element) {}

  int64_t panelCount() const { return llvm::divideCeil(N, n); }
};

/// `columns` columns of the left factor from `k` on.
using LoadBlock = function_ref<Value(Value k, int64_t columns)>;

/// `sum_k a(k) w(k)` over all blocks, for each weight: one block of `a` at a time meets all of
/// them.
Results multiply(KernelBuilder &b, const Product &p, MutableArrayRef<WeightFactor> weights,
                 LoadBlock loadA) {
  Results sums;
  for (WeightFactor &weight : weights)
    sums.push_back(weight.zero(p.m));
  auto step = [&](Value k, int64_t columns, ValueRange before) {
    Value block = loadA(k, columns);
    Results next;
    for (auto [weight, sum] : llvm::zip(weights, before))
      next.push_back(weight.add(sum, block, k, columns));
    return next;
  };
  int64_t whole = p.K / p.k * p.k;
  if (whole == p.k) {
    sums = step(b.index(0), p.k, sums);
  } else if (whole > 0) {
    auto loop = scf::ForOp::create(b.body, b.loc, b.index(0), b.index(whole), b.index(p.k), sums);
    OpBuilder::InsertionGuard guard(b.body);
    b.body.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b.body, b.loc,
                         step(loop.getInductionVar(), p.k, loop.getRegionIterArgs()));
    sums = Results(loop.getResults());
  }
  // The last block of scales may be narrower than the others.
  return whole < p.K ? step(b.index(whole), p.K - whole, sums) : sums;
}

/// Rows that are whole in one block are the same for all panels: loaded in front of them.
struct LeftOperand {
  LeftOperand(const Product &p, KernelBuilder &b, std::function<Value(Value, int64_t)> load)
      : load(std::move(load)) {
    if (p.k == p.K)
      whole = this->load(b.index(0), p.k);
  }
  Value operator()(Value k, int64_t columns) const { return whole ? whole : load(k, columns); }

  std::function<Value(Value, int64_t)> load;
  Value whole;
};

/// All sums as f32.
Results finishAll(MutableArrayRef<WeightFactor> weights, Results sums, Value rowScales) {
  for (auto [weight, sum] : llvm::zip(weights, sums))
    sum = weight.finish(sum, rowScales);
  return sums;
}

/// What is written: the sum, or that of the gate let through `silu` times that of the other weight.
Value finishSums(KernelBuilder &b, const Product &p, ArrayRef<Value> sums, Type element) {
  if (sums.size() == 1)
    return b.convert(sums[0], element);
  Value gated = b.map(sums, p.m, p.n, b.f32, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
    return arith::MulFOp::create(s, loc, silu(s, loc, v[0]), v[1]);
  });
  return b.convert(gated, element);
}

/// `base + offset`, without an addition of nothing.
Value plus(KernelBuilder &b, Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return arith::AddIOp::create(b.body, b.loc, base, b.index(offset));
}

/// Where the input of a product starts: a slice inside the group is a column offset.
struct Source {
  Value value;
  int64_t begin = 0;

  Source(Value x, GroupOp group) : value(x) {
    if (auto slice = x.getDefiningOp<model::SliceOp>(); slice && slice->getParentOp() == group) {
      value = slice.getX();
      begin = slice.getBegin();
    }
  }
};

/// Element type of what the group yields: the product's own, or what it is rounded to.
Type resultElement(GroupOp group) { return elementAt(group.getResult(0)); }

std::string nameOf(StringRef kind, ArrayRef<int64_t> sizes, GroupOp group, Type element) {
  std::string name = kind.str() + "_";
  for (auto [index, size] : llvm::enumerate(sizes))
    name += (index ? "x" : "") + std::to_string(size);
  name += "_" + elementName(element);
  if (!resultElement(group).isF32())
    name += "_to_" + elementName(resultElement(group));
  return name;
}

} // namespace

Results glm::emitLinear(GroupOp group, SymbolTable &symbols) {
  auto gated = only<model::GatedLinearOp>(group);
  auto linear = only<model::LinearOp>(group);
  Results weights = gated ? Results{gated.getGate(), gated.getUp()} : Results{linear.getWeight()};
  KernelBuilder b(group.getLoc(), group.getScheduleAttr());
  Product p(sizeAt(weights[0], 0), sizeAt(weights[0], 1), b.getSchedule(),
            model::storedElement(elementAt(weights[0])));
  Source source(gated ? gated.getX() : linear.getX(), group);
  RowFactor x(b, source.value, sizeAt(source.value, 1), /*topK=*/0);
  SmallVector<WeightFactor> w;
  for (Value weight : weights)
    w.emplace_back(b, weight, /*E=*/0, p.n).addInputs();
  Value y = b.output(bufferOf({anyRows, p.N}, resultElement(group)));

  Value rows = b.dim(y), blocks = countBlocks(b.top, b, rows, p.m, p.panelCount());
  Value groups = countGroups(b, p.panelCount(), blocks, /*equal=*/true);
  ValueRange unit = b.parallel({groups, blocks}, {1, 1});
  auto [i, valid] = rowBlock(b, rows, unit[1], blocks);
  LeftOperand loadA(p, b, [&, i = i](Value k, int64_t columns) {
    return x.load(i, plus(b, k, source.begin), p.m, columns);
  });
  Value scales = x.loadScales(i, p.m);
  forPanels(b, p.panelCount(), p.n, unit[0], groups, [&, i = i, valid = valid](Value j) {
    for (WeightFactor &weight : w)
      weight.moveTo(/*expert=*/{}, j);
    Results sums = finishAll(w, multiply(b, p, w, loadA), scales);
    b.store(finishSums(b, p, sums, resultElement(group)), y, {i, j}, valid);
  });
  return Results(b.finish(symbols, nameOf(group.getKind(), {p.K, p.N}, group, p.element), group,
                          group.getResultTypes())
                     .getResults());
}

/// Writes an `m x n` tile to columns `[column, column + N)` only: other heads lie behind them.
static void storeInside(KernelBuilder &b, const Product &p, Value tile, Value y, RowBlock rows,
                        Value j, Value column) {
  Value i = rows.first, valid = rows.count;
  Value at = arith::AddIOp::create(b.body, b.loc, column, j);
  int64_t rest = p.N % p.n;
  if (rest == 0)
    return b.store(tile, y, {i, at}, valid);
  if (p.N < p.n)
    return b.store(b.slice(tile, 0, rest), y, {i, at}, valid);
  Value isLast =
      arith::CmpIOp::create(b.body, b.loc, arith::CmpIPredicate::eq, j, b.index(p.N - rest));
  auto branch = scf::IfOp::create(b.body, b.loc, isLast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPointToStart(&branch.getThenRegion().front());
  b.store(b.slice(tile, 0, rest), y, {i, at}, valid);
  b.body.setInsertionPointToStart(&branch.getElseRegion().front());
  b.store(tile, y, {i, at}, valid);
}

Results glm::emitHeadLinear(GroupOp group, SymbolTable &symbols) {
  auto op = only<model::HeadLinearOp>(group);
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  Value weight = op.getWeight();
  int64_t H = sizeAt(weight, 0);
  Product p(sizeAt(op.getResult(), 2), sizeAt(op.getX(), 2), b.getSchedule(), elementAt(weight));
  Source source(op.getX(), group);
  int64_t width = sizeAt(source.value, 2); // of one head in memory
  Value x = b.input(source.value, bufferOf({anyRows, H * width}, p.element));
  WeightFactor w = WeightFactor::ofHeads(b, weight, p.N, p.K, p.n, op.getTransposed());
  Value y = b.output(bufferOf({anyRows, H * p.N}, resultElement(group)));

  Value rows = b.dim(y), blocks = countBlocks(b.top, b, rows, p.m, H * p.panelCount());
  Value others = arith::MulIOp::create(b.top, b.loc, b.index(H), blocks);
  Value groups = countGroups(b, p.panelCount(), others, /*equal=*/true);
  ValueRange unit = b.parallel({b.index(H), groups, blocks}, {1, 1, 1});
  Value h = unit[0];
  RowBlock block = rowBlock(b, rows, unit[2], blocks);
  Value from = plus(b, arith::MulIOp::create(b.body, b.loc, h, b.index(width)), source.begin);
  LeftOperand loadA(p, b, [&](Value k, int64_t columns) {
    Value at = p.k == p.K ? from : Value(arith::AddIOp::create(b.body, b.loc, from, k));
    return b.load(x, {block.first, at}, p.m, columns);
  });
  Value column = arith::MulIOp::create(b.body, b.loc, h, b.index(p.N));
  forPanels(b, p.panelCount(), p.n, unit[1], groups, [&](Value j) {
    w.moveTo(h, j);
    Results sums = multiply(b, p, w, loadA);
    storeInside(b, p, finishSums(b, p, sums, resultElement(group)), y, block, j, column);
  });
  return Results(b.finish(symbols, nameOf("head_linear", {H, p.K, p.N}, group, p.element), group,
                          group.getResultTypes())
                     .getResults());
}

/// Rows of `x` that the pairs at places `[p, p + m)` belong to, -1 from `end` on.
static Value rowsOfPairs(KernelBuilder &b, Value places, Value p, Value end, int64_t m,
                         int64_t topK) {
  Value pairs = b.load(places, p, 1, m);
  Value rest = arith::SubIOp::create(b.body, b.loc, end, p);
  Value left = b.splat(arith::IndexCastOp::create(b.body, b.loc, b.i32, rest));
  Value numbers = IotaOp::create(b.body, b.loc, TileType::get(b.loc.getContext(), 1, m, b.i32));
  return b.map(
      {pairs, numbers, left}, 1, m, b.i32, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
        auto constant = [&](int32_t value) {
          return arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(value));
        };
        Value inside = arith::CmpIOp::create(s, loc, arith::CmpIPredicate::slt, v[1], v[2]);
        Value row = arith::DivSIOp::create(s, loc, v[0], constant(topK));
        return arith::SelectOp::create(s, loc, inside, row, constant(-1));
      });
}

Results glm::emitExpertLinear(GroupOp group, SymbolTable &symbols) {
  auto gated = only<model::ExpertGatedLinearOp>(group);
  auto linear = only<model::ExpertLinearOp>(group);
  auto dispatch = only<model::DispatchOp>(group);
  bool gathers = gated || dispatch;
  KernelBuilder b(group.getLoc(), group.getScheduleAttr());
  Results banks = gated ? Results{gated.getGates(), gated.getUps()} : Results{linear.getBank()};
  Value routing = gated ? gated.getRouting() : linear.getRouting();
  Value source = gated ? gated.getX() : dispatch ? dispatch.getX() : linear.getX();
  int64_t E = sizeAt(banks[0], 0), topK = cast<model::RoutingType>(routing.getType()).getTopK();
  Product p(sizeAt(banks[0], 1), sizeAt(banks[0], 2), b.getSchedule(),
            model::storedElement(elementAt(banks[0])));
  auto part = [&](RoutingPart which) {
    Value value = partOf(routing, which, group);
    return b.input(value, bufferOf(value.getType()));
  };
  RowFactor x(b, source, p.K, gathers ? 0 : topK);
  SmallVector<WeightFactor> w;
  for (Value bank : banks)
    w.emplace_back(b, bank, E, p.n).addInputs();
  Value places = gathers ? b.flatten(part(Order)) : Value();
  Value offsets = part(Offsets), active = part(Active);
  Value out = b.flatten(b.output(bufferOf({anyRows, topK, p.N}, resultElement(group))));

  // The number of experts with rows is known only when the kernel runs: it bounds the grid.
  Value experts = LoadScalarOp::create(b.top, b.loc, b.i32, active, b.index(0));
  Value bound = arith::IndexCastOp::create(b.top, b.loc, b.top.getIndexType(), experts);
  Value groups = countGroups(b, p.panelCount(), bound, /*equal=*/false);
  ValueRange unit = b.parallel({groups, bound}, {1, 1});
  Value e = b.position(active, plus(b, unit[1], 1));
  Value begin = b.position(offsets, e), end = b.position(offsets, plus(b, e, 1));
  Value count = arith::SubIOp::create(b.body, b.loc, end, begin);
  Value blocks = countBlocks(b.body, b, count, p.m, p.panelCount());
  auto loop = scf::ForOp::create(b.body, b.loc, b.index(0), blocks, b.index(1));
  {
    OpBuilder::InsertionGuard guard(b.body);
    b.body.setInsertionPointToStart(loop.getBody());
    RowBlock block = rowBlock(b, count, loop.getInductionVar(), blocks);
    Value place = arith::AddIOp::create(b.body, b.loc, begin, block.first);
    Value last = arith::AddIOp::create(b.body, b.loc, place, block.count);
    Value ids = gathers ? rowsOfPairs(b, places, place, last, p.m, topK) : Value();
    LeftOperand loadA(p, b, [&](Value k, int64_t columns) {
      return gathers ? x.gather(ids, k, p.m, columns) : x.load(place, k, p.m, columns);
    });
    Value scales = gathers ? x.gatherScales(ids, p.m) : x.loadScales(place, p.m);
    forPanels(b, p.panelCount(), p.n, unit[0], groups, [&](Value j) {
      for (WeightFactor &bank : w)
        bank.moveTo(e, j);
      Results sums = finishAll(w, multiply(b, p, w, loadA), scales);
      b.store(finishSums(b, p, sums, resultElement(group)), out, {place, j}, block.count);
    });
  }
  std::string kind = group.getKind().str() + (dispatch ? "_gathered" : "");
  return Results(b.finish(symbols, nameOf(kind, {E, p.K, p.N}, group, p.element), group,
                          group.getResultTypes())
                     .getResults());
}
