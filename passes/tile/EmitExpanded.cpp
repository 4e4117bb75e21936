// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over expanded keys, as three kernels. All rows of a step are of one sequence, and
// `keys` is the number of its positions, which the last row sees all of.
//
//   expand   unit: a head, `n` keys. Keys as columns of a block (what mma wants on its right),
//   values
//            as rows, in panels of `k` columns (the same for the product of weights and values).
//   hide     unit: a row. One bit for each key that its selection does not have.
//   attend   unit: a head, `m` rows. Blocks of `n` keys, with rows where gathered attention has
//   heads;
//            keys behind a row or hidden from it have the score minus infinity.
//
// Keys and values stay f32: they live for one layer of one step, and most machines multiply f32.
#include "dialects/program/Program.h"
#include "passes/tile/Emit.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

/// Sizes of an attention by their letters, and its schedule.
struct Shape {
  int64_t H, D, R, V, L, limit, m, n, k;
  Type element;

  Shape(model::SparseAttentionOp op, ScheduleAttr schedule)
      : H(op.heads()), D(op.keyWidth()), R(op.ropeWidth()), V(op.valueWidth()), L(op.latentWidth()),
        limit(op.getSelection().getType().getLimit()), m(schedule.getM()), n(schedule.getN()),
        k(schedule.getK()), element(elementAt(op.getKvB())) {}

  int64_t keyWidth() const { return D + R; }
  int64_t panels() const { return llvm::divideCeil(V, k); }
  MLIRContext *context() const { return element.getContext(); }

  /// Buffers with one row a key; what a head's part of a block is in them.
  BufferType keys(Type f32) const { return bufferOf({anyRows, H * keyWidth()}, f32); }
  BufferType values(Type f32) const { return bufferOf({anyRows, H * panels() * k}, f32); }
  BufferType packedKeys(Type f32) const {
    return bufferOf({anyRows, n, keyWidth()}, f32, PanelsAttr::get(context(), n, 1));
  }
  BufferType packedValues(Type f32) const {
    return bufferOf({anyRows, V, n}, f32, PanelsAttr::get(context(), k, 1));
  }

  std::string name(StringRef kind) const {
    std::string text = kind.str() + "_" + std::to_string(H);
    for (int64_t size : {D, R, V})
      text += "x" + std::to_string(size);
    return text + "_" + elementName(element);
  }
};

Value blocked(KernelBuilder &b, Value buffer, int64_t rows, Type type) {
  return BlockRowsOp::create(b.top, b.loc, type, buffer, rows);
}

Value add(KernelBuilder &b, Value x, Value y) { return arith::AddIOp::create(b.body, b.loc, x, y); }
Value mul(KernelBuilder &b, Value x, int64_t y) {
  return arith::MulIOp::create(b.body, b.loc, x, b.index(y));
}
Value quotient(KernelBuilder &b, Value x, int64_t y) {
  return arith::DivUIOp::create(b.body, b.loc, x, b.index(y));
}
Value toI32(KernelBuilder &b, Value index) {
  return arith::IndexCastOp::create(b.body, b.loc, b.i32, index);
}
Value constant(OpBuilder &s, Location loc, TypedAttr value) {
  return arith::ConstantOp::create(s, loc, value);
}

/// Number of the matrix of head `h` in the block that holds key `t`.
Value matrixOf(KernelBuilder &b, const Shape &s, Value t, Value h) {
  return add(b, mul(b, quotient(b, t, s.n), s.H), h);
}

Value multiply(KernelBuilder &b, Value left, Value right) {
  Value zero = b.zeros(tileOf(left).getRows(), tileOf(right).getRows());
  return MmaOp::create(b.body, b.loc, left, right, zero);
}

