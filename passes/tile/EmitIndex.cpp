// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for the best keys, in two kernels. Units of the first are some rows of the batch and a
// range of keys; rows of one slot read each block of keys together. Where there are fewer rows than
// workers, keys are cut into ranges, and each unit leaves the best of its range as candidates; the
// second kernel selects from those, and has nothing to do where there is one range. The best of the
// best are the best, so the number of ranges changes no result.
#include "passes/tile/Emit.h"
#include "passes/tile/EmitKeys.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

/// Lists of candidates that there is room for: rows times ranges. Enough to spread one row over as
/// many workers; that many rows need no ranges.
constexpr int64_t lists = 128;

class Search {
public:
  Search(GroupOp group, const CacheLayouts &layouts)
      : group(group), layouts(layouts), scores(only<model::IndexScoresOp>(group)),
        select(only<model::SelectTopKOp>(group)), b(scores.getLoc(), group.getScheduleAttr()),
        heads(sizeAt(scores.getQ(), 1)), width(sizeAt(scores.getQ(), 2)),
        kept(cast<model::SelectionType>(select.getType()).getLimit()), step(b.getSchedule().getN()),
        together(std::max<int64_t>(1, b.getSchedule().getM() / heads)) {}

  Results emit(SymbolTable &symbols) {
    LaunchOp launch = searchRanges(symbols);
    return {merge(symbols, launch)};
  }

private:
  LaunchOp searchRanges(SymbolTable &symbols);
  Value merge(SymbolTable &symbols, LaunchOp ranges);

  Value rangesOf(KernelBuilder &b, Value n);
  void searchRow(Value i);
  void searchRows(Value first, Value slot, ArrayRef<Value> counts);
  void selectAll(Value i, Value count);
  void searchRange(Value first, Value slot, ArrayRef<Value> counts, Value last);
  Value scoreKeys(Value query, Value weight, Value keys, int64_t R);
  bool isCoded() { return elementOf(cache.getType()).isInteger(8); }
  TileType tile(int64_t rows, int64_t columns, Type element) {
    return TileType::get(b.loc.getContext(), rows, columns, element);
  }
  std::string name(StringRef kind) {
    return (kind + "_" + Twine(heads) + "x" + Twine(width) + "_top_" + Twine(kept) + "_" +
            elementName(scores.getKeys().getType().getElementType()))
        .str();
  }

  GroupOp group;
  const CacheLayouts &layouts;
  model::IndexScoresOp scores;
  model::SelectTopKOp select;
  KernelBuilder b; // of the first kernel
  int64_t heads, width, kept, step;
  int64_t together; // rows that read keys together
  // Memory of the first kernel, and what its units know.
  Value query, weights, flatQuery, flatWeights, cache, rows, selection, candidates, ids;
  Value n, ranges, range;
};

//===--- Scalars ------------------------------------------------------------------------------===//

Value compare(KernelBuilder &b, arith::CmpIPredicate predicate, Value left, Value right) {
  return arith::CmpIOp::create(b.body, b.loc, predicate, left, right);
}

Value isMore(KernelBuilder &b, Value left, Value right) {
  return compare(b, arith::CmpIPredicate::sgt, left, right);
}

Value isEqual(KernelBuilder &b, Value left, Value right) {
  return compare(b, arith::CmpIPredicate::eq, left, right);
}

template <typename Op> Value binary(KernelBuilder &b, Value left, Value right) {
  return Op::create(b.body, b.loc, left, right);
}

void when(KernelBuilder &b, Value condition, llvm::function_ref<void()> body,
          llvm::function_ref<void()> otherwise = {}) {
  auto branch = scf::IfOp::create(b.body, b.loc, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
  if (!otherwise)
    return;
  b.body.setInsertionPoint(branch.elseBlock()->getTerminator());
  otherwise();
}

void forRows(KernelBuilder &b, Value begin, Value end, llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b.body, b.loc, begin, end, b.index(1));
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPoint(loop.getBody()->getTerminator());
  body(loop.getInductionVar());
}

