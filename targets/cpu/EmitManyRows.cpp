// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of more rows than a register tile or two. The reduced dimension is cut into blocks that
// stay in the first cache; a block of the right operand is expanded to what the instructions read
// once, into scratch, and all rows of the tile meet it there:
//
//   for block of k                          ~ 2/3 of L1
//     expand the block                      to f32 where pairs are not multiplied, 4 bits to bytes
//     for register tile of rows             while the next block of the weight is fetched
//       result += a[rows, block] * block
//
// Sums wait in the result between two blocks: every element is the same chain of operations as with
// one row, so its bits are the same.
#include "targets/cpu/Product.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// Whether the block of a right operand can be cut and expanded here.
bool Emitter::isForManyRows(const Product &product) {
  Type element = product.b.element();
  bool suits = product.integer ? product.b.offset
                               : element.isF32() || (element.isBF16() && product.b.lane == 2);
  return product.validRows && !product.scale && suits &&
         product.result.rows() > 2 * product.tileRows && product.depth % product.b.lane == 0;
}

/// Whether a line becomes several before rows meet it.
bool Emitter::expands(const Product &product) {
  Type element = product.b.element();
  return product.integer ? element.isInteger(4) : !product.dot && !element.isF32();
}

/// Steps of a block: what fills its share of the first cache, evenly if that is near, and whole
/// runs.
int64_t Emitter::stepsOfBlock(const Product &product, int64_t vectors) {
  int64_t stepBytes = vectors * lanes * 4 * (expands(product) ? 2 : 1);
  int64_t unit = product.run ? product.run / product.b.lane : 1;
  int64_t most = machine.getL1() * 2 / 3 / stepBytes;
  most =
      std::max<int64_t>(unit > 1 ? most / unit * unit : most / 8 * 8, std::max<int64_t>(8, unit));
  for (int64_t steps = std::min(most, product.steps()); steps > most / 2; --steps)
    if (product.steps() % steps == 0 && steps % unit == 0)
      return steps;
  return std::min(most, product.steps());
}

/// Sums start where they end, those of integers with their offset.
void Emitter::startSums(Product &product) {
  bool isSum = product.integer && !product.run && product.offsets;
  if (isSum) {
    code.loop(code.index(0), product.validRows, 1, [&](Value row) {
      Value offset = offsetOf(product, row, code.index(0));
      code.loop(0, llvm::alignTo(product.result.columns(), lanes), lanes, [&](Value column) {
        Value sum = read(product.c, row, column, Chunk{lanes, lanes});
        code.store(code.add(sum, offset),
                   code.at(rowAddress(product.result, row), code.mul(column, 4)));
      });
    });
    product.offsets = {};
  } else if (!product.c.base || product.c.base != product.result.base) {
    write(product.c, product.result, /*exact=*/false, product.validRows);
  }
  product.c = product.result;
}

void Emitter::emitManyRows(Product product) {
  product.validRows = code.min(product.validRows, product.result.rows());
  startSums(product);
  product.prefetch = 0;
  // Narrow tiles may be as high as registers allow: there is no other form of them to hold in code.
  product.tileRows = std::clamp<int64_t>(rowsInRegisters(product), product.tileRows, 12);
  forPanels(product, [&](Value vector, int64_t count) {
    int64_t steps = stepsOfBlock(product, count), whole = product.steps() / steps * steps;
    code.loop(0, whole, steps,
              [&](Value first) { multiplyBlock(product, first, steps, vector, count); });
    if (whole < product.steps())
      multiplyBlock(product, code.index(whole), product.steps() - whole, vector, count);
  });
}

