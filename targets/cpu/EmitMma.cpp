// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products. The right operand is packed, so that one step of k is a few vectors of one sequential
// stream; the left operand's elements are broadcast from its rows where they lie. Accumulators are
// vectors carried by the loop over k: a register tile. Every element of the result is the same
// sequence of operations whatever number of rows is computed together.
//
//   f32          acc += a[k] * line            one FMA
//   bf16, dot    acc += a[k, k + 1] . line     vdpbf16ps, where the machine has it
//   bf16         acc += a[k] * low(line); acc += a[k + 1] * high(line), a widened beforehand
#include "targets/cpu/Product.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// Rows in memory; widened to f32 where the machine has no dot product of pairs.
Tile Emitter::leftOperand(const Tile &a, bool dot) {
  bool inMemory = a.place == Tile::Place::Memory || a.place == Tile::Place::Rows;
  Tile rows = inMemory && !a.validColumns ? a : materialize(a);
  if (dot || a.element().isF32())
    return rows;
  Tile wide;
  wide.type = TileType::get(a.type.getContext(), a.rows(), a.columns(), code.f32());
  wide.place = Tile::Place::Memory;
  wide.padded = true;
  // Rows a power of two apart would meet in few sets of the first cache.
  int64_t stride = llvm::alignTo(a.columns() * 4, 64) + 64;
  wide.base = allocate(stride * a.rows());
  wide.stride = code.index(stride);
  Value count = rows.validRows ? rows.validRows : code.index(a.rows());
  code.loop(code.index(0), count, 1, [&](Value row) {
    forColumns(a.columns(), [&](Value column, Chunk chunk) {
      Tile valid = rows;
      valid.validRows = {};
      Value value = code.widen(readMemory(valid, row, column, chunk));
      code.store(value, code.at(rowAddress(wide, row), code.mul(column, 4)));
    });
  });
  wide.validRows = rows.validRows;
  return wide;
}

/// A left operand that an inner loop multiplies again and again is widened once, here.
void Emitter::widenForInnerProducts(Operation *op) {
  if (machine.getBf16Dot())
    return;
  for (Value result : op->getResults()) {
    auto type = dyn_cast<TileType>(result.getType());
    if (!type || (!type.getElementType().isBF16() && !type.getElementType().isInteger(8)))
      continue;
    bool inner = llvm::any_of(result.getUsers(), [&](Operation *user) {
      auto mma = dyn_cast<MmaOp>(user);
      return mma && mma.getA() == result && mma->getBlock() != op->getBlock();
    });
    if (!inner)
      continue;
    Tile tile = tileOf(result);
    if (Value count = gathered.lookup(result))
      tile.validRows = count;
    if (Value used = rowsUsed(result))
      tile.validRows = tile.validRows ? code.min(tile.validRows, used) : used;
    if (type.getElementType().isInteger()) {
      widened[result] = codeRows(tile);
      for (Operation *user : result.getUsers())
        if (auto mma = dyn_cast<MmaOp>(user); mma && mma.getA() == result)
          offsetsOf(mma, widened[result]);
      continue;
    }
    widened[result] = hasTiles() ? evenRows(tile) : leftOperand(tile, /*dot=*/false);
  }
}

bool isInPlace(MmaOp op) {
  auto argument = dyn_cast<BlockArgument>(op.getC());
  if (!argument || !argument.hasOneUse() || !op->hasOneUse())
    return false;
  auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
  return loop && op->getBlock() == loop.getBody() && argument.getArgNumber() > 0 &&
         loop.getYieldedValues()[argument.getArgNumber() - 1] == op.getResult();
}

/// Where whole vectors may be read.
Tile Emitter::accumulator(const Tile &c) {
  if (c.place == Tile::Place::Splat)
    return c;
  Tile rows = materialize(c);
  if (rows.padded || rows.columns() % lanes == 0)
    return rows;
  Tile place = allocateTile(c.type);
  write(rows, place, /*exact=*/false);
  return place;
}

