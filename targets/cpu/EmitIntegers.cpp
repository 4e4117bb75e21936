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

/// `factor * sum_k a[row, k]` over every run of every valid row, as i32: all of one row together.
Value Emitter::sumRuns(const Tile &a, int64_t run, int64_t factor) {
  int64_t runs = a.columns() / run;
  Value sums = allocate(4 * a.rows() * runs);
  Value count = a.validRows ? code.min(a.validRows, a.rows()) : code.index(a.rows());
  // Codes of a vector; a dot product with ones adds four of them into each lane.
  bool dots = machine.getInt8Dot() && lanes == 16 && run >= 16;
  int64_t step = dots ? int64_t(llvm::bit_floor(uint64_t(std::min<int64_t>(run, 64)))) : lanes;
  int64_t whole = run / step * step;
  VectorType bytes = code.vector(code.builder.getI8Type(), step);
  VectorType wide = code.vector(code.i32(), dots ? step / 4 : lanes);
  auto add = [&](Value sum, Value codes) -> Value {
    if (!dots)
      return code.add(sum, arith::ExtSIOp::create(code.builder, code.loc, wide, codes));
    std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(8 * step);
    return code.intrinsic(name, wide, {sum, code.integer(bytes, 1), codes});
  };
  code.loop(code.index(0), count, 1, [&](Value row) {
    code.loop(0, runs, 1, [&](Value number) {
      Value address = code.at(rowAddress(a, row), code.mul(number, run));
      Value sum = code.loop(code.index(0), code.index(whole), step, {code.zero(wide)},
                            [&](Value column, ValueRange carried) {
                              Value codes = code.load(bytes, code.at(address, column));
                              return Values{add(carried[0], codes)};
                            })[0];
      if (whole < run) {
        Value mask = code.firstLanes(step, run - whole);
        sum = add(sum, code.loadMasked(bytes, code.at(address, whole), mask));
      }
      Value total = code.combine(sum, [&](Value x, Value y) { return code.add(x, y); });
      code.store(code.mul(total, code.integer(code.i32(), factor)),
                 code.at(sums, code.mul(code.add(code.mul(row, runs), number), 4)));
    });
  });
  return sums;
}

/// What a code of 0 is where it is multiplied.
int64_t Emitter::offsetIn(Type codes) {
  if (codes.isInteger(4))
    return 8;
  return dotsSignedBytes() ? 0 : 128;
}

/// What sums of every run of every row start with: the part of the weight's offset, taken away.
/// `a` holds the rows.
Value Emitter::offsetsOf(MmaOp op, const Tile &a) {
  int64_t offset = offsetIn(op.getB().getType().getElementType());
  int64_t run = op.getScales() ? op.runLength() : a.columns();
  // With zeros there is a factor for each column.
  int64_t factor = op.getZeros() ? 1 : -offset;
  if (factor == 0)
    return {};
  Value &known = offsets[{op.getA(), {run, factor}}];
  if (!known)
    known = sumRuns(a, run, factor);
  return known;
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
  product.offset = offsetIn(product.b.element());
  if (op.getScales()) {
    product.scales = tileOf(op.getScales());
    product.runs = product.scales.columns();
    product.run = op.runLength();
    product.hasZeros = bool(op.getZeros());
    product.zeros = product.hasZeros ? tileOf(op.getZeros()) : product.scales;
    for (const Tile &beside : {product.scales, product.zeros})
      if (beside.place != Tile::Place::Panels || beside.lane != 1 ||
          beside.groupRows != product.b.groupRows)
        return unsupported(op, "what stands beside codes is packed as they are");
    if (product.runs > 1 && product.run % product.b.lane != 0)
      return unsupported(op, "runs of " + Twine(product.run) + " columns share words");
  }
  product.a = neededRows(op, product);
  auto ready = widened.find(op.getA());
  if (ready != widened.end()) {
    product.a = ready->second.withRows(product.a.validRows);
    product.offsets = offsetsOf(op, product.a);
  } else {
    product.a = codeRows(product.a);
    product.offsets = offsetsOf(op, product.a);
  }
  finishProduct(op, product);
  return success();
}

