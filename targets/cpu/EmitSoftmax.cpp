// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over a stream of keys. For each block of keys: the running maximum, weights, the sum of
// weights, then weights times rows into accumulators that were scaled by what the maximum moved.
// Keys that do not exist weigh nothing and their rows are not read.
//
// With columns instead of rows the same is a product of two large tiles: rows of a batch stand
// where heads stood, and weights meet a packed block of values.
#include "targets/cpu/Product.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

struct Emitter::Attention {
  Tile weights;                // heads x step, f32
  Tile sums;                   // heads x columns, f32
  Value maximum, total, scale; // addresses, one f32 a head
};

LogicalResult Emitter::emitSoftmax(OnlineSoftmaxOp op) {
  Block &body = op.getBody().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  TileType result = op.getType();
  int64_t heads = result.getRows(), step = op.getStep();
  MLIRContext *context = op.getContext();
  Attention state;
  state.sums = allocateTile(result);
  state.weights = allocateTile(TileType::get(context, heads, step, code.f32()));
  for (Value *address : {&state.maximum, &state.total, &state.scale})
    *address = allocate(4 * heads);
  code.loop(0, heads, 1, [&](Value head) {
    code.store(code.real(code.f32(), -INFINITY), code.at(state.maximum, code.mul(head, 4)));
    code.store(code.real(code.f32(), 0), code.at(state.total, code.mul(head, 4)));
  });
  Tile zero;
  zero.type = result;
  zero.scalar = code.real(code.f32(), 0);
  write(zero, state.sums, /*exact=*/false);
  Value count = scalarOf(op.getCount());
  LogicalResult emitted = forKeys(body, code.index(0), count, step, [&](Value position) {
    const Tile scores = tileOf(yield.getValues()[0]);
    Value valid = code.min(code.sub(count, position), step);
    code.loop(0, heads, 1, [&](Value head) { weighKeys(state, scores, head, valid); });
    const Tile given = tileOf(yield.getValues()[1]);
    if (op.getByColumns())
      addColumns(state, given);
    else
      addRows(state, widenRows(materialize(given), result.getColumns(), valid), valid);
  });
  // A head without keys has a total of 0 and sums of 0.
  code.loop(0, heads, 1, [&](Value head) {
    Value total = code.load(code.f32(), code.at(state.total, code.mul(head, 4)));
    Value none = arith::CmpFOp::create(code.builder, code.loc, arith::CmpFPredicate::OEQ, total,
                                       code.real(code.f32(), 0));
    total = code.select(none, code.real(code.f32(), 1), total);
    forColumns(result.getColumns(), [&](Value column, Chunk chunk) {
      Value sum = readMemory(state.sums, head, column, chunk);
      Value divisor = chunk.lanes ? code.splat(total, chunk.lanes) : total;
      Value mean = arith::DivFOp::create(code.builder, code.loc, sum, divisor);
      code.store(mean, code.at(rowAddress(state.sums, head), code.mul(column, 4)));
    });
  });
  tiles[op] = state.sums;
  return emitted;
}

/// The region of an op that owns a loop over keys, then `use`, for every block of keys.
LogicalResult Emitter::forKeys(Block &body, Value begin, Value end, int64_t step,
                               llvm::function_ref<void(Value position)> use) {
  LogicalResult emitted = success();
  code.loop(begin, end, step, [&](Value position) {
    Frame frame(*this);
    scalars.map(body.getArgument(0), position);
    emitted = emitBlock(body);
    if (succeeded(emitted))
      use(position);
  });
  return emitted;
}

/// One head: new maximum, weights of the block's keys, their sum.
void Emitter::weighKeys(const Attention &state, const Tile &scores, Value head, Value valid) {
  Type f32 = code.f32();
  Value address = rowAddress(state.weights, head), offset = code.mul(head, 4);
  Value low = code.real(f32, -INFINITY);
  auto largest = [&](Value a, Value b) { return code.maximum(a, b); };
  auto sum = [&](Value a, Value b) { return code.addf(a, b); };
  int64_t step = scores.columns();
  bool single = step == 1;
  Type type = single ? f32 : Type(code.vector(f32, lanes));
  Value best = single ? low : code.splat(low, lanes);
  best = foldColumns(step, {best}, [&](Value column, Chunk chunk, ValueRange carried) {
    Value score = read(scores, head, column, chunk);
    if (!single)
      score = code.select(code.firstLanes(lanes, code.min(code.sub(valid, column), chunk.used)),
                          score, code.splat(low, lanes));
    code.store(score, code.at(address, code.mul(column, 4)));
    return Values{code.maximum(score, carried[0])};
  })[0];
  Value before = code.load(f32, code.at(state.maximum, offset));
  Value now = code.maximum(single ? best : code.combine(best, largest), before);
  // While there is no key, all weights are exp(-inf): infinity must not be taken from infinity.
  Value none = arith::CmpFOp::create(code.builder, code.loc, arith::CmpFPredicate::OEQ, now, low);
  Value origin = code.select(none, code.real(f32, 0), now);
  Value scale = code.exp(arith::SubFOp::create(code.builder, code.loc, before, origin));
  code.store(now, code.at(state.maximum, offset));
  code.store(scale, code.at(state.scale, offset));
  Value shift = single ? origin : code.splat(origin, lanes);
  Value total = foldColumns(step, {code.zero(type)}, [&](Value column, Chunk, ValueRange carried) {
    Value target = code.at(address, code.mul(column, 4));
    Value score = code.load(type, target);
    Value distance = arith::SubFOp::create(code.builder, code.loc, score, shift);
    // A weight below the normal range adds nothing and makes every product with it a slow one.
    Value negligible = arith::CmpFOp::create(code.builder, code.loc, arith::CmpFPredicate::OLT,
                                             distance, code.real(type, -87));
    Value weight = code.select(negligible, code.zero(type), code.exp(distance));
    code.store(weight, target);
    return Values{code.addf(weight, carried[0])};
  })[0];
  Value running = code.load(f32, code.at(state.total, offset));
  running = code.addf(code.mulf(running, scale), single ? total : code.combine(total, sum));
  code.store(running, code.at(state.total, offset));
}