/// `steps` steps from `first` on of `vectors` vectors of columns, for all rows.
void Emitter::multiplyBlock(const Product &product, Value first, int64_t steps, Value vector,
                            int64_t vectors) {
  Frame frame(*this);
  Product block = product;
  block.depth = steps * product.b.lane;
  block.skip = code.mul(first, product.b.lane * product.a.elementBytes());
  Value next = code.at(product.b.base, code.mul(code.add(first, steps), product.lineBytes()));
  if (expands(product))
    block.b = expandBlock(product, first, steps, vector, vectors);
  else
    block.b.base = code.at(product.b.base, code.mul(first, product.lineBytes()));
  int64_t turns = 0;
  block.ahead = next;
  if (product.run) {
    Value run = code.div(first, product.run / product.b.lane);
    if (product.offsets)
      block.offsets = code.at(product.offsets, code.mul(run, 4));
    block.zeros.base = code.at(product.zeros.base, code.mul(run, product.zeros.groupRows));
    block.scales.base = code.at(product.scales.base, code.mul(run, product.scales.groupRows * 4));
    turns = block.depth / product.run;
  } else {
    turns = block.steps() / unrolled(block, block.steps(), product.tileRows, vectors);
  }
  // A register tile fetches a line of the cache or two between two branches.
  block.linesAhead = product.integer ? 2 : 1;
  int64_t lines = turns * block.linesAhead;
  int64_t last = std::max<int64_t>(steps * product.lineBytes() - lines * 64, 0);
  int64_t rest = product.tileRows;
  Value whole = code.mul(code.div(product.validRows, rest), rest);
  code.loop(code.index(0), whole, rest, [&](Value row) {
    block.ahead = code.at(next, code.min(code.mul(code.div(row, rest), lines * 64), last));
    emitRegisterTile(block, row, vector, rest, vectors);
  });
  block.ahead = {};
  block.validRows = code.sub(product.validRows, whole);
  auto cases = llvm::to_vector(llvm::seq<int64_t>(1, rest));
  auto choice = scf::IndexSwitchOp::create(code.builder, code.loc, TypeRange(), block.validRows,
                                           cases, cases.size());
  auto fill = [&](Region &region, int64_t rows) {
    OpBuilder::InsertionGuard guard(code.builder);
    code.builder.createBlock(&region);
    if (rows > 0)
      emitRegisterTile(block, whole, vector, rows, vectors);
    scf::YieldOp::create(code.builder, code.loc);
  };
  for (auto [index, rows] : llvm::enumerate(cases))
    fill(choice.getCaseRegions()[index], rows);
  fill(choice.getDefaultRegion(), 0);
}

/// Pairs of bf16 as two lines of f32, words of eight codes as two of four: all of it exact.
Tile Emitter::expandBlock(const Product &product, Value first, int64_t steps, Value vector,
                          int64_t vectors) {
  int64_t lineBytes = vectors * lanes * 4;
  Value base = allocate(2 * steps * lineBytes);
  Product pairs = product;
  pairs.prefetch = 0;
  int64_t together = steps % 4 == 0 ? 4 : 1;
  code.loop(0, steps, together, [&](Value step) {
    for (int64_t part = 0; part < together; ++part) {
      Value at = code.add(step, part), from = code.add(first, at);
      auto lines = product.integer ? codeLines(pairs, from, vector, vectors, /*words=*/2, 0)
                                   : readLines(pairs, from, vector, vectors, /*half=*/false, 0);
      for (auto [element, line] : llvm::enumerate(lines))
        for (auto [column, value] : llvm::enumerate(line))
          code.store(value,
                     code.at(base, code.add(code.mul(at, 2 * lineBytes),
                                            int64_t(element * lineBytes + column * lanes * 4))));
    }
  });
  Tile block;
  Type element = product.integer ? code.builder.getI8Type() : code.f32();
  block.lane = product.b.lane / 2;
  block.type =
      TileType::get(product.b.type.getContext(), vectors * lanes, 2 * steps * block.lane, element);
  block.place = Tile::Place::Panels;
  block.offset = product.integer && !dotsSignedBytes(); // codes as they are
  block.groupRows = vectors * lanes;
  // Columns are numbered from the product's first.
  block.base = code.at(base, code.mul(vector, -lanes * 4));
  return block;
}

} // namespace glm::cpu
