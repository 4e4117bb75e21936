// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows turned into a panel: what a product needs of its right operand. Words of 32 bits (one f32 or
// two bf16) are transposed in squares of one vector by one vector.
#include "targets/cpu/Emitter.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// Vectors as rows of a square; the vectors of its columns, by interleaving halves log2 times.
Values Emitter::transpose(Values vectors) {
  int64_t count = vectors.size();
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < count / 2; ++lane) {
    low.append({lane, count + lane});
    high.append({count / 2 + lane, count + count / 2 + lane});
  }
  for (int64_t width = 1; width < count; width *= 2) {
    Values next;
    for (int64_t row = 0; row < count / 2; ++row) {
      next.push_back(code.shuffle(vectors[row], vectors[row + count / 2], low));
      next.push_back(code.shuffle(vectors[row], vectors[row + count / 2], high));
    }
    vectors = next;
  }
  return vectors;
}

void Emitter::packBlock(const Tile &words, const Tile &place, Value word, int64_t used) {
  Type type = code.vector(code.i32(), lanes);
  for (int64_t group = 0; group * lanes < words.rows(); ++group) {
    Values rows;
    for (int64_t row = group * lanes; row < (group + 1) * lanes; ++row)
      rows.push_back(row < words.rows()
                         ? readMemory(words, code.index(row), word, Chunk{lanes, used})
                         : code.zero(type));
    Values columns = transpose(rows);
    for (int64_t column = 0; column < used; ++column) {
      Value line = code.mul(code.add(word, column), place.groupRows * 4);
      code.store(columns[column], code.at(code.at(place.base, line), group * lanes * 4));
    }
  }
}

Tile Emitter::pack(const Tile &tile) {
  Tile rows = materialize(tile);
  int64_t lane = 4 / rows.elementBytes();
  if (rows.columns() % lane != 0) {
    // An odd row of bf16 gets a zero, so that it is a row of words.
    Tile even = allocateTile(
        TileType::get(tile.type.getContext(), rows.rows(), rows.columns() + 1, rows.element()));
    code.loop(0, rows.rows(), 1, [&](Value row) {
      Value last = code.at(rowAddress(even, row), rows.columns() * rows.elementBytes());
      code.store(code.zero(rows.element()), last);
    });
    Tile target = even;
    target.type = rows.type;
    write(rows, target, /*exact=*/true);
    rows = even;
  }
  Tile words = rows;
  words.type =
      TileType::get(tile.type.getContext(), rows.rows(), rows.columns() / lane, code.i32());
  Tile place;
  place.type = tile.type;
  place.place = Tile::Place::Panels;
  place.groupRows = llvm::alignTo(rows.rows(), lanes);
  place.lane = lane;
  place.base = allocate(place.groupRows * 4 * words.columns());
  int64_t whole = words.columns() / lanes * lanes;
  code.loop(0, whole, lanes, [&](Value word) { packBlock(words, place, word, lanes); });
  if (whole < words.columns())
    packBlock(words, place, code.index(whole), words.columns() - whole);
  return place;
}

} // namespace glm::cpu
