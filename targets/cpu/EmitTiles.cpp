// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products in tile registers. Panels are the same as everywhere: 16 steps of a panel, each a line
// of words, are a tile of 16 rows, whose stride is the length of a line. The left operand is rows
// of bf16 or bytes as they lie, 64 bytes of 16 rows at a time.
//
//   more than 16 rows   C0 C1      two tiles of rows by two of columns
//                       C2 C3
//   up to 16            C0 C1 C2 C3, a line of a panel of 64 columns
//
// A product of bf16 is the same sequence of sums in both, and the form for few rows is the same
// instruction: the bits of a row do not depend on its company. Sums begin with zero; what there was
// before is added when they leave.
#include "targets/cpu/Product.h"
#include "targets/cpu/TileRegisters.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// A block of the result: `rows` rows from `row` on in `height` tiles, `vectors` of columns.
struct Emitter::TileBlock {
  TileRegisters &tiles;
  Value row, rows, sums; // sums: scratch for the block, rows of 256 bytes
  int64_t height;
  Tile rest; // of the left operand: columns that fill no tile, 64 bytes a row

  int64_t width() const { return height == 2 ? 2 : 4; }
  int64_t sum(int64_t below, int64_t beside) const { return below * width() + beside; }
  static int64_t left(int64_t below) { return 4 + below; }
  int64_t right(int64_t beside) const { return height == 2 ? 6 + beside : 5 + beside % 3; }
};

bool Emitter::hasTiles() { return machine.getMatrix().starts_with("amx"); }

/// Sums of runs that have scales, and codes of 4 bits, stay in vectors.
bool Emitter::isForTiles(const Product &product) {
  if (!hasTiles() || product.scale)
    return false;
  if (product.integer)
    return !product.run && product.b.lane == 4 && product.b.offset &&
           product.a.columns() >= TileRegisters::rowBytes;
  return product.a.element().isBF16() && product.b.element().isBF16() && product.b.lane == 2;
}

/// Few rows of bytes are exact without tiles, too, and faster.
void Emitter::emitTilesIfMany(const Product &product, llvm::function_ref<void()> otherwise) {
  if (!product.integer)
    return emitTileProduct(product);
  Value rows = product.validRows ? product.validRows : code.index(product.result.rows());
  code.when(
      code.less(code.index(TileRegisters::rows), rows), [&] { emitTileProduct(product); },
      otherwise);
}

/// Rows of a left operand at one distance from each other, all columns of which may be read.
Tile Emitter::evenRows(const Tile &a) {
  if (a.place == Tile::Place::Memory && !a.validColumns)
    return a;
  Tile place = allocateTile(a.type);
  write(a, place, /*exact=*/false, a.validRows);
  return place.withRows(a.validRows);
}

/// The last columns of all rows, with zeros behind them.
Tile Emitter::restOfRows(const Product &product, Value valid) {
  const Tile &a = product.a;
  int64_t inTile = TileRegisters::rowBytes / a.elementBytes();
  int64_t first = a.columns() / inTile * inTile, left = a.columns() - first;
  Tile rest;
  rest.type = TileType::get(a.type.getContext(), a.rows(), inTile, a.element());
  rest.place = Tile::Place::Memory;
  rest.stride = code.index(TileRegisters::rowBytes);
  rest.base = allocate(TileRegisters::rowBytes * a.rows());
  VectorType bytes = code.vector(code.builder.getI8Type(), TileRegisters::rowBytes);
  Value mask = code.firstLanes(TileRegisters::rowBytes, left * a.elementBytes());
  code.loop(code.index(0), valid, 1, [&](Value row) {
    Value from = code.at(rowAddress(a, row), first * a.elementBytes());
    code.store(code.loadMasked(bytes, from, mask), rowAddress(rest, row));
  });
  return rest;
}

void Emitter::emitTileProduct(Product product) {
  usedTiles = true;
  Frame frame(*this);
  product.a = evenRows(product.a);
  TileRegisters tiles(code, machine.getMatrix() == "amx-loops",
                      allocate(TileRegisters::memoryBytes));
  Value rows = code.index(product.result.rows());
  Value valid = product.validRows ? code.min(product.validRows, rows) : rows;
  TileBlock block{tiles, {}, {}, allocate(2 * TileRegisters::rows * 256), 2, {}};
  if (product.a.columns() * product.a.elementBytes() % TileRegisters::rowBytes != 0)
    block.rest = restOfRows(product, valid);
  constexpr int64_t most = 2 * TileRegisters::rows;
  auto configure = [&](Value upper, Value lower) {
    Value all = code.index(TileRegisters::rows);
    tiles.configure({upper, upper, lower, lower, upper, lower, all, all});
  };
  Value whole = code.mul(code.div(valid, most), most), left = code.sub(valid, whole);
  Value half = code.index(TileRegisters::rows);
  code.when(code.less(code.index(0), whole), [&] {
    configure(half, half);
    block.rows = code.index(most);
    code.loop(code.index(0), whole, most, [&](Value row) {
      block.row = row;
      emitTileRows(product, block);
    });
  });
  block.row = whole, block.rows = left;
  code.when(code.less(half, left), [&] {
    configure(half, code.sub(left, half));
    emitTileRows(product, block);
  });
  // All sums are of the same rows then, and three registers hold lines of the panel.
  Value some = code.less(code.index(0), left),
        few = code.less(left, code.index(TileRegisters::rows + 1));
  code.when(code.bitAnd(some, few), [&] {
    block.height = 1;
    tiles.configure({left, left, left, left, left, half, half, half});
    emitTileRows(product, block);
  });
  if (product.validRows)
    copyRows(product, valid, rows, code.index(0),
             llvm::divideCeil(product.result.columns(), lanes));
}