/// Positions `t + c` of a block, -1 from `count` on.
Value positions(KernelBuilder &b, int64_t columns, Value t, Value count) {
  Value left = b.splat(toI32(b, arith::SubIOp::create(b.body, b.loc, count, t)));
  Value first = b.splat(toI32(b, t));
  Value numbers =
      IotaOp::create(b.body, b.loc, TileType::get(b.loc.getContext(), 1, columns, b.i32));
  return b.map({numbers, left, first}, 1, columns, b.i32,
               [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value inside =
                     arith::CmpIOp::create(s, loc, arith::CmpIPredicate::slt, v[0], v[1]);
                 Value position = arith::AddIOp::create(s, loc, v[0], v[2]);
                 return arith::SelectOp::create(s, loc, inside, position,
                                                constant(s, loc, s.getI32IntegerAttr(-1)));
               });
}

/// `for j = 0 to width step k: store(c * w[h, j:]^T, j)`.
void forPanels(KernelBuilder &b, const Shape &s, Value latents, Value weight, Value h,
               int64_t width, function_ref<void(Value product, Value j)> store) {
  auto loop = scf::ForOp::create(b.body, b.loc, b.index(0), b.index(width), b.index(s.k));
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPointToStart(loop.getBody());
  Value j = loop.getInductionVar();
  store(multiply(b, latents, b.load(weight, {h, j, b.index(0)}, s.k, s.L)), j);
}

Value transposed(KernelBuilder &b, Value tile) {
  TileType type = tileOf(tile);
  auto turned =
      TileType::get(b.loc.getContext(), type.getColumns(), type.getRows(), type.getElementType());
  return TransposeOp::create(b.body, b.loc, turned, tile);
}

/// What the kernel has to do and to move, for whoever measures it.
void writeCost(LaunchOp launch, const program::Expr &flop, const program::Expr &bytes) {
  launch->setAttr("flop", flop.toAttribute(launch.getContext()));
  launch->setAttr("bytes", bytes.toAttribute(launch.getContext()));
}

/// Writes `expand` in front of the group; its results are keys and values.
LaunchOp emitExpand(GroupOp group, model::SparseAttentionOp op, const Shape &s,
                    SymbolTable &symbols) {
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  OpBuilder before(group);
  auto rowsOf = [&](int64_t begin, int64_t count) -> Value {
    auto type = RankedTensorType::get({s.H, count, s.L}, s.element);
    return model::HeadRowsOp::create(before, op.getLoc(), type, op.getKvB(), begin);
  };
  auto panels = PanelsAttr::get(s.context(), s.k, 32 / bitWidth(s.element));
  Value cache = b.input(op.getLatent(),
                        CacheType::get(s.context(), s.L + s.R,
                                       op.getLatent().getType().getElementType(), Attribute()));
  Value rows = b.input(op.getRows(), bufferOf(op.getRows().getType()));
  Value up = b.input(rowsOf(0, s.D), bufferOf({s.H, s.D, s.L}, s.element, panels));
  Value down = b.input(rowsOf(s.D, s.V), bufferOf({s.H, s.V, s.L}, s.element, panels));
  Value keys = b.output(s.keys(b.f32)), values = b.output(s.values(b.f32));
  Value count = b.dim(keys);
  Value keyBlocks = blocked(b, keys, s.n, bufferOf({anyRows, s.keyWidth(), s.n}, b.f32));
  Value valueBlocks = blocked(b, values, s.n, bufferOf({anyRows, s.n, s.k}, b.f32));

  ValueRange unit = b.parallel({b.index(s.H), count}, {1, s.n});
  Value h = unit[0], t = unit[1];
  Value slot = b.position(rows, {b.index(0), b.index(1)});
  auto block = TileType::get(s.context(), s.n, s.L + s.R, elementOf(cache.getType()));
  Value cached =
      GatherRowsOp::create(b.body, b.loc, block, cache, slot, positions(b, s.n, t, count));
  Value latents = b.slice(cached, 0, s.L), rotated = b.slice(cached, s.L, s.R);
  Value matrix = matrixOf(b, s, t, h), zero = b.index(0);
  // The last panel may be wider than what is left: the rotated part is written over the rest.
  forPanels(b, s, latents, up, h, s.D, [&](Value product, Value j) {
    b.store(transposed(b, product), keyBlocks, {matrix, j, zero});
  });
  b.store(transposed(b, b.convert(rotated, b.f32)), keyBlocks, {matrix, b.index(s.D), zero});
  Value first = mul(b, matrix, s.panels());
  forPanels(b, s, latents, down, h, s.V, [&](Value product, Value j) {
    b.store(product, valueBlocks, {add(b, first, quotient(b, j, s.k)), zero, zero});
  });
  auto tensor = [&](BufferType type) -> Type {
    return RankedTensorType::get(type.getShape(), type.getElementType());
  };
  LaunchOp launch =
      b.finish(symbols, s.name("expand"), group, {tensor(s.keys(b.f32)), tensor(s.values(b.f32))});
  launch->setAttr("dim", b.top.getStringAttr("keys"));
  auto number = program::Expr::dim(b.top.getStringAttr("keys"));
  writeCost(launch, number * (2 * s.H * (s.D + s.V) * s.L),
            number * ((s.L + s.R) * bitWidth(elementOf(cache.getType())) / 8) +
                s.H * (s.D + s.V) * s.L * bitWidth(s.element) / 8);
  return launch;
}

