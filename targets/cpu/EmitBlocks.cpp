// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of rows: buffers seen as matrices, tiles turned around, and bits. A bit for each key is
// kept as words in memory; read as elements, as many bits as a vector has lanes become a mask.
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

LogicalResult Emitter::emitBlockRows(BlockRowsOp op) {
  Memory memory = memories.lookup(op.getBuffer());
  ArrayRef<int64_t> shape = op.getType().getShape();
  Value blocks = code.div(code.add(memory.sizes[0], op.getRows() - 1), op.getRows());
  memory.sizes = {code.mul(blocks, op.matrices()), code.index(shape[1]), code.index(shape[2])};
  memory.type = op.getType();
  memories[op] = memory;
  return success();
}

/// A panel of all rows is what the tile's columns are as rows.
LogicalResult Emitter::emitTranspose(TransposeOp op) {
  Tile panel = pack(tileOf(op.getX()));
  Tile tile;
  tile.type = op.getType();
  tile.place = Tile::Place::Memory;
  tile.base = panel.base;
  tile.stride = code.index(panel.groupRows * 4);
  tile.padded = true;
  tiles[op] = tile;
  return success();
}

/// All ones, then a zero for each position of the list.
LogicalResult Emitter::emitHiddenBits(HiddenBitsOp op) {
  const Tile ids = materialize(tileOf(op.getIds()));
  Tile tile = allocateTile(op.getType());
  forColumns(tile.columns(), [&](Value column, Chunk chunk) {
    Type type = chunk.lanes ? Type(code.vector(code.i32(), chunk.lanes)) : code.i32();
    code.store(code.integer(type, -1), code.at(tile.base, code.mul(column, 4)));
  });
  auto idAt = [&](Value number) {
    return code.load(code.i32(), code.at(ids.base, code.mul(number, 4)));
  };
  Value count = code.index(ids.columns()), first = code.index(0);
  code.loopWhile(
      {first},
      [&](ValueRange values) {
        Value inside = code.less(values[0], count);
        return code.choose(
            inside, code.i1(),
            [&] {
              Value id = idAt(values[0]);
              return Values{
                  code.compare(arith::CmpIPredicate::sge, id, code.integer(code.i32(), 0))};
            },
            [&] { return Values{code.integer(code.i1(), 0)}; })[0];
      },
      [&](ValueRange values) {
        Value id = idAt(values[0]);
        Value place = code.at(tile.base, code.mul(code.toIndex(code.shiftRight(id, 5)), 4));
        Value bit = arith::ShLIOp::create(code.builder, code.loc, code.integer(code.i32(), 1),
                                          code.bitAnd(id, code.integer(code.i32(), 31)));
        Value rest = code.bitXor(bit, code.integer(code.i32(), -1));
        code.store(code.bitAnd(code.load(code.i32(), place), rest), place);
        return Values{code.add(values[0], 1)};
      });
  tiles[op] = tile;
  return success();
}

LogicalResult Emitter::emitUnpackBits(UnpackBitsOp op) {
  Tile tile = materialize(tileOf(op.getX()));
  if (tile.place != Tile::Place::Memory)
    return unsupported(op, "words of bits lie in memory");
  tile.place = Tile::Place::Bits;
  tile.type = op.getType();
  tiles[op] = tile;
  return success();
}

/// Zeros and ones of a vector's columns, which start at a multiple of its lanes.
Value Emitter::readBits(const Tile &tile, Value row, Value column, Chunk chunk) {
  Value line = code.at(tile.base, code.mul(row, tile.stride));
  int64_t width = std::max<int64_t>(chunk.lanes, 8);
  Type word = code.builder.getIntegerType(width);
  Value bits = code.load(word, code.at(line, code.div(column, 8)));
  if (chunk.lanes < 8) {
    Value offset = code.fromIndex(code.rem(column, 8), word);
    bits = arith::ShRUIOp::create(code.builder, code.loc, bits, offset);
  }
  if (!chunk.lanes) {
    Value bit = code.bitAnd(bits, code.integer(word, 1));
    return arith::ExtUIOp::create(code.builder, code.loc, code.i32(), bit);
  }
  if (chunk.lanes < 8)
    bits = arith::TruncIOp::create(code.builder, code.loc, code.builder.getIntegerType(chunk.lanes),
                                   bits);
  Value mask =
      LLVM::BitcastOp::create(code.builder, code.loc, code.vector(code.i1(), chunk.lanes), bits);
  return arith::ExtUIOp::create(code.builder, code.loc, code.vector(code.i32(), chunk.lanes), mask);
}

} // namespace glm::cpu