/// A scalar at this place, even if the kernel computes it further down; null if it cannot be.
Value Emitter::scalarBefore(Value value) {
  if (Value known = scalars.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions() != 0 || !isPure(op) ||
      !isa_and_nonnull<arith::ArithDialect>(op->getDialect()))
    return {};
  for (Value operand : op->getOperands())
    if (!scalarBefore(operand))
      return {};
  code.builder.clone(*op, scalars);
  early.push_back(value);
  return scalars.lookup(value);
}

/// How many leading rows of a tile are ever stored (`store_tile ... valid`); null: all.
Value Emitter::rowsStored(Value tile) {
  auto through = [&](OpOperand &use) -> Value {
    Operation *user = use.getOwner();
    if (auto store = dyn_cast<StoreTileOp>(user))
      return store.getValid() ? scalarBefore(store.getValid()) : Value();
    if (auto yield = dyn_cast<scf::YieldOp>(user)) {
      auto loop = dyn_cast<scf::ForOp>(yield->getParentOp());
      return loop ? rowsStored(loop.getResult(use.getOperandNumber())) : Value();
    }
    if (isa<MapOp, SliceOp>(user) && cast<TileType>(user->getResult(0).getType()).getRows() ==
                                         cast<TileType>(tile.getType()).getRows())
      return rowsStored(user->getResult(0));
    return {};
  };
  Value rows;
  for (OpOperand &use : tile.getUses()) {
    Value needed = through(use);
    if (!needed || (rows && needed != rows))
      return {};
    rows = needed;
  }
  return rows;
}

/// Such scalars are known in one place only; the kernel computes them again where it says so.
void Emitter::forgetEarly() {
  for (Value value : early)
    scalars.erase(value);
  early.clear();
}

/// How many leading rows of a left operand products ever need; null: all.
Value Emitter::rowsUsed(Value a) {
  Value most;
  for (Operation *user : a.getUsers()) {
    auto mma = dyn_cast<MmaOp>(user);
    Value rows = mma && mma.getA() == a ? rowsStored(mma) : Value();
    if (!rows || (most && most != rows)) {
      forgetEarly();
      return {};
    }
    most = rows;
  }
  forgetEarly();
  return most;
}

LogicalResult Emitter::emitMma(MmaOp op) {
  if (op.getA().getType().getElementType().isInteger())
    return emitIntegerMma(op);
  Product product;
  product.b = tileOf(op.getB());
  if (product.b.place != Tile::Place::Panels)
    product.b = pack(product.b);
  bool bf16 = op.getA().getType().getElementType().isBF16();
  if (product.b.lane > (bf16 ? 2 : 1))
    return unsupported(op, "panels with " + Twine(product.b.lane) + " elements a lane");
  product.dot = bf16 && machine.getBf16Dot() && product.b.element().isBF16() && product.b.lane == 2;
  product.a = neededRows(op, product);
  auto wide = widened.find(op.getA());
  if (wide != widened.end())
    product.a = wide->second.withRows(product.a.validRows);
  if (!isForTiles(product))
    product.a = leftOperand(product.a, product.dot);
  finishProduct(op, product);
  return success();
}

/// The left operand, with as many valid rows as exist and are stored.
Tile Emitter::neededRows(MmaOp op, Product &product) {
  Tile a = tileOf(op.getA());
  if (Value count = gathered.lookup(op.getA()))
    a.validRows = count;
  product.stored = rowsStored(op);
  if (product.stored)
    a.validRows = a.validRows ? code.min(a.validRows, product.stored) : product.stored;
  forgetEarly();
  return a;
}