Value Emitter::offsetOf(const Product &product, Value row, Value run) {
  if (!product.offsets)
    return code.zero(code.vector(code.i32(), lanes));
  Value number = code.add(code.mul(row, product.runs), run);
  return code.splat(code.load(code.i32(), code.at(product.offsets, code.mul(number, 4))), lanes);
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

/// One line of the panel as words of four unsigned codes, for each of `words` words. `rows`: how
/// many rows meet it.
SmallVector<Values> Emitter::codeLines(const Product &product, Value step, Value vector,
                                       int64_t vectors, int64_t words, int64_t rows) {
  const Tile &b = product.b;
  VectorType type = code.vector(code.i32(), lanes);
  SmallVector<Values> lines(words);
  for (int64_t part = 0; part < vectors; ++part) {
    Value line = code.load(type, lineAddress(product, step, code.add(vector, part), rows));
    if (b.element().isInteger(4)) {
      Value mask = code.integer(type, 0x0f0f0f0f);
      lines[0].push_back(code.bitAnd(line, mask));
      if (words > 1)
        lines[1].push_back(code.bitAnd(code.shiftRight(line, 4), mask));
    } else {
      lines[0].push_back(b.offset != dotsSignedBytes()
                             ? line
                             : code.bitXor(line, code.integer(type, int64_t(0x80808080))));
    }
  }
  return lines;
}

/// One line of the panel into all accumulators; `half`: the columns that are left do not fill it.
Values Emitter::multiplyCodes(const Product &product, ValueRange sums, ArrayRef<Value> a,
                              Value step, Value vector, int64_t vectors, bool half) {
  const Tile &b = product.b;
  int64_t left = half ? product.depth % b.lane : b.lane, words = llvm::divideCeil(left, 4);
  SmallVector<SmallVector<Values>> lines;
  for (const Values &line : codeLines(product, step, vector, vectors, words, a.size())) {
    lines.emplace_back();
    for (Value part : line)
      lines.back().push_back(spreadLine(part));
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

/// What the sums of a run start with, for all rows of a register tile.
Values Emitter::startOfRun(const Product &product, int64_t rows, Value row, Value run, Value vector,
                           int64_t vectors) {
  Values start, factors;
  Product zeros = product;
  zeros.b = product.zeros;
  zeros.prefetch /= 16;
  VectorType type = code.vector(code.i32(), lanes);
  Value offset = code.integer(type, product.offset);
  for (int64_t part = 0; product.hasZeros && part < vectors; ++part) {
    Value address = lineAddress(zeros, run, code.add(vector, part), rows);
    Value zero = code.load(code.vector(code.builder.getI8Type(), lanes), address);
    Value wide = arith::ExtSIOp::create(code.builder, code.loc, type, zero);
    factors.push_back(code.sub(code.zero(type), code.add(wide, offset)));
  }
  for (int64_t line = 0; line < rows; ++line) {
    Value sum = offsetOf(product, code.add(row, line), run);
    for (int64_t part = 0; part < vectors; ++part)
      start.push_back(product.hasZeros ? code.mul(sum, factors[part]) : sum);
  }
  return start;
}

/// Run after run: integers while a run lasts, then a number times its scale.
Values Emitter::multiplyRuns(const Product &product, ValueRange sums, ArrayRef<Value> a, Value row,
                             Value vector, int64_t vectors) {
  int64_t steps = product.run / product.b.lane, count = product.depth / product.run;
  VectorType type = code.vector(code.f32(), lanes);
  Product lines = product; // of scales
  lines.b = product.scales;
  lines.prefetch /= 4;
  auto step = [&](Value run, ValueRange carried) {
    if (product.ahead)
      fetchAhead(product, code.mul(run, 64 * product.linesAhead));
    Values inner = startOfRun(product, a.size(), row, run, vector, vectors), next(carried);
    inner = multiplySteps(product, inner, a, code.mul(run, steps), product.run, vector, vectors);
    for (int64_t part = 0; part < vectors; ++part) {
      Value scale = code.load(type, lineAddress(lines, run, code.add(vector, part), a.size()));
      for (size_t line = 0; line < a.size(); ++line) {
        Value &sum = next[line * vectors + part];
        Value number =
            arith::SIToFPOp::create(code.builder, code.loc, type, inner[line * vectors + part]);
        sum = code.fma(number, scale, sum);
      }
    }
    return next;
  };
  return code.loop(code.index(0), code.index(count), 1, sums, step);
}

} // namespace glm::cpu
