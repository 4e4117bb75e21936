// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of integer codes, exact in i32. Rows are signed bytes, weights lie in offset binary: one
// line is the unsigned operand of a dot product of bytes as it comes from memory, or a mask away
// from it. What the offset adds is the same for all columns of a row, `offset * sum_k a[k]`; sums
// start with it taken away.
//
//   i8           acc = dot(line, word of a)
//   i4           acc = dot(line & 0x0f..., first word); acc = dot(line >> 4 & 0x0f..., second word)
//   dot          vpdpbusd, where the machine has it; even and odd bytes as i16 into vpmaddwd;
//                sdot, of panels without their offset; byte by byte in i32 elsewhere
#include "targets/cpu/Product.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// Rows of bytes in memory, whole columns only.
Tile Emitter::codeRows(const Tile &a) {
  bool inMemory = a.place == Tile::Place::Memory || a.place == Tile::Place::Rows;
  return inMemory && !a.validColumns ? a : materialize(a);
}

/// `sum_k a[row, k]` of every valid row, as i32; null where the panel has no offset.
Value Emitter::sumRows(const Tile &a) {
  Value sums = allocate(4 * a.rows());
  Value count = a.validRows ? code.min(a.validRows, a.rows()) : code.index(a.rows());
  bool dots = machine.getInt8Dot() && lanes == 16;
  int64_t step = dots ? 4 * lanes : lanes, whole = a.columns() / step * step;
  VectorType wide = code.vector(code.i32(), lanes);
  VectorType bytes = code.vector(code.builder.getI8Type(), step);
  auto add = [&](Value sum, Value codes) -> Value {
    if (!dots)
      return code.add(sum, arith::ExtSIOp::create(code.builder, code.loc, wide, codes));
    return code.intrinsic("llvm.x86.avx512.vpdpbusd.512", wide,
                          {sum, code.integer(bytes, 1), codes});
  };
  code.loop(code.index(0), count, 1, [&](Value row) {
    Value address = rowAddress(a, row);
    Value sum = code.loop(code.index(0), code.index(whole), step, {code.zero(wide)},
                          [&](Value column, ValueRange carried) {
                            Value codes = code.load(bytes, code.at(address, column));
                            return Values{add(carried[0], codes)};
                          })[0];
    if (whole < a.columns()) {
      Value mask = code.firstLanes(step, a.columns() - whole);
      sum = add(sum, code.loadMasked(bytes, code.at(address, whole), mask));
    }
    Value total = code.combine(sum, [&](Value x, Value y) { return code.add(x, y); });
    code.store(total, code.at(sums, code.mul(row, 4)));
  });
  return sums;
}

/// Sums of the rows of codes, which products of the same rows take too.
Tile Emitter::sumsOfRows(ReduceOp op) {
  Value x = op.getX();
  if (!rowSums.contains(x)) {
    Product product;
    Tile rows = tileOf(x);
    for (Operation *user : x.getUsers())
      if (auto mma = dyn_cast<MmaOp>(user); mma && mma.getA() == x)
        rows = neededRows(mma, product);
    widened[x] = codeRows(rows);
    rowSums[x] = sumRows(widened[x]);
  }
  Tile sums;
  sums.type = op.getType();
  sums.place = Tile::Place::Memory;
  sums.base = rowSums.lookup(x);
  sums.stride = code.index(4);
  return sums;
}

LogicalResult Emitter::emitIntegerMma(MmaOp op) {
  Product product;
  product.integer = true;
  product.b = tileOf(op.getB());
  int64_t bits = product.b.element().getIntOrFloatBitWidth();
  if (product.b.place != Tile::Place::Panels || product.b.lane * bits != 32)
    return unsupported(op, "integer codes on the right are packed in words of 32 bits");
  if (bits == 4 && !product.b.offset)
    return unsupported(op, "codes of 4 bits lie in offset binary");
  product.a = neededRows(op, product);
  auto known = rowSums.find(op.getA());
  if (known != rowSums.end()) {
    product.a = widened.lookup(op.getA()).withRows(product.a.validRows);
    product.rowSums = known->second;
  } else {
    product.a = codeRows(product.a);
    product.rowSums = sumRows(product.a);
  }
  finishProduct(op, product);
  return success();
}

/// What sums of a row start with less than they should: the part of the weight's offset.
Value Emitter::offsetOf(const Product &product, Value row) {
  if (dotsSignedBytes() && !product.b.element().isInteger(4))
    return code.zero(code.vector(code.i32(), lanes));
  Value sum = code.load(code.i32(), code.at(product.rowSums, code.mul(row, 4)));
  int64_t offset = product.b.element().isInteger(4) ? 8 : 128;
  return code.splat(code.mul(sum, code.integer(code.i32(), -offset)), lanes);
}