/// Both operands are ready.
void Emitter::finishProduct(MmaOp op, Product &product) {
  product.validRows = product.a.validRows;
  product.c = accumulator(tileOf(op.getC()));
  product.result = isInPlace(op) ? product.c : allocateTile(op.getType());
  // One register tile of rows is bound by memory: of a weight when it is not full, of keys always.
  if (product.b.groupStride && (product.validRows || product.b.isCached))
    product.prefetch = machine.getPrefetch();
  emitProduct(product);
  tiles[op] = product.result;
}

/// Rows of a register tile. Sums of runs stand beside those of integers.
int64_t Emitter::rowsInRegisters(const Product &product) {
  int64_t sums = product.tileVectors * (product.run ? 2 : 1);
  return (machine.getRegisters() - product.tileVectors - 2) / sums;
}

/// All register tiles: columns outside, so that a panel's lines are read again from the first
/// cache.
void Emitter::emitProduct(Product &product) {
  int64_t vectors = llvm::divideCeil(product.result.columns(), lanes);
  product.depth = product.a.columns();
  product.tileVectors = std::min<int64_t>(vectors, machine.getRegisters() >= 32 ? 4 : 2);
  product.tileRows = std::clamp<int64_t>(rowsInRegisters(product), 1, product.validRows ? 8 : 16);
  if (isForTiles(product))
    return emitTilesIfMany(product, [&] { emitInRegisters(product); });
  emitInRegisters(product);
}

/// The same without tile registers.
void Emitter::emitInRegisters(Product &product) {
  if (isForManyRows(product)) {
    int64_t few = 2 * product.tileRows;
    code.when(
        code.less(code.index(few), product.validRows), [&] { emitManyRows(product); },
        [&] { emitRowTiles(product, few); });
  } else {
    emitRowTiles(product, product.result.rows());
  }
}

/// The first `rows` rows, register tile by register tile.
void Emitter::emitRowTiles(const Product &product, int64_t rows) {
  int64_t whole = rows / product.tileRows * product.tileRows;
  forPanels(product, [&](Value vector, int64_t count) {
    code.loop(0, whole, product.tileRows,
              [&](Value row) { emitRowBlock(product, row, vector, product.tileRows, count); });
    if (whole < rows)
      emitRowBlock(product, code.index(whole), vector, rows - whole, count);
  });
}

/// The columns of the result by the width of a register tile: first vector, how many.
void Emitter::forPanels(const Product &product,
                        llvm::function_ref<void(Value vector, int64_t count)> body) {
  int64_t vectors = llvm::divideCeil(product.result.columns(), lanes);
  int64_t whole = vectors / product.tileVectors * product.tileVectors;
  code.loop(0, whole, product.tileVectors,
            [&](Value vector) { body(vector, product.tileVectors); });
  if (whole < vectors)
    body(code.index(whole), vectors - whole);
}

/// One register tile for each number of rows that may be valid: one row costs what one row must.
void Emitter::emitRowBlock(const Product &product, Value row, Value vector, int64_t rows,
                           int64_t vectors) {
  if (!product.validRows)
    return emitRegisterTile(product, row, vector, rows, vectors);
  Value count = code.min(code.max(code.sub(product.validRows, row), code.index(0)), rows);
  auto cases = llvm::to_vector(llvm::seq<int64_t>(0, rows));
  auto choice =
      scf::IndexSwitchOp::create(code.builder, code.loc, TypeRange(), count, cases, cases.size());
  auto fill = [&](Region &region, int64_t valid) {
    OpBuilder::InsertionGuard guard(code.builder);
    code.builder.createBlock(&region);
    if (valid > 0)
      emitRegisterTile(product, row, vector, valid, vectors);
    if (valid < rows)
      copyRows(product, code.add(row, valid), code.add(row, rows), vector, vectors);
    scf::YieldOp::create(code.builder, code.loc);
  };
  for (int64_t valid : cases)
    fill(choice.getCaseRegions()[valid], valid);
  fill(choice.getDefaultRegion(), rows);
}