/// Words of a row's bits: for all keys that may be expanded, and a line more, so that rows do not
/// meet in few sets of a cache.
int64_t wordsOf(GroupOp group) {
  auto module = group->getParentOfType<ModuleOp>();
  auto presets = module->getAttrOfType<DictionaryAttr>("program.presets");
  auto most = presets ? presets.getAs<IntegerAttr>("max_keys") : IntegerAttr();
  return llvm::divideCeil(most ? most.getInt() : 32768, 32) + 16;
}

/// Writes `hide` in front of the group; its result are the bits.
Value emitHide(GroupOp group, model::SparseAttentionOp op, const Shape &s, SymbolTable &symbols) {
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  int64_t words = wordsOf(group);
  Value selection = b.input(op.getSelection(), bufferOf({anyRows, s.limit}, b.i32));
  Value out = b.output(bufferOf({anyRows, words}, b.i32));
  Value i = b.parallel({b.dim(out)}, {1})[0];
  Value ids = b.load(selection, {i, b.index(0)}, 1, s.limit);
  auto type = TileType::get(s.context(), 1, words, b.i32);
  b.store(HiddenBitsOp::create(b.body, b.loc, type, ids), out, {i, b.index(0)});
  std::string name = "hide_all_but_" + std::to_string(s.limit);
  LaunchOp launch = b.finish(symbols, name, group, RankedTensorType::get({anyRows, words}, b.i32));
  return launch.getResult(0);
}