/// bf16 rows as f32, once for all blocks of heads.
Tile Emitter::widenRows(const Tile &rows, int64_t columns, Value valid) {
  if (rows.element().isF32())
    return rows;
  Tile wide = allocateTile(TileType::get(rows.type.getContext(), rows.rows(), columns, code.f32()));
  code.loop(code.index(0), valid, 1, [&](Value row) {
    Value from = rowAddress(rows, row), to = rowAddress(wide, row);
    forColumns(columns, [&](Value column, Chunk chunk) {
      // As long as the row goes on, whole vectors may be read.
      Tile line = rows;
      line.place = Tile::Place::Memory;
      line.base = from;
      line.stride = code.index(0);
      line.padded = rows.padded || columns + lanes - chunk.used <= rows.columns();
      Value value = readMemory(line, code.index(0), column, chunk);
      code.store(code.widen(value), code.at(to, code.mul(column, 4)));
    });
  });
  return wide;
}

/// `sums = sums * scale + weights * rows`, in register tiles of heads by columns.
void Emitter::addRows(const Attention &state, const Tile &rows, Value valid) {
  int64_t heads = state.sums.rows(), columns = state.sums.columns();
  int64_t registers = machine.getRegisters();
  int64_t most = std::min<int64_t>(llvm::divideCeil(columns, lanes), registers >= 32 ? 4 : 2);
  int64_t blockHeads = std::clamp<int64_t>((registers - most - 2) / most, 1, 8);
  auto block = [&](Value column, ArrayRef<Chunk> chunks) {
    int64_t whole = heads / blockHeads * blockHeads;
    code.loop(0, whole, blockHeads,
              [&](Value head) { addBlock(state, rows, valid, head, column, blockHeads, chunks); });
    if (whole < heads)
      addBlock(state, rows, valid, code.index(whole), column, heads - whole, chunks);
  };
  int64_t width = most * lanes, whole = columns / width * width;
  SmallVector<Chunk> full(most, Chunk{lanes, lanes}), rest;
  code.loop(0, whole, width, [&](Value column) { block(column, full); });
  // Whole vectors of the rows may be read as long as the rows go on.
  for (int64_t column = whole; column < columns; column += lanes)
    rest.push_back(Chunk{lanes, rows.padded ? lanes : std::min(lanes, rows.columns() - column)});
  if (!rest.empty())
    block(code.index(whole), rest);
}

/// `sums = sums * scale + weights * columns`: a product, one scale a row.
void Emitter::addColumns(const Attention &state, const Tile &columns) {
  Product product;
  product.a = state.weights;
  product.b = columns.place == Tile::Place::Panels ? columns : pack(columns);
  product.c = product.result = state.sums;
  product.scale = state.scale;
  emitProduct(product);
}

void Emitter::addBlock(const Attention &state, const Tile &rows, Value valid, Value head,
                       Value column, int64_t heads, ArrayRef<Chunk> chunks) {
  int64_t parts = chunks.size();
  Values sums, addresses;
  for (int64_t line = 0; line < heads; ++line) {
    Value current = code.add(head, line);
    Value scale = code.load(code.f32(), code.at(state.scale, code.mul(current, 4)));
    addresses.push_back(code.at(rowAddress(state.sums, current), code.mul(column, 4)));
    for (int64_t part = 0; part < parts; ++part)
      sums.push_back(code.mulf(
          code.load(code.vector(code.f32(), lanes), code.at(addresses.back(), part * lanes * 4)),
          code.splat(scale, lanes)));
  }
  sums = code.loop(code.index(0), valid, 1, sums, [&](Value key, ValueRange carried) {
    Values next(carried), row;
    for (int64_t part = 0; part < parts; ++part)
      row.push_back(readMemory(rows, key, code.add(column, part * lanes), chunks[part]));
    for (int64_t line = 0; line < heads; ++line) {
      Value address = code.at(rowAddress(state.weights, code.add(head, line)), code.mul(key, 4));
      Value weight = code.splat(code.load(code.f32(), address), lanes);
      for (int64_t part = 0; part < parts; ++part)
        next[line * parts + part] = code.fma(weight, row[part], next[line * parts + part]);
    }
    return next;
  });
  for (int64_t line = 0; line < heads; ++line)
    for (int64_t part = 0; part < parts; ++part)
      code.store(sums[line * parts + part], code.at(addresses[line], part * lanes * 4));
}

} // namespace glm::cpu