/// Rows of zeros add nothing.
void Emitter::copyRows(const Product &product, Value row, Value end, Value vector,
                       int64_t vectors) {
  if (product.c.base == product.result.base && product.c.base)
    return;
  if (product.stored)
    end = code.min(end, product.stored);
  code.loop(row, end, 1, [&](Value line) {
    for (int64_t part = 0; part < vectors; ++part) {
      Value column = code.mul(code.add(vector, part), lanes);
      Value value = read(product.c, line, column, Chunk{lanes, lanes});
      code.store(value, code.at(rowAddress(product.result, line), code.mul(column, 4)));
    }
  });
}

void Emitter::emitRegisterTile(const Product &product, Value row, Value vector, int64_t rows,
                               int64_t vectors) {
  Values a, sums;
  for (int64_t line = 0; line < rows; ++line) {
    Value current = code.add(row, line), scale;
    Value first = rowAddress(product.a, current);
    a.push_back(product.skip ? code.at(first, product.skip) : first);
    if (product.scale)
      scale =
          code.splat(code.load(code.f32(), code.at(product.scale, code.mul(current, 4))), lanes);
    for (int64_t part = 0; part < vectors; ++part) {
      Value sum =
          read(product.c, current, code.mul(code.add(vector, part), lanes), Chunk{lanes, lanes});
      if (product.integer && product.offsets && !product.run)
        sum = code.add(sum, offsetOf(product, current, code.index(0)));
      sums.push_back(scale ? code.mulf(sum, scale) : sum);
    }
  }
  if (product.run)
    sums = multiplyRuns(product, sums, a, row, vector, vectors);
  else
    sums = multiplySteps(product, sums, a, code.index(0), product.depth, vector, vectors);
  for (int64_t line = 0; line < rows; ++line)
    for (int64_t part = 0; part < vectors; ++part)
      code.store(sums[line * vectors + part],
                 code.at(rowAddress(product.result, code.add(row, line)),
                         code.mul(code.add(vector, part), lanes * 4)));
}

/// `columns` columns from step `first` on into all accumulators.
Values Emitter::multiplySteps(const Product &product, ValueRange sums, ArrayRef<Value> a,
                              Value first, int64_t columns, Value vector, int64_t vectors) {
  int64_t steps = columns / product.b.lane, unroll = unrolled(product, steps, a.size(), vectors);
  auto body = [&](Value step, ValueRange carried) {
    Values next(carried);
    if (product.ahead && !product.run)
      fetchAhead(product, code.mul(step, 64 * product.linesAhead / unroll));
    for (int64_t part = 0; part < unroll; ++part)
      next = multiplyStep(product, next, a, code.add(first, code.add(step, part)), vector, vectors,
                          /*half=*/false);
    return next;
  };
  Values all = usesRowPairs(product, a.size())
                   ? multiplyRowPairs(product, Values(sums), a, vector, vectors)
                   : code.loop(code.index(0), code.index(steps), unroll, sums, body);
  if (columns % product.b.lane != 0)
    all = multiplyStep(product, all, a, code.add(first, steps), vector, vectors, /*half=*/true);
  return all;
}

/// The lines of one turn, `bytes` from where the register tile's share begins.
void Emitter::fetchAhead(const Product &product, Value bytes) {
  for (int64_t line = 0; line < product.linesAhead; ++line)
    code.prefetch(code.at(product.ahead, code.add(bytes, 64 * line)));
}

/// Steps between two branches: about two dozen multiplications; twice as many in the blocks of many
/// rows, whose loops are short.
int64_t Emitter::unrolled(const Product &product, int64_t steps, int64_t rows, int64_t vectors) {
  int64_t unroll = 8, most = product.ahead ? 96 : 48;
  while (unroll > 1 && (steps % unroll != 0 || unroll * rows * vectors > most))
    unroll /= 2;
  return unroll;
}