/// Every row of codes with every row of codes, i32.
Value codeProduct(KernelBuilder &b, Value left, Value right) {
  Value none = arith::ConstantOp::create(b.body, b.loc, b.body.getI32IntegerAttr(0));
  Value zero = b.splat(none, tileOf(left).getRows(), tileOf(right).getRows());
  return MmaOp::create(b.body, b.loc, left, right, zero);
}

} // namespace

/// Ranges that the keys of every row are cut into: as many as there are workers, as far as there is
/// room for their candidates. The grid then has a multiple of the workers' number of units.
Value Search::rangesOf(KernelBuilder &b, Value n) {
  Value workers = WorkersOp::create(b.top, b.loc);
  Value some = arith::MaxSIOp::create(b.top, b.loc, n, b.index(1));
  Value room = arith::DivUIOp::create(b.top, b.loc, b.index(lists), some);
  Value most = arith::MinSIOp::create(b.top, b.loc, workers, room);
  return arith::MaxSIOp::create(b.top, b.loc, most, b.index(1));
}

//===--- The first kernel ---------------------------------------------------------------------===//

LaunchOp Search::searchRanges(SymbolTable &symbols) {
  Type element = elementAt(scores.getQ()), weightType = elementAt(scores.getWeights());
  query = b.input(scores.getQ(), bufferOf({anyRows, heads, width}, element));
  weights = b.input(scores.getWeights(), bufferOf({anyRows, heads, 1}, weightType));
  cache = b.input(scores.getKeys(),
                  cacheOf(scores.getKeys().getType(), layouts.lookup(scores.getKeys())));
  rows = b.input(scores.getRows(), bufferOf(scores.getRows().getType()));
  selection = b.output(bufferOf({anyRows, kept}, b.i32));
  candidates = b.output(bufferOf({lists, kept}, b.f32));
  ids = b.output(bufferOf({lists, kept}, b.i32));
  n = b.dim(selection);
  ranges = rangesOf(b, n);
  flatQuery = b.flatten(query);
  flatWeights = b.flatten(weights);

  ValueRange unit = b.parallel({n, ranges}, {together, 1});
  Value first = unit[0];
  range = unit[1];
  if (together == 1) {
    searchRow(first);
  } else {
    Value end = binary<arith::AddIOp>(b, first, b.index(together));
    Value last = binary<arith::SubIOp>(b, n, b.index(1)), wide = {};
    wide = compare(b, arith::CmpIPredicate::sle, end, n);
    SmallVector<Value> counts;
    Value slot;
    for (int64_t r = 0; r < together; ++r) {
      Value i = binary<arith::AddIOp>(b, first, b.index(r));
      RowInfo row(b, rows, binary<arith::MinSIOp>(b, i, last));
      slot = slot ? slot : row.slot;
      wide = binary<arith::AndIOp>(b, wide, isEqual(b, slot, row.slot));
      counts.push_back(row.visible(b));
    }
    when(
        b, wide, [&] { searchRows(first, slot, counts); },
        [&] {
          forRows(b, first, binary<arith::MinSIOp>(b, end, n), [&](Value i) { searchRow(i); });
        });
  }
  Type f32 = b.f32, i32 = b.i32;
  return b.finish(symbols, name("index"), group,
                  {select.getType(), RankedTensorType::get({lists, kept}, f32),
                   RankedTensorType::get({lists, kept}, i32)});
}

void Search::searchRow(Value i) {
  RowInfo row(b, rows, i);
  searchRows(i, row.slot, row.visible(b));
}

/// Rows of one slot, by the keys that each sees. The first range writes rows that see no more than
/// they keep: nothing is scored for them.
void Search::searchRows(Value first, Value slot, ArrayRef<Value> counts) {
  when(b, isEqual(b, range, b.index(0)), [&] {
    for (auto [r, count] : llvm::enumerate(counts))
      when(b, compare(b, arith::CmpIPredicate::sle, count, b.index(kept)),
           [&] { selectAll(binary<arith::AddIOp>(b, first, b.index(r)), count); });
  });
  Value last = counts.front();
  for (Value count : counts.drop_front())
    last = binary<arith::MaxSIOp>(b, last, count);
  when(b, isMore(b, last, b.index(kept)), [&] { searchRange(first, slot, counts, last); });
}

