// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements: reading them wherever a tile is, writing them to memory, elementwise functions and
// reductions. A row is walked in whole vectors and one rest; in memory the rest is masked, in
// scratch it is padded.
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

//===--- Walking a row ----------------------------------------------------------------------===//

void Emitter::forColumns(int64_t columns, function_ref<void(Value, Chunk)> body) {
  foldColumns(columns, {}, [&](Value column, Chunk chunk, ValueRange) {
    body(column, chunk);
    return Values();
  });
}

Values Emitter::foldColumns(int64_t columns, ValueRange carried,
                            function_ref<Values(Value, Chunk, ValueRange)> body) {
  if (columns == 1)
    return body(code.index(0), Chunk{}, carried);
  int64_t whole = columns / lanes * lanes;
  Values values = code.loop(
      code.index(0), code.index(whole), lanes, carried,
      [&](Value column, ValueRange current) { return body(column, Chunk{lanes, lanes}, current); });
  if (whole < columns)
    values = body(code.index(whole), Chunk{lanes, columns - whole}, values);
  return values;
}

//===--- Reading ----------------------------------------------------------------------------===//

Value Emitter::rowAddress(const Tile &tile, Value row) {
  if (tile.place == Tile::Place::Rows)
    return code.load(code.pointer(), code.at(tile.base, code.mul(row, 8)));
  return code.at(tile.base, code.mul(row, tile.stride));
}

Value Emitter::read(const Tile &tile, Value row, Value column, Chunk chunk) {
  if (tile.rows() == 1)
    row = code.index(0);
  if (tile.columns() == 1 && chunk.lanes)
    return code.splat(read(tile, row, code.index(0), Chunk{}), chunk.lanes);
  if (tile.columns() == 1)
    column = code.index(0);
  switch (tile.place) {
  case Tile::Place::Splat:
    return chunk.lanes ? code.splat(tile.scalar, chunk.lanes) : tile.scalar;
  case Tile::Place::Iota: {
    bool real = isa<FloatType>(tile.element());
    Value first = code.fromIndex(column, real ? code.i32() : tile.element());
    if (real)
      first = arith::SIToFPOp::create(code.builder, code.loc, tile.element(), first);
    if (!chunk.lanes)
      return first;
    Value numbers = code.laneNumbers(tile.element(), chunk.lanes);
    Value start = code.splat(first, chunk.lanes);
    return real ? code.addf(start, numbers) : code.add(start, numbers);
  }
  case Tile::Place::Bits:
    return readBits(tile, row, column, chunk);
  case Tile::Place::Lazy:
    return readMap(tile.map, row, column, chunk);
  case Tile::Place::Memory:
  case Tile::Place::Rows:
    return readMemory(tile, row, column, chunk);
  case Tile::Place::Panels:
    break;
  }
  llvm_unreachable("packed tiles are operands of mma only");
}

Value Emitter::readMemory(const Tile &tile, Value row, Value column, Chunk chunk) {
  Value address = code.at(rowAddress(tile, row), code.mul(column, tile.elementBytes()));
  if (!chunk.lanes) {
    if (tile.isWhole())
      return code.load(tile.element(), address);
    Value inside = code.integer(code.i1(), 1);
    if (tile.validRows)
      inside = code.bitAnd(inside, code.less(row, tile.validRows));
    if (tile.validColumns)
      inside = code.bitAnd(inside, code.less(column, tile.validColumns));
    return code.choose(
        inside, tile.element(), [&] { return Values{code.load(tile.element(), address)}; },
        [&] { return Values{code.zero(tile.element())}; })[0];
  }
  Value mask;
  if (tile.validColumns)
    mask = code.firstLanes(chunk.lanes, code.sub(tile.validColumns, column));
  else if (!tile.padded && chunk.used < chunk.lanes)
    mask = code.firstLanes(chunk.lanes, chunk.used);
  if (tile.validRows) {
    Value inside = code.splat(code.less(row, tile.validRows), chunk.lanes);
    mask = mask ? code.bitAnd(mask, inside) : inside;
  }
  VectorType type = code.vector(tile.element(), chunk.lanes);
  return mask ? code.loadMasked(type, address, mask) : code.load(type, address);
}