/// Where the line of a step lies that one vector of columns meets.
Value Emitter::lineAddress(const Product &product, Value step, Value vector, int64_t rows) {
  const Tile &b = product.b;
  int64_t laneBytes = b.lane * b.element().getIntOrFloatBitWidth() / 8;
  Value first = code.mul(vector, lanes); // row of the panel's first lane
  Value offset =
      code.add(code.mul(step, product.lineBytes()),
               code.mul(b.groupStride ? code.rem(first, b.groupRows) : first, laneBytes));
  if (b.groupStride)
    offset = code.add(offset, code.mul(code.div(first, b.groupRows), b.groupStride));
  Value address = code.at(b.base, offset);
  if (product.prefetch && (rows < product.tileRows || !product.validRows))
    code.prefetch(code.at(address, product.prefetch));
  return address;
}

/// One line of the panel as vectors; of pairs that are widened, one line for each element. `rows`:
/// how many rows meet it.
SmallVector<Values> Emitter::readLines(const Product &product, Value step, Value vector,
                                       int64_t vectors, bool half, int64_t rows) {
  const Tile &b = product.b;
  bool f32 = b.element().isF32();
  SmallVector<Values> line(f32 || product.dot || b.lane == 1 || half ? 1 : 2);
  for (int64_t part = 0; part < vectors; ++part) {
    Value address = lineAddress(product, step, code.add(vector, part), rows);
    if (f32) {
      line[0].push_back(code.load(code.vector(code.f32(), lanes), address));
    } else if (product.dot) {
      line[0].push_back(code.load(code.vector(b.element(), 2 * lanes), address));
    } else if (isa<Float8E4M3FNType>(b.element())) {
      line[0].push_back(
          code.widenF8(code.load(code.vector(code.builder.getI8Type(), lanes), address)));
    } else if (b.lane == 1) {
      line[0].push_back(code.widen(code.load(code.vector(b.element(), lanes), address)));
    } else {
      Value words = code.load(code.vector(code.i32(), lanes), address);
      Type wide = code.vector(code.f32(), lanes);
      line[0].push_back(code.bitcast(wide, code.shiftLeft(words, 16)));
      if (!half)
        line[1].push_back(
            code.bitcast(wide, code.bitAnd(words, code.integer(words.getType(), 0xffff0000))));
    }
  }
  return line;
}

Value Emitter::dotPairs(Value sum, Value a, Value b) {
  if (lanes < 16)
    return armDotPairs(sum, a, b);
  return x86vector::DotBF16Op::create(code.builder, code.loc, sum, a, b);
}

/// One line of the panel into all accumulators; `half`: only the first element of a pair is left.
Values Emitter::multiplyStep(const Product &product, ValueRange sums, ArrayRef<Value> a, Value step,
                             Value vector, int64_t vectors, bool half) {
  if (product.integer)
    return multiplyCodes(product, sums, a, step, vector, vectors, half);
  const Tile &b = product.b;
  SmallVector<Values> line = readLines(product, step, vector, vectors, half, a.size());
  Values next(sums);
  for (size_t row = 0; row < a.size(); ++row) {
    for (size_t element = 0; element < line.size(); ++element) {
      Value broadcast;
      if (product.dot) {
        Value address = code.at(a[row], code.mul(step, 4));
        Value pair = half ? arith::ExtUIOp::create(code.builder, code.loc, code.i32(),
                                                   code.load(code.i16(), address))
                          : code.load(code.i32(), address);
        broadcast = code.bitcast(code.vector(b.element(), 2 * lanes), code.splat(pair, lanes));
      } else {
        Value k = code.add(code.mul(step, b.lane), element);
        broadcast = code.splat(code.load(code.f32(), code.at(a[row], code.mul(k, 4))), lanes);
      }
      for (int64_t part = 0; part < vectors; ++part) {
        Value &sum = next[row * vectors + part];
        sum = product.dot ? dotPairs(sum, broadcast, line[0][part])
                          : code.fma(broadcast, line[element][part], sum);
      }
    }
  }
  return next;
}

} // namespace glm::cpu