void Search::selectAll(Value i, Value count) {
  Value numbers = IotaOp::create(b.body, b.loc, tile(1, kept, b.i32));
  Value limit = arith::IndexCastOp::create(b.body, b.loc, b.i32, count);
  Value all =
      b.map(numbers, 1, kept, b.i32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
        Value none = arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(-1));
        Value seen = arith::CmpIOp::create(s, loc, arith::CmpIPredicate::slt, x[0], limit);
        return arith::SelectOp::create(s, loc, seen, x[0], none);
      });
  b.store(all, selection, {i, b.index(0)});
}

void Search::searchRange(Value first, Value slot, ArrayRef<Value> counts, Value last) {
  int64_t R = counts.size();
  // No shorter than what is kept, so that few keys are not scattered, and made of whole lines.
  int64_t least = llvm::alignTo(std::min<int64_t>(kept, 1024), step);
  Value length = arith::CeilDivUIOp::create(b.body, b.loc, last, ranges);
  length = arith::CeilDivUIOp::create(b.body, b.loc, length, b.index(step));
  length = binary<arith::MulIOp>(b, length, b.index(step));
  length = binary<arith::MaxSIOp>(b, length, b.index(least));
  Value begin = binary<arith::MulIOp>(b, range, length);
  Value end = binary<arith::AddIOp>(b, begin, length);
  SmallVector<Value> ends;
  for (Value count : counts)
    ends.push_back(binary<arith::MinSIOp>(b, count, end));

  Value q, w;
  if (R == 1) {
    q = b.load(query, {first, b.index(0), b.index(0)}, heads, width);
    w = b.load(weights, {first, b.index(0), b.index(0)}, heads, 1);
  } else {
    Value head = binary<arith::MulIOp>(b, first, b.index(heads));
    q = b.load(flatQuery, {head, b.index(0)}, R * heads, width);
    w = b.load(flatWeights, {head, b.index(0)}, R * heads, 1);
    for (Value whole : {q, w})
      whole.getDefiningOp<LoadTileOp>().setInside(true);
  }
  if (isCoded()) {
    // A query's scale goes to its weight; a key's bytes behind the codes meet zeros.
    Codes coded = encodeRows(b, q);
    w = b.map({w, coded.scale}, R * heads, 1, b.f32,
              [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                return arith::MulFOp::create(s, loc, v[0], v[1]);
              });
    Value column = IotaOp::create(b.body, b.loc, tile(1, 4, b.i32));
    Value none = b.map(column, R * heads, 4, elementOf(cache.getType()),
                       [](OpBuilder &s, Location loc, ValueRange) -> Value {
                         return arith::ConstantOp::create(s, loc, s.getI8IntegerAttr(0));
                       });
    q = b.concat(coded.codes, none);
  }
  auto top = TopKOp::create(b.body, b.loc, TypeRange{tile(R, kept, b.i32), tile(R, kept, b.f32)},
                            begin, ends, step);
  {
    KeyLoop loop(b, top);
    Value keys = b.load(cache, {slot, loop.key}, step, columnsOf(cache.getType()));
    YieldOp::create(b.body, b.loc, scoreKeys(q, w, keys, R));
  }
  when(
      b, isEqual(b, ranges, b.index(1)),
      [&] { b.store(top.getResult(), selection, {first, b.index(0)}); },
      [&] {
        Value list = binary<arith::AddIOp>(b, binary<arith::MulIOp>(b, range, n), first);
        b.store(top.getScores(), candidates, {list, b.index(0)});
        b.store(top.getResult(), ids, {list, b.index(0)});
      });
}

