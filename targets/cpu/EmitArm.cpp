// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products on aarch64 beyond FMA: dot products of pairs of bf16 and of fours of bytes, in NEON or
// in SVE, and products of two rows by two columns.
//
//   bfdot, sdot      a lane of the sum, a word of the line, a word of the row everywhere
//   bfmmla, smmla    sums of two rows by two columns; the words of two steps side by side
//
// A small matrix product is by definition the dot products of its first words, then those of its
// second ones: the bits are those of one row. SVE is written as vectors of fixed length in the low
// part of scalable ones, for which the code generator is told how long they are at least.
#include "targets/cpu/Product.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm::cpu {

/// Scalable vectors of SVE count in units of this.
static constexpr int64_t granule = 16;

/// `name` of three scalable vectors, on fixed ones.
static Value scalable(Code &code, StringRef name, Value sum, Value a, Value b) {
  auto widen = [&](Value fixed) -> Value {
    auto type = cast<VectorType>(fixed.getType());
    int64_t lanes = granule * 8 / type.getElementTypeBitWidth();
    auto wide = VectorType::get({lanes}, type.getElementType(), {true});
    return code.intrinsic("llvm.vector.insert", wide,
                          {code.zero(wide), fixed, code.integer(code.i64(), 0)});
  };
  Value wide = widen(sum);
  Value result = code.intrinsic(name, wide.getType(), {wide, widen(a), widen(b)});
  return code.intrinsic("llvm.vector.extract", sum.getType(),
                        {result, code.integer(code.i64(), 0)});
}

Value Emitter::armDotPairs(Value sum, Value a, Value b) {
  if (lanes > 4)
    return scalable(code, "llvm.aarch64.sve.bfdot", sum, a, b);
  return code.intrinsic("llvm.aarch64.neon.bfdot.v4f32.v8bf16", sum.getType(), {sum, a, b});
}

Value Emitter::armDotBytes(Value sum, Value a, Value b) {
  if (lanes > 4)
    return scalable(code, "llvm.aarch64.sve.sdot.nxv4i32", sum, a, b);
  return code.intrinsic("llvm.aarch64.neon.sdot.v4i32.v16i8", sum.getType(), {sum, a, b});
}

/// Whether a register tile of so many rows is multiplied in pairs of rows.
bool Emitter::usesRowPairs(const Product &product, int64_t rows) {
  bool bytes = product.integer && product.b.lane == 4;
  return machine.getMatrix() == "mmla" && rows > 1 && !product.run && product.steps() > 1 &&
         (bytes || product.dot);
}

/// One row's next eight bytes above another's.
static Value twoRows(Code &code, Value first, Value second, Value offset) {
  Value words = code.zero(code.vector(code.i64(), 2));
  const Value rows[] = {first, second};
  for (int64_t lane : {0, 1})
    words = vector::InsertOp::create(code.builder, code.loc,
                                     code.load(code.i64(), code.at(rows[lane], offset)), words,
                                     ArrayRef<int64_t>{lane});
  return words;
}

/// All whole steps of a register tile, two at a time; sums come and go as rows. Of an odd number of
/// rows the last one is its own partner.
Values Emitter::multiplyRowPairs(const Product &product, Values sums, ArrayRef<Value> a,
                                 Value vector, int64_t vectors) {
  int64_t rows = a.size(), pairs = (rows + 1) / 2, steps = product.steps(), last = steps % 2;
  Type operand = product.integer ? code.vector(code.builder.getI8Type(), 16)
                                 : code.vector(code.builder.getBF16Type(), 8);
  auto sumOf = [&](int64_t row, int64_t part) {
    return sums[std::min(row, rows - 1) * vectors + part];
  };
  Values squares;
  for (int64_t pair = 0; pair < pairs; ++pair)
    for (int64_t part = 0; part < vectors; ++part) {
      Value upper = sumOf(2 * pair, part), lower = sumOf(2 * pair + 1, part);
      squares.push_back(code.shuffle(upper, lower, {0, 1, 4, 5}));
      squares.push_back(code.shuffle(upper, lower, {2, 3, 6, 7}));
    }
  squares = code.loop(
      code.index(0), code.index(steps - last), 2, squares, [&](Value step, ValueRange carried) {
        Values next(carried), left;
        Value offset = code.mul(step, 4);
        for (int64_t pair = 0; pair < pairs; ++pair)
          left.push_back(code.bitcast(
              operand, twoRows(code, a[2 * pair], a[std::min(2 * pair + 1, rows - 1)], offset)));
        for (int64_t part = 0; part < vectors; ++part) {
          Value now = wordsOf(product, step, code.add(vector, part), rows);
          Value then = wordsOf(product, code.add(step, 1), code.add(vector, part), rows);
          static constexpr int64_t halves[2][4] = {{0, 4, 1, 5}, {2, 6, 3, 7}};
          for (int64_t half : {0, 1}) {
            Value right = code.bitcast(operand, code.shuffle(now, then, halves[half]));
            for (int64_t pair = 0; pair < pairs; ++pair) {
              Value &square = next[(pair * vectors + part) * 2 + half];
              square = code.intrinsic(product.integer ? "llvm.aarch64.neon.smmla.v4i32.v16i8"
                                                      : "llvm.aarch64.neon.bfmmla",
                                      square.getType(), {square, left[pair], right});
            }
          }
        }
        return next;
      });
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t part = 0; part < vectors; ++part) {
      Value left = squares[(row / 2 * vectors + part) * 2],
            right = squares[(row / 2 * vectors + part) * 2 + 1];
      sums[row * vectors + part] = row % 2 == 0 ? code.shuffle(left, right, {0, 1, 4, 5})
                                                : code.shuffle(left, right, {2, 3, 6, 7});
    }
  if (last)
    sums = multiplyStep(product, sums, a, code.index(steps - 1), vector, vectors, /*half=*/false);
  return sums;
}

/// A vector of a panel's line as the words that the small matrix products read.
Value Emitter::wordsOf(const Product &product, Value step, Value vector, int64_t rows) {
  Value words = code.load(code.vector(code.i32(), lanes), lineAddress(product, step, vector, rows));
  return product.integer && product.b.offset
             ? code.bitXor(words, code.integer(words.getType(), int64_t(0x80808080)))
             : words;
}

} // namespace glm::cpu