/// Four codes of a row as one word; of the last, shorter ones the others are zero.
Value Emitter::codeWord(Value row, Value column, int64_t count) {
  Value address = code.at(row, column);
  if (count >= 4)
    return code.load(code.i32(), address);
  Value word = code.integer(code.i32(), 0);
  for (int64_t byte = 0; byte < count; ++byte) {
    Value value =
        arith::ExtUIOp::create(code.builder, code.loc, code.i32(),
                               code.load(code.builder.getI8Type(), code.at(address, byte)));
    word = code.bitOr(word, code.shiftLeft(value, 8 * byte));
  }
  return word;
}

/// The word in the form that `dotBytes` multiplies.
Values Emitter::spreadWord(Value word) {
  Type i8 = code.builder.getI8Type();
  if (machine.getInt8Dot())
    return {code.bitcast(code.vector(i8, 4 * lanes), code.splat(word, lanes))};
  if (lanes >= 8) {
    Type pairs = code.vector(code.i16(), 2 * lanes);
    Value all = code.bitcast(pairs, code.splat(word, lanes));
    auto shift = [&](Value value, bool left) -> Value {
      Value eight = code.integer(pairs, 8);
      if (left)
        return arith::ShLIOp::create(code.builder, code.loc, value, eight);
      return arith::ShRSIOp::create(code.builder, code.loc, value, eight);
    };
    return {shift(shift(all, /*left=*/true), false), shift(all, false)};
  }
  Values bytes;
  for (int64_t byte = 0; byte < 4; ++byte) {
    Value high = code.shiftLeft(word, 24 - 8 * byte);
    Value value =
        arith::ShRSIOp::create(code.builder, code.loc, high, code.integer(code.i32(), 24));
    bytes.push_back(code.splat(value, lanes));
  }
  return bytes;
}

/// A line of words of four unsigned codes in the form that `dotBytes` multiplies.
Values Emitter::spreadLine(Value line) {
  if (machine.getInt8Dot())
    return {code.bitcast(code.vector(code.builder.getI8Type(), 4 * lanes), line)};
  if (lanes >= 8) {
    Type pairs = code.vector(code.i16(), 2 * lanes);
    Value mask = code.integer(line.getType(), 0x00ff00ff);
    return {code.bitcast(pairs, code.bitAnd(line, mask)),
            code.bitcast(pairs, code.bitAnd(code.shiftRight(line, 8), mask))};
  }
  Values bytes;
  for (int64_t byte = 0; byte < 4; ++byte)
    bytes.push_back(
        code.bitAnd(code.shiftRight(line, 8 * byte), code.integer(line.getType(), 0xff)));
  return bytes;
}

/// `sum` and, in every lane, the products of a word's four codes.
Value Emitter::dotBytes(Value sum, ArrayRef<Value> line, ArrayRef<Value> word) {
  if (dotsSignedBytes())
    return armDotBytes(sum, line[0], word[0]);
  if (machine.getInt8Dot())
    return code.intrinsic("llvm.x86.avx512.vpdpbusd.512", sum.getType(), {sum, line[0], word[0]});
  for (auto [left, right] : llvm::zip_equal(line, word)) {
    if (lanes >= 8) {
      StringRef name = lanes == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
      sum = code.add(sum, code.intrinsic(name, sum.getType(), {left, right}));
    } else {
      sum = code.add(sum, code.mul(left, right));
    }
  }
  return sum;
}

/// One line of the panel into all accumulators; `half`: the columns that are left do not fill it.
Values Emitter::multiplyCodes(const Product &product, ValueRange sums, ArrayRef<Value> a,
                              Value step, Value vector, int64_t vectors, bool half) {
  const Tile &b = product.b;
  int64_t left = half ? product.depth % b.lane : b.lane, words = llvm::divideCeil(left, 4);
  VectorType type = code.vector(code.i32(), lanes);
  SmallVector<SmallVector<Values>> lines(words);
  for (int64_t part = 0; part < vectors; ++part) {
    Value address = lineAddress(product, step, code.add(vector, part), a.size());
    Value line = code.load(type, address);
    if (b.element().isInteger(4)) {
      Value mask = code.integer(type, 0x0f0f0f0f);
      lines[0].push_back(spreadLine(code.bitAnd(line, mask)));
      if (words > 1)
        lines[1].push_back(spreadLine(code.bitAnd(code.shiftRight(line, 4), mask)));
    } else {
      if (b.offset == dotsSignedBytes())
        line = code.bitXor(line, code.integer(type, int64_t(0x80808080)));
      lines[0].push_back(spreadLine(line));
    }
  }
  Values next(sums);
  for (size_t row = 0; row < a.size(); ++row)
    for (int64_t number = 0; number < words; ++number) {
      Value column = code.add(code.mul(step, b.lane), 4 * number);
      Values word = spreadWord(codeWord(a[row], column, left - 4 * number));
      for (int64_t part = 0; part < vectors; ++part) {
        Value &sum = next[row * vectors + part];
        sum = dotBytes(sum, lines[number][part], word);
      }
    }
  return next;
}

} // namespace glm::cpu
