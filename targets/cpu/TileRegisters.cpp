// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "targets/cpu/TileRegisters.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace glm::cpu {

static void instruction(Code &code, StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(code.builder, code.loc, code.builder.getStringAttr(name), operands);
}

/// The number of a register is part of the instruction.
static Value number(Code &code, int64_t tile) {
  return LLVM::ConstantOp::create(code.builder, code.loc, code.builder.getI8Type(), tile);
}

static Value word(Code &code, Value index) { return code.fromIndex(index, code.i64()); }

/// The 64 bytes that LDTILECFG reads: palette 1, bytes of a row from 16 on, rows from 48 on.
void TileRegisters::configure(ArrayRef<Value> validRows) {
  valid.assign(validRows.begin(), validRows.end());
  if (asLoops) {
    for (int64_t tile = 0; tile < count; ++tile)
      zero(tile);
    return;
  }
  Type i8 = code.builder.getI8Type();
  code.store(code.zero(code.vector(i8, 64)), memory);
  code.store(code.integer(i8, 1), memory);
  code.store(code.integer(code.vector(code.i16(), count), rowBytes), code.at(memory, 16));
  for (auto [tile, height] : llvm::enumerate(validRows))
    code.store(code.fromIndex(height, i8), code.at(memory, int64_t(48 + tile)));
  instruction(code, "llvm.x86.ldtilecfg", memory);
}

void TileRegisters::release(Code &code) { instruction(code, "llvm.x86.tilerelease", {}); }

void TileRegisters::forRows(int64_t tile, llvm::function_ref<void(Value row)> body) {
  code.loop(code.index(0), valid[size_t(tile)], 1, body);
}

void TileRegisters::zero(int64_t tile) {
  if (!asLoops)
    return instruction(code, "llvm.x86.tilezero", number(code, tile));
  forRows(tile, [&](Value row) {
    code.store(code.zero(code.vector(code.i32(), 16)),
               code.at(place(tile), code.mul(row, rowBytes)));
  });
}

void TileRegisters::load(int64_t tile, Value address, Value stride) {
  if (!asLoops)
    return instruction(code, "llvm.x86.tileloadd64",
                       {number(code, tile), address, word(code, stride)});
  forRows(tile, [&](Value row) {
    Value line = code.load(code.vector(code.i32(), 16), code.at(address, code.mul(row, stride)));
    code.store(line, code.at(place(tile), code.mul(row, rowBytes)));
  });
}

void TileRegisters::store(int64_t tile, Value address, Value stride) {
  if (!asLoops)
    return instruction(code, "llvm.x86.tilestored64",
                       {number(code, tile), address, word(code, stride)});
  forRows(tile, [&](Value row) {
    Value line =
        code.load(code.vector(code.i32(), 16), code.at(place(tile), code.mul(row, rowBytes)));
    code.store(line, code.at(address, code.mul(row, stride)));
  });
}

void TileRegisters::multiply(int64_t sum, int64_t a, int64_t b, bool bytes) {
  if (!asLoops)
    return instruction(code, bytes ? "llvm.x86.tdpbsud" : "llvm.x86.tdpbf16ps",
                       {number(code, sum), number(code, a), number(code, b)});
  forRows(sum, [&](Value row) { multiplyRow(sum, a, b, row, bytes); });
}

void TileRegisters::multiplyRow(int64_t sum, int64_t a, int64_t b, Value row, bool bytes) {
  VectorType words = code.vector(code.i32(), 16), floats = code.vector(code.f32(), 16);
  Value target = code.at(place(sum), code.mul(row, rowBytes));
  Value left = code.at(place(a), code.mul(row, rowBytes));
  auto pairOf = [&](Value step) {
    return std::pair(code.splat(code.load(code.i32(), code.at(left, code.mul(step, 4))), 16),
                     code.load(words, code.at(place(b), code.mul(step, rowBytes))));
  };
  if (bytes) {
    VectorType quads = code.vector(code.builder.getI8Type(), 64);
    Values total = code.loop(code.index(0), code.index(rows), 1, code.load(words, target),
                             [&](Value step, ValueRange carried) {
                               auto [x, y] = pairOf(step);
                               return Values{code.intrinsic(
                                   "llvm.x86.avx512.vpdpbusd.512", words,
                                   {carried[0], code.bitcast(quads, y), code.bitcast(quads, x)})};
                             });
    return code.store(total[0], target);
  }
  auto low = [&](Value pair) { return code.bitcast(floats, code.shiftLeft(pair, 16)); };
  auto high = [&](Value pair) {
    return code.bitcast(floats, code.bitAnd(pair, code.integer(words, int64_t(0xffff0000))));
  };
  Value none = code.zero(floats);
  Values both = code.loop(
      code.index(0), code.index(rows), 1, {none, none}, [&](Value step, ValueRange carried) {
        auto [x, y] = pairOf(step);
        return Values{code.fma(low(x), low(y), carried[0]), code.fma(high(x), high(y), carried[1])};
      });
  Value before = code.load(floats, target);
  code.store(code.addf(before, code.addf(both[0], both[1])), target);
}

} // namespace glm::cpu