/// One operation of a map's region on scalars or vectors.
Value Emitter::clone(Operation *op, IRMapping &mapping, int64_t lanes) {
  auto widened = [&](Type type) { return lanes ? Type(code.vector(type, lanes)) : type; };
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Type type = widened(constant.getType());
    if (isa<FloatType>(constant.getType()))
      return code.real(type, cast<FloatAttr>(constant.getValue()).getValueAsDouble());
    return code.integer(type, cast<IntegerAttr>(constant.getValue()).getInt());
  }
  Values operands;
  for (Value operand : op->getOperands()) {
    if (Value inner = mapping.lookupOrNull(operand)) {
      operands.push_back(inner);
      continue;
    }
    Value outer = scalarOf(operand);
    operands.push_back(lanes ? code.splat(outer, lanes) : outer);
  }
  OperationState state(code.loc, op->getName(), operands, widened(op->getResult(0).getType()),
                       op->getAttrs());
  state.propertiesAttr = op->getPropertiesAsAttribute();
  return code.builder.create(state)->getResult(0);
}

Value Emitter::readMap(MapOp map, Value row, Value column, Chunk chunk) {
  Block &body = map.getBody().front();
  IRMapping mapping;
  for (auto [argument, input] : llvm::zip(body.getArguments(), map.getInputs()))
    mapping.map(argument, read(tileOf(input), row, column, chunk));
  for (Operation &op : body.without_terminator())
    mapping.map(op.getResult(0), clone(&op, mapping, chunk.lanes));
  Value yielded = body.getTerminator()->getOperand(0);
  if (Value inner = mapping.lookupOrNull(yielded))
    return inner;
  return chunk.lanes ? code.splat(scalarOf(yielded), chunk.lanes) : scalarOf(yielded);
}

//===--- Writing ----------------------------------------------------------------------------===//

void Emitter::write(const Tile &tile, const Tile &place, bool exact, Value rows) {
  code.loop(code.index(0), rows ? rows : code.index(place.rows()), 1, [&](Value row) {
    Value address = rowAddress(place, row);
    forColumns(place.columns(), [&](Value column, Chunk chunk) {
      Value value = read(tile, row, column, chunk);
      Value target = code.at(address, code.mul(column, place.elementBytes()));
      if (exact && chunk.lanes && chunk.used < chunk.lanes)
        code.storeMasked(value, target, code.firstLanes(chunk.lanes, chunk.used));
      else
        code.store(value, target);
    });
  });
}

Tile Emitter::materialize(const Tile &tile, Value rows) {
  bool inMemory = tile.place == Tile::Place::Memory || tile.place == Tile::Place::Rows;
  if (inMemory && tile.isWhole())
    return tile;
  Tile place = allocateTile(tile.type);
  write(tile, place, /*exact=*/false, rows);
  return place;
}

//===--- Values without a place -------------------------------------------------------------===//

LogicalResult Emitter::emitSplat(SplatOp op) {
  Tile tile;
  tile.type = op.getType();
  tile.scalar = scalarOf(op.getValue());
  tiles[op] = tile;
  return success();
}

LogicalResult Emitter::emitIota(IotaOp op) {
  Tile tile;
  tile.type = op.getType();
  tile.place = Tile::Place::Iota;
  tiles[op] = tile;
  return success();
}

/// One reader in the same block that reads every element once: then it is computed there.
bool Emitter::isReadOnce(MapOp op) {
  if (!op->hasOneUse())
    return false;
  Operation *user = *op->user_begin();
  if (user->getBlock() != op->getBlock())
    return false;
  if (auto map = dyn_cast<MapOp>(user))
    return map.getType().getRows() == op.getType().getRows() &&
           map.getType().getColumns() == op.getType().getColumns();
  return isa<ReduceOp, StoreTileOp, ConcatOp, YieldOp, scf::YieldOp>(user);
}