/// Scores of keys that a row sees, minus infinity for others.
Value visible(KernelBuilder &b, const Shape &s, Value scores, Value t, Value ends, Value hidden,
              double factor) {
  Value numbers = IotaOp::create(b.body, b.loc, TileType::get(s.context(), 1, s.n, b.i32));
  SmallVector<Value> tiles{scores, numbers, b.splat(toI32(b, t)), ends};
  if (hidden)
    tiles.push_back(hidden);
  return b.map(tiles, s.m, s.n, b.f32, [&](OpBuilder &o, Location loc, ValueRange v) -> Value {
    auto compare = [&](arith::CmpIPredicate how, Value x, Value y) -> Value {
      return arith::CmpIOp::create(o, loc, how, x, y);
    };
    Value key = arith::AddIOp::create(o, loc, v[1], v[2]);
    Value seen = compare(arith::CmpIPredicate::slt, key, v[3]);
    if (hidden) {
      Value none = constant(o, loc, o.getI32IntegerAttr(0));
      Value shown = compare(arith::CmpIPredicate::eq, v[4], none);
      seen = arith::AndIOp::create(o, loc, seen, shown);
    }
    Value scale = constant(o, loc, o.getF32FloatAttr(factor));
    Value never = constant(o, loc, o.getFloatAttr(o.getF32Type(), -INFINITY));
    Value scaled = arith::MulFOp::create(o, loc, v[0], scale);
    return arith::SelectOp::create(o, loc, seen, scaled, never);
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

/// Writes `attend` in front of the group; `bits` is null where nothing is hidden.
LaunchOp emitRows(GroupOp group, model::SparseAttentionOp op, const Shape &s, ValueRange expanded,
                  Value bits, SymbolTable &symbols) {
  KernelBuilder b(op.getLoc(), group.getScheduleAttr());
  Type result = elementAt(group.getResult(0));
  Value qNope = b.input(op.getQNope(), bufferOf({anyRows, s.H * s.D}, elementAt(op.getQNope())));
  Value qRope = b.input(op.getQRope(), bufferOf({anyRows, s.H * s.R}, elementAt(op.getQRope())));
  Value rows = b.input(op.getRows(), bufferOf(op.getRows().getType()));
  Value keys = b.input(expanded[0], s.keys(b.f32)), values = b.input(expanded[1], s.values(b.f32));
  Value mask = bits ? b.input(bits, bufferOf(bits.getType())) : Value();
  Value out = b.output(bufferOf({anyRows, s.H * s.V}, result));
  Value n = b.dim(out);
  Value keyBlocks = blocked(b, keys, s.n, s.packedKeys(b.f32));
  Value valueBlocks = blocked(b, values, s.n, s.packedValues(b.f32));

  ValueRange unit = b.parallel({b.index(s.H), n}, {1, s.m});
  Value h = unit[0], i = unit[1], zero = b.index(0);
  Value query = b.concat(b.convert(b.load(qNope, {i, mul(b, h, s.D)}, s.m, s.D), b.f32),
                         b.convert(b.load(qRope, {i, mul(b, h, s.R)}, s.m, s.R), b.f32));
  // Keys that a row sees: its position and one more.
  Value ends =
      b.map(b.load(rows, {i, b.index(2)}, s.m, 1), s.m, 1, b.i32,
            [](OpBuilder &o, Location loc, ValueRange v) -> Value {
              return arith::AddIOp::create(o, loc, v[0], constant(o, loc, o.getI32IntegerAttr(1)));
            });
  Value end = arith::MinSIOp::create(b.body, b.loc, add(b, i, b.index(s.m)), n);
  Value last = arith::SubIOp::create(b.body, b.loc, end, b.index(1));
  Value count = add(b, b.position(rows, {last, b.index(2)}), b.index(1));
  auto sums = TileType::get(s.context(), s.m, s.V, b.f32);
  auto softmax = OnlineSoftmaxOp::create(b.body, b.loc, sums, count, s.n, /*by_columns=*/true);
  {
    KeyLoop loop(b, softmax);
    Value matrix = matrixOf(b, s, loop.key, h);
    Value scores = multiply(b, query, b.load(keyBlocks, {matrix, zero, zero}, s.n, s.keyWidth()));
    Value hidden;
    if (mask) {
      auto type = TileType::get(s.context(), s.m, s.n, b.i32);
      Value words = b.load(mask, {i, quotient(b, loop.key, 32)}, s.m, s.n / 32);
      hidden = UnpackBitsOp::create(b.body, b.loc, type, words);
    }
    scores = visible(b, s, scores, loop.key, ends, hidden, op.getScale().convertToDouble());
    Value block = b.load(valueBlocks, {matrix, zero, zero}, s.V, s.n);
    YieldOp::create(b.body, b.loc, ValueRange{scores, block});
  }
  b.store(b.convert(softmax.getResult(), result), out, {i, mul(b, h, s.V)});
  std::string name = s.name(bits ? "attend_masked" : "attend_causal");
  if (!result.isF32())
    name += "_to_" + elementName(result);
  LaunchOp launch = b.finish(symbols, name, group, group.getResultTypes());
  writeCost(launch,
            program::Expr::dim(b.top.getStringAttr("seen_keys")) * (2 * s.H * (s.keyWidth() + s.V)),
            0);
  return launch;
}

} // namespace

Results glm::emitAttendExpanded(GroupOp group, SymbolTable &symbols) {
  auto op = only<model::SparseAttentionOp>(group);
  Shape shape(op, group.getScheduleAttr());
  LaunchOp expanded = emitExpand(group, op, shape, symbols);
  Value bits;
  if (!op.getSelection().getDefiningOp<model::SelectVisibleOp>())
    bits = emitHide(group, op, shape, symbols);
  return Results(emitRows(group, op, shape, expanded.getResults(), bits, symbols).getResults());
}
