// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several linears as one launch. Panels of all weights are numbered one after the other, so workers
// share the sum of them, as ProductGrid.h says.
//
//   panels     | q_a 0 .. 11 | kv_a 12 .. 20 | wk 21, 22 | wp 23 |
//
// With few rows that have to be normalised first, every worker does that for itself before its
// share of the units, and nobody waits for anybody.
#include "passes/tile/Emit.h"
#include "passes/tile/ProductGrid.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

/// One linear of the launch.
struct Member {
  Value weight, rows;       // as values
  Value panels, x, y;       // memory; `x` is empty where rows are a tile
  SmallVector<Value> tiles; // rows as tiles of `k` columns each
  int64_t N, K;
};

class GroupEmitter {
public:
  explicit GroupEmitter(GroupOp group) : group(group), b(group.getLoc(), group.getScheduleAttr()) {}

  Results emit(model::LinearGroupOp op, SymbolTable &symbols);
  Results emit(model::NormLinearOp op, SymbolTable &symbols);

private:
  int64_t m() { return b.getSchedule().getM(); }
  int64_t n() { return b.getSchedule().getN(); }
  int64_t k() { return b.getSchedule().getK(); }
  int64_t unitsOf(const Member &member) { return llvm::divideCeil(member.N, n()); }

  void addMember(Value weight);
  void addOutputs(TypeRange results);
  Results finish(StringRef kind, SymbolTable &symbols, Value rowsOf);
  void emitMember(const Member &member, int64_t first, Span span, RowBlock rows);
  void emitPanel(const Member &member, Value j, RowBlock rows, Value whole);
  SmallVector<Value> normalise(model::NormLinearOp op, Value x, Type element);

  GroupOp group;
  KernelBuilder b;
  SmallVector<Member> members;
};

} // namespace

void GroupEmitter::addMember(Value weight) {
  Member member;
  member.weight = weight;
  member.N = sizeAt(weight, 0);
  member.K = sizeAt(weight, 1);
  members.push_back(member);
}

void GroupEmitter::addOutputs(TypeRange results) {
  for (Member &member : members) {
    Type element = elementAt(member.weight);
    auto panels = PanelsAttr::get(element.getContext(), n(), 32 / bitWidth(element));
    member.panels = b.input(member.weight, bufferOf({member.N, member.K}, element, panels));
  }
  for (auto [member, type] : llvm::zip(members, results))
    member.y =
        b.output(bufferOf({anyRows, member.N}, cast<RankedTensorType>(type).getElementType()));
}

/// What panels `[begin, end)` of all weights have of this member, whose first is number `first`:
/// they are gone through one by one. Rows that are whole in one block are loaded in front of them.
void GroupEmitter::emitMember(const Member &member, int64_t first, Span span, RowBlock rows) {
  auto inside = [&](Value number) -> Value {
    Value low = arith::MaxSIOp::create(b.body, b.loc, number, b.index(first));
    Value high = arith::MinSIOp::create(b.body, b.loc, low, b.index(first + unitsOf(member)));
    Value own = arith::SubIOp::create(b.body, b.loc, high, b.index(first));
    return arith::MulIOp::create(b.body, b.loc, own, b.index(n()));
  };
  Value from = inside(span.begin), to = inside(span.end);
  Value some = arith::CmpIOp::create(b.body, b.loc, arith::CmpIPredicate::slt, from, to);
  auto branch = scf::IfOp::create(b.body, b.loc, some);
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPointToStart(&branch.getThenRegion().front());
  Value whole;
  if (member.tiles.empty() && k() == member.K)
    whole = b.load(member.x, {rows.first, b.index(0)}, m(), k());
  auto loop = scf::ForOp::create(b.body, b.loc, from, to, b.index(n()));
  b.body.setInsertionPointToStart(loop.getBody());
  emitPanel(member, loop.getInductionVar(), rows, whole);
}