LogicalResult Emitter::emitMap(MapOp op) {
  for (Operation &inner : op.getBody().front().without_terminator())
    if (inner.getNumRegions() != 0 || inner.getNumResults() != 1)
      return unsupported(&inner, "a map's region is made of scalar operations");
  for (Value input : op.getInputs())
    if (tileOf(input).place == Tile::Place::Panels)
      return unsupported(op, "a packed tile is an operand of mma only");
  Tile tile;
  tile.type = op.getType();
  if (tile.rows() == 1 && tile.columns() == 1) {
    tile.scalar = readMap(op, code.index(0), code.index(0), Chunk{});
  } else {
    tile.place = Tile::Place::Lazy;
    tile.map = op;
    if (!isReadOnce(op))
      tile = materialize(tile);
  }
  tiles[op] = tile;
  return success();
}

//===--- Reductions -------------------------------------------------------------------------===//

static Value combineTwo(Code &code, Reduction kind, Value a, Value b) {
  return kind == Reduction::Sum ? code.addf(a, b) : code.maximum(a, b);
}

static Value neutral(Code &code, Reduction kind, Type type) {
  return code.real(type, kind == Reduction::Sum ? 0.0 : -INFINITY);
}

/// Four running vectors, then the rest, then one tree: an order that only the width decides.
Value Emitter::reduceRow(ReduceOp op, const Tile &tile, Value row) {
  Reduction kind = op.getKind();
  int64_t columns = tile.columns(), block = 4 * lanes, blocks = columns / block * block;
  if (columns == 1)
    return read(tile, row, code.index(0), Chunk{});
  VectorType type = code.vector(code.f32(), lanes);
  Values sums(4, neutral(code, kind, type));
  sums = code.loop(
      code.index(0), code.index(blocks), block, sums, [&](Value column, ValueRange carried) {
        Values next;
        for (int64_t part = 0; part < 4; ++part) {
          Value value = read(tile, row, code.add(column, part * lanes), Chunk{lanes, lanes});
          next.push_back(combineTwo(code, kind, carried[part], value));
        }
        return next;
      });
  for (int64_t column = blocks, part = 0; column < columns; column += lanes, ++part) {
    Chunk chunk{lanes, std::min(lanes, columns - column)};
    Value value = read(tile, row, code.index(column), chunk);
    if (chunk.used < lanes)
      value = code.select(code.firstLanes(lanes, chunk.used), value, neutral(code, kind, type));
    sums[part] = combineTwo(code, kind, sums[part], value);
  }
  auto both = [&](Value a, Value b) { return combineTwo(code, kind, a, b); };
  return code.combine(both(both(sums[0], sums[1]), both(sums[2], sums[3])), both);
}

LogicalResult Emitter::emitReduce(ReduceOp op) {
  const Tile x = tileOf(op.getX());
  Tile tile;
  tile.type = op.getType();
  if (op.getDimension() == 1 && x.rows() == 1) {
    tile.scalar = reduceRow(op, x, code.index(0));
  } else if (op.getDimension() == 1) {
    tile = allocateTile(op.getType());
    code.loop(0, x.rows(), 1,
              [&](Value row) { code.store(reduceRow(op, x, row), rowAddress(tile, row)); });
  } else {
    tile = allocateTile(op.getType());
    int64_t run = x.rows() / tile.rows();
    code.loop(0, tile.rows(), 1, [&](Value group) {
      forColumns(x.columns(), [&](Value column, Chunk chunk) {
        Type type = chunk.lanes ? Type(code.vector(code.f32(), lanes)) : code.f32();
        Value first = code.mul(group, run);
        Value sum =
            code.loop(code.index(0), code.index(run), 1, {neutral(code, op.getKind(), type)},
                      [&](Value row, ValueRange carried) {
                        Value value = read(x, code.add(first, row), column, chunk);
                        return Values{combineTwo(code, op.getKind(), carried[0], value)};
                      })[0];
        code.store(sum, code.at(rowAddress(tile, group), code.mul(column, 4)));
      });
    });
  }
  tiles[op] = tile;
  return success();
}

} // namespace glm::cpu