/// All columns of a block of rows.
void Emitter::emitTileRows(const Product &product, const TileBlock &block) {
  int64_t vectors = llvm::divideCeil(product.result.columns(), lanes);
  int64_t whole = vectors / block.width() * block.width();
  code.loop(0, whole, block.width(),
            [&](Value vector) { emitTileBlock(product, block, vector, block.width()); });
  if (whole < vectors)
    emitTileBlock(product, block, code.index(whole), vectors - whole);
}

void Emitter::emitTileBlock(const Product &product, const TileBlock &block, Value vector,
                            int64_t vectors) {
  TileRegisters &tiles = block.tiles;
  for (int64_t below = 0; below < block.height; ++below)
    for (int64_t beside = 0; beside < vectors; ++beside)
      tiles.zero(block.sum(below, beside));
  int64_t inTile = TileRegisters::rowBytes / product.a.elementBytes();
  int64_t chunks = product.a.columns() / inTile;
  Value lineBytes = code.index(product.lineBytes());
  code.loop(0, chunks, 1, [&](Value chunk) {
    Value step = code.mul(chunk, TileRegisters::rows);
    auto lines = [&](int64_t beside) {
      Value address = lineAddress(product, step, code.add(vector, beside), product.tileRows);
      for (int64_t line = 0; product.prefetch && block.height == 1 && line < 16; ++line)
        code.prefetch(code.at(address, line * product.lineBytes() + product.prefetch));
      return std::pair(address, lineBytes);
    };
    multiplyTiles(product, block, product.a, code.mul(chunk, TileRegisters::rowBytes), vectors,
                  lines);
  });
  if (block.rest.base) {
    Frame frame(*this);
    auto lines = [&](int64_t beside) {
      return std::pair(restOfLines(product, chunks * TileRegisters::rows, code.add(vector, beside)),
                       code.index(TileRegisters::rowBytes));
    };
    multiplyTiles(product, block, block.rest, code.index(0), vectors, lines);
  }
  Value stride = code.index(256);
  for (int64_t below = 0; below < block.height; ++below)
    for (int64_t beside = 0; beside < vectors; ++beside)
      tiles.store(block.sum(below, beside),
                  code.at(block.sums, below * TileRegisters::rows * 256 + beside * 64), stride);
  leaveTiles(product, block, vector, vectors);
}

/// One tile of the left operand by one of each vector of columns.
void Emitter::multiplyTiles(const Product &product, const TileBlock &block, const Tile &a,
                            Value skip, int64_t vectors,
                            llvm::function_ref<std::pair<Value, Value>(int64_t)> lines) {
  for (int64_t below = 0; below < block.height; ++below) {
    Value first = rowAddress(a, code.add(block.row, below * TileRegisters::rows));
    block.tiles.load(block.left(below), code.at(first, skip), a.stride);
  }
  for (int64_t beside = 0; beside < vectors; ++beside) {
    auto [address, stride] = lines(beside);
    block.tiles.load(block.right(beside), address, stride);
    for (int64_t below = 0; below < block.height; ++below)
      block.tiles.multiply(block.sum(below, beside), block.left(below), block.right(beside),
                           product.integer);
  }
}

/// The last lines of a panel, with lines of zeros behind them.
Value Emitter::restOfLines(const Product &product, int64_t first, Value vector) {
  int64_t left = llvm::divideCeil(product.a.columns() - first * product.b.lane, product.b.lane);
  VectorType words = code.vector(code.i32(), lanes);
  Value place = allocate(TileRegisters::rows * TileRegisters::rowBytes);
  for (int64_t line = 0; line < TileRegisters::rows; ++line) {
    Value value = code.zero(words);
    if (line < left) {
      Value step = code.index(first + line);
      value = code.load(words, lineAddress(product, step, vector, product.tileRows));
    }
    // What lies beside the last element of an odd row is no number.
    if (!product.integer && line + 1 == left && product.a.columns() % 2 != 0)
      value = code.bitAnd(value, code.integer(words, 0xffff));
    code.store(value, code.at(place, line * TileRegisters::rowBytes));
  }
  return place;
}

/// Sums of a block to the result, with what they are added to.
void Emitter::leaveTiles(const Product &product, const TileBlock &block, Value vector,
                         int64_t vectors) {
  code.loop(code.index(0), block.rows, 1, [&](Value line) {
    Value row = code.add(block.row, line);
    for (int64_t part = 0; part < vectors; ++part) {
      Value column = code.mul(code.add(vector, part), lanes);
      Value before = read(product.c, row, column, Chunk{lanes, lanes});
      Value address = code.at(block.sums, code.add(code.mul(line, 256), part * 64));
      Value sum = code.load(before.getType(), address);
      if (product.integer)
        sum = code.add(code.add(before, offsetOf(product, row, code.index(0))), sum);
      else
        sum = code.addf(before, sum);
      code.store(sum, code.at(rowAddress(product.result, row), code.mul(column, 4)));
    }
  });
}

} // namespace glm::cpu
