// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Columns cut out, put together, rotated; rows stacked.
#include "targets/cpu/Emitter.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// A view of the same rows, further right.
LogicalResult Emitter::emitSlice(SliceOp op) {
  if (tileOf(op.getX()).place == Tile::Place::Panels)
    return unsupported(op, "a packed tile is an operand of mma only");
  Tile tile = tileOf(op.getX());
  if (tile.place == Tile::Place::Splat) {
    tile.type = op.getType();
    tiles[op] = tile;
    return success();
  }
  // Rows that are cut off stay cut off: whoever reads the slice knows how many there are.
  if (tile.place != Tile::Place::Memory || tile.validColumns)
    tile = materialize(tile);
  if (tile.place == Tile::Place::Rows) {
    Tile copy = allocateTile(tile.type);
    write(tile, copy, /*exact=*/false);
    tile = copy;
  }
  tile.base = code.at(tile.base, int64_t(op.getBegin()) * tile.elementBytes());
  tile.type = op.getType();
  tiles[op] = tile;
  return success();
}

/// Rows in scratch, made one after the other; those that do not exist are never valid.
LogicalResult Emitter::emitStackRows(StackRowsOp op) {
  Tile tile = allocateTile(op.getType());
  Block &block = op.getBody().front();
  Value count = code.min(scalarOf(op.getCount()), tile.rows());
  LogicalResult result = success();
  code.loop(code.index(0), count, 1, [&](Value row) {
    Frame frame(*this);
    scalars.map(block.getArgument(0), row);
    result = emitBlock(block);
    if (failed(result))
      return;
    Tile place = tile;
    place.type = cast<TileType>(block.getTerminator()->getOperand(0).getType());
    place.base = rowAddress(tile, row);
    write(tileOf(block.getTerminator()->getOperand(0)), place, /*exact=*/false);
  });
  tile.validRows = count;
  tiles[op] = tile;
  return result;
}

LogicalResult Emitter::emitConcat(ConcatOp op) {
  Tile tile = allocateTile(op.getType());
  Tile left = tile, right = tile;
  left.type = op.getX().getType();
  right.type = op.getY().getType();
  right.base = code.at(tile.base, left.columns() * tile.elementBytes());
  // The left part's last vector may reach into the right part, which is written after it row by row
  // only if it keeps to its columns.
  write(tileOf(op.getX()), left, /*exact=*/true);
  write(tileOf(op.getY()), right, /*exact=*/true);
  tiles[op] = tile;
  return success();
}

//===--- Rotation ---------------------------------------------------------------------------===//

/// In a line the words of a column lie side by side: a view. Those of several lines are put
/// together.
LogicalResult Emitter::emitWordColumn(WordColumnOp op) {
  const Tile x = tileOf(op.getX());
  if (x.place != Tile::Place::Panels || x.lane != 4 || x.groupRows % lanes != 0)
    return unsupported(op, "words are taken of rows that lie in lines");
  if (x.groupRows < x.rows()) {
    Tile tile = allocateTile(op.getType());
    VectorType vector = code.vector(tile.element(), lanes);
    for (int64_t row = 0; row < x.rows(); row += lanes) {
      Value line = code.at(x.base, code.mul(x.groupStride, row / x.groupRows));
      int64_t word = op.getAt() * x.groupRows + row % x.groupRows * 4;
      code.store(code.load(vector, code.at(line, word)), code.at(tile.base, row * 4));
    }
    tiles[op] = tile;
    return success();
  }
  Tile tile;
  tile.type = op.getType();
  tile.place = Tile::Place::Memory;
  tile.base = code.at(x.base, op.getAt() * x.groupRows);
  tile.stride = code.index(0);
  tiles[op] = tile;
  return success();
}

LogicalResult Emitter::emitRotate(RotateOp op) {
  Tile place = allocateTile(op.getType());
  const Tile x = tileOf(op.getX());
  const Tile angles = materialize(tileOf(op.getAngles()));
  code.loop(0, place.rows(), 1, [&](Value row) {
    if (op.getPairing() == Pairing::Interleaved)
      rotateInterleaved(x, angles, place, row);
    else
      rotateHalves(x, angles, place, row);
  });
  tiles[op] = place;
  return success();
}

/// `x * (c0, c0, c1, c1 ...) + swapped x * (-s0, s0, -s1, s1 ...)`.
void Emitter::rotateInterleaved(const Tile &x, const Tile &angles, const Tile &place, Value row) {
  int64_t pairs = place.columns() / 2, half = lanes / 2;
  SmallVector<int64_t> swap, repeat;
  SmallVector<Attribute> signs;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    swap.push_back(lane ^ 1);
    repeat.push_back(lane / 2);
    signs.push_back(code.builder.getF32FloatAttr(lane % 2 == 0 ? -1.0 : 1.0));
  }
  VectorType type = code.vector(code.f32(), lanes);
  Value sign =
      arith::ConstantOp::create(code.builder, code.loc, DenseElementsAttr::get(type, signs));
  forColumns(place.columns(), [&](Value column, Chunk chunk) {
    Value pair = code.div(column, 2);
    Chunk part{half, std::min(half, chunk.used / 2)};
    auto repeated = [&](Value first) {
      Value values = readMemory(angles, angles.rows() == 1 ? code.index(0) : row, first, part);
      return code.shuffle(values, values, repeat);
    };
    Value value = read(x, row, column, chunk);
    Value cosine = repeated(pair);
    Value sine = code.mulf(repeated(code.add(pair, pairs)), sign);
    Value swapped = code.shuffle(value, value, swap);
    Value rotated = code.addf(code.mulf(value, cosine), code.mulf(swapped, sine));
    code.store(rotated, code.at(rowAddress(place, row), code.mul(column, 4)));
  });
}

/// Columns `j` and `j + D/2`; the right half is written after the left half's last vector.
void Emitter::rotateHalves(const Tile &x, const Tile &angles, const Tile &place, Value row) {
  int64_t pairs = place.columns() / 2;
  const Tile whole = materialize(x);
  for (bool right : {false, true})
    forColumns(pairs, [&](Value column, Chunk chunk) {
      Value a = readMemory(whole, row, column, chunk);
      Value b = readMemory(whole, row, code.add(column, pairs), chunk);
      Value angleRow = angles.rows() == 1 ? code.index(0) : row;
      Value cosine = readMemory(angles, angleRow, column, chunk);
      Value sine = readMemory(angles, angleRow, code.add(column, pairs), chunk);
      Value result;
      if (right)
        result = code.addf(code.mulf(b, cosine), code.mulf(a, sine));
      else
        result =
            arith::SubFOp::create(code.builder, code.loc, code.mulf(a, cosine), code.mulf(b, sine));
      code.store(result,
                 code.at(rowAddress(place, row), code.mul(code.add(column, right ? pairs : 0), 4)));
    });
}

} // namespace glm::cpu