void GroupEmitter::emitPanel(const Member &member, Value j, RowBlock rows, Value whole) {
  Value sum = b.zeros(m(), n());
  auto multiply = [&](Value tile, Value column, Value before) -> Value {
    Value panel = b.load(member.panels, {j, column}, n(), k());
    return MmaOp::create(b.body, b.loc, tile, panel, before);
  };
  if (!member.tiles.empty()) {
    for (auto [block, tile] : llvm::enumerate(member.tiles))
      sum = multiply(tile, b.index(block * k()), sum);
  } else if (whole) {
    sum = multiply(whole, b.index(0), sum);
  } else {
    auto loop = scf::ForOp::create(b.body, b.loc, b.index(0), b.index(member.K), b.index(k()), sum);
    OpBuilder::InsertionGuard guard(b.body);
    b.body.setInsertionPointToStart(loop.getBody());
    Value column = loop.getInductionVar();
    Value tile = b.load(member.x, {rows.first, column}, m(), k());
    scf::YieldOp::create(b.body, b.loc, multiply(tile, column, loop.getRegionIterArgs()[0]));
    sum = loop.getResult(0);
  }
  b.store(b.convert(sum, elementOf(member.y.getType())), member.y, {rows.first, j}, rows.count);
}

/// `linear_group_64x40+8_bf16`: the reduced width, that of each result.
Results GroupEmitter::finish(StringRef kind, SymbolTable &symbols, Value rowsOf) {
  int64_t units = 0;
  std::string name = kind.str() + "_" + std::to_string(members.front().K) + "x";
  for (auto [index, member] : llvm::enumerate(members)) {
    units += unitsOf(member);
    name += (index ? "_" : "") + std::to_string(member.N);
  }
  name += "_" + elementName(members.front().weight.getType());
  // Rows that are a tile are one block.
  Value rows = b.dim(rowsOf), blocks = b.index(1);
  if (members.front().tiles.empty())
    blocks = countBlocks(b.top, b, rows, m(), units);
  Value groups = countGroups(b, units, blocks, /*equal=*/true);
  ValueRange unit = b.parallel({groups, blocks}, {1, 1});
  Span span = partOfRange(b, b.index(units), unit[0], groups);
  RowBlock block = rowBlock(b, rows, unit[1], blocks);
  int64_t first = 0;
  for (const Member &member : members) {
    emitMember(member, first, span, block);
    first += unitsOf(member);
  }
  return Results(b.finish(symbols, name, group, group.getResultTypes()).getResults());
}

Results GroupEmitter::emit(model::LinearGroupOp op, SymbolTable &symbols) {
  for (Value weight : op.getWeights())
    addMember(weight);
  for (auto [member, rows] : llvm::zip(members, op.getRows()))
    member.x = b.input(rows, bufferOf(rows.getType()));
  addOutputs(op.getResultTypes());
  return finish("linear_group", symbols, members.front().y);
}

/// All rows, normalised and rounded, as tiles of `k` columns that stay with the worker.
SmallVector<Value> GroupEmitter::normalise(model::NormLinearOp op, Value x, Type element) {
  int64_t K = sizeAt(op.getX(), 1);
  Value all = b.stackRows(b.dim(x), m(), K, element, [&](Value row) {
    Value wide = b.convert(b.load(x, {row, b.index(0)}, 1, K), b.f32);
    Value memory = b.input(op.getGain(), bufferOf(op.getGain().getType()));
    Value gain = b.convert(b.load(memory, b.index(0), 1, K), b.f32);
    return b.convert(rmsNorm(b, wide, gain, op.getEps().convertToDouble()), element);
  });
  SmallVector<Value> blocks;
  for (int64_t begin = 0; begin < K; begin += k())
    blocks.push_back(b.slice(all, begin, k()));
  return blocks;
}

Results GroupEmitter::emit(model::NormLinearOp op, SymbolTable &symbols) {
  Value x = b.input(op.getX(), bufferOf(op.getX().getType()));
  b.input(op.getGain(), bufferOf(op.getGain().getType()));
  for (Value weight : op.getWeights())
    addMember(weight);
  addOutputs(op.getResultTypes());
  DenseMap<Type, SmallVector<Value>> byElement;
  for (Member &member : members) {
    SmallVector<Value> &tiles = byElement[elementAt(member.weight)];
    if (tiles.empty())
      tiles = normalise(op, x, elementAt(member.weight));
    member.tiles = tiles;
  }
  return finish("norm_linear", symbols, x);
}

Results glm::emitLinearGroup(GroupOp group, SymbolTable &symbols) {
  if (auto op = only<model::NormLinearOp>(group))
    return GroupEmitter(group).emit(op, symbols);
  return GroupEmitter(group).emit(only<model::LinearGroupOp>(group), symbols);
}