/// `R x step`: for each row the weighted sum over its heads of what is positive.
Value Search::scoreKeys(Value query, Value weight, Value keys, int64_t R) {
  Value dots = isCoded() ? codeProduct(b, query, keys) : product(b, query, keys);
  Value weighted = b.map({dots, weight}, R * heads, step, b.f32,
                         [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                           Value dot = v[0];
                           if (isCoded())
                             dot = arith::SIToFPOp::create(s, loc, b.f32, dot);
                           Value zero = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(0.0f));
                           Value above =
                               arith::CmpFOp::create(s, loc, arith::CmpFPredicate::OGT, dot, zero);
                           Value positive = arith::SelectOp::create(s, loc, above, dot, zero);
                           return arith::MulFOp::create(s, loc, positive, v[1]);
                         });
  Value sum = ReduceOp::create(b.body, b.loc, tile(R, step, b.f32), Reduction::Sum, weighted, 0);
  double scale = scores.getScale().convertToDouble();
  if (!isCoded())
    return scaled(b, sum, scale);
  Value scales = WordColumnOp::create(b.body, b.loc, tile(1, step, b.f32), keys, width);
  return b.map({sum, scales}, R, step, b.f32,
               [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value all = arith::ConstantOp::create(s, loc, s.getF32FloatAttr(scale));
                 Value unit = arith::MulFOp::create(s, loc, v[1], all);
                 return arith::MulFOp::create(s, loc, v[0], unit);
               });
}

//===--- The second kernel --------------------------------------------------------------------===//

/// Lists of a row lie `n` apart, in the order of their ranges, so their ids ascend.
Value Search::merge(SymbolTable &symbols, LaunchOp launch) {
  KernelBuilder m(scores.getLoc(), group.getScheduleAttr());
  Value found = m.input(launch.getResult(1), bufferOf({lists, kept}, m.f32));
  Value numbers = m.input(launch.getResult(2), bufferOf({lists, kept}, m.i32));
  Value batch = m.input(scores.getRows(), bufferOf(scores.getRows().getType()));
  Value result = m.update(launch.getResult(0), bufferOf({anyRows, kept}, m.i32));
  Value n = m.dim(result), ranges = rangesOf(m, n);
  Value i = m.parallel({n}, {1})[0];
  Value seen = RowInfo(m, batch, i).visible(m);
  Value needed =
      binary<arith::AndIOp>(m, isMore(m, ranges, m.index(1)), isMore(m, seen, m.index(kept)));
  when(m, needed, [&] {
    int64_t whole = llvm::alignTo(kept, step);
    Value end = binary<arith::MulIOp>(m, ranges, m.index(whole));
    auto top =
        TopKOp::create(m.body, m.loc, TypeRange{tile(1, kept, m.i32)}, m.index(0), end, step);
    {
      KeyLoop loop(m, top);
      Value list = binary<arith::DivUIOp>(m, loop.key, m.index(whole));
      Value column = binary<arith::RemUIOp>(m, loop.key, m.index(whole));
      list = binary<arith::AddIOp>(m, binary<arith::MulIOp>(m, list, n), i);
      Value some = m.load(found, {list, column}, 1, step);
      Value id = m.load(numbers, {list, column}, 1, step);
      if (whole != kept) { // behind the end of a list nothing exists
        Value left = arith::IndexCastOp::create(m.body, m.loc, m.i32,
                                                binary<arith::SubIOp>(m, m.index(kept), column));
        Value number = IotaOp::create(m.body, m.loc, tile(1, step, m.i32));
        id = m.map(
            {id, number}, 1, step, m.i32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
              Value none = arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(-1));
              Value exists = arith::CmpIOp::create(s, loc, arith::CmpIPredicate::slt, x[1], left);
              return arith::SelectOp::create(s, loc, exists, x[0], none);
            });
      }
      YieldOp::create(m.body, m.loc, ValueRange{some, id});
    }
    m.store(top.getResult(), result, {i, m.index(0)});
  });
  return m.finish(symbols, name("merge"), group, {select.getType()}).getResult(0);
}

Results glm::emitIndex(GroupOp group, SymbolTable &symbols, const CacheLayouts &layouts) {
  return Search(group, layouts).emit(symbols);
}
