// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace glm::artifact {

namespace {

/// The number of every E4M3 code.
const std::array<float, 256> &numbersOfF8() {
  static const std::array<float, 256> numbers = [] {
    std::array<float, 256> table;
    for (int code = 0; code < 256; ++code) {
      int exponent = code >> 3 & 15, mantissa = code & 7;
      float magnitude = exponent == 15 && mantissa == 7 ? NAN
                        : exponent == 0 ? std::ldexp(float(mantissa), -9)
                                        : std::ldexp(float(8 + mantissa), exponent - 10);
      table[size_t(code)] = code & 0x80 ? -magnitude : magnitude;
    }
    return table;
  }();
  return numbers;
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Columns that share a scale: `number = (code - zero) * scale`.
struct Run {
  float scale, zero;
};

Run runOf(const float *numbers, int64_t length, Quantization how) {
  float low = 0, high = 0;
  for (int64_t i = 0; i < length; ++i)
    low = std::min(low, numbers[i]), high = std::max(high, numbers[i]);
  if (!how.asymmetric)
    return {std::max(high, -low) / float(offsetOf(how) - 1), 0};
  float scale = (high - low) / 15;
  return {scale, scale == 0 ? 0 : std::clamp(std::nearbyint(-8 - low / scale), -8.0f, 7.0f)};
}

} // namespace

void offsetCodes(std::byte *codes, size_t count) {
  for (size_t i = 0; i < count; ++i)
    codes[i] ^= std::byte(0x80);
}

void splitRowPairs(const std::byte *pairs, int64_t rows, int64_t columns, std::byte *codes) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      auto pair = uint8_t(pairs[row / 2 * columns + column]);
      uint8_t nibble = row % 2 ? pair >> 4 : pair & 15;
      codes[row * columns + column] = std::byte(nibble ^ 8);
    }
}

size_t nibbleBytes(int64_t rows, int64_t columns, int64_t n) {
  return size_t(ceilDiv(rows, n) * n * ceilDiv(columns, 8) * 4);
}

void packNibbles(const std::byte *codes, int64_t rows, int64_t columns, int64_t n,
                 std::byte *result) {
  std::memset(result, 0, nibbleBytes(rows, columns, n));
  int64_t words = ceilDiv(columns, 8);
  for (int64_t row = 0; row < rows; ++row) {
    std::byte *panel = result + row / n * n * words * 4 + row % n * 4;
    for (int64_t column = 0; column < columns; ++column) {
      std::byte &target = panel[column / 8 * n * 4 + column % 4];
      target |= codes[row * columns + column] << (column % 8 / 4 * 4);
    }
  }
}

void dequantize(const std::byte *codes, Element from, int64_t rows, int64_t columns,
                int64_t firstRow, const BlockScales &scales, float *numbers) {
  const std::array<float, 256> &f8 = numbersOfF8();
  for (int64_t row = 0; row < rows; ++row) {
    const float *scale =
        scales.scales.data() + (firstRow + row) / scales.blockRows * scales.columns;
    for (int64_t column = 0; column < columns; ++column) {
      auto code = uint8_t(codes[row * columns + column]);
      float number = from == Element::F8E4M3 ? f8[code] : float(int8_t(code));
      numbers[row * columns + column] = number * scale[column / scales.blockColumns];
    }
  }
}

size_t firstNotANumber(const std::byte *codes, size_t count) {
  constexpr size_t block = 1024;
  auto isNot = [&](size_t i) { return (codes[i] & std::byte(0x7f)) == std::byte(0x7f); };
  for (size_t first = 0; first < count; first += block) {
    size_t end = std::min(count, first + block);
    uint8_t any = 0; // without a branch, so that many are tested at once
    for (size_t i = first; i < end; ++i)
      any |= uint8_t(isNot(i));
    for (size_t i = first; any && i < end; ++i)
      if (isNot(i))
        return i;
  }
  return count;
}

Rounding quantize(const float *numbers, int64_t rows, int64_t columns, Quantization how,
                  CodeParts parts) {
  float offset = float(offsetOf(how));
  int64_t runs = ceilDiv(columns, how.columns);
  Rounding rounding;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t number = 0; number < runs; ++number) {
      int64_t first = row * columns + number * how.columns;
      int64_t length = std::min(how.columns, columns - number * how.columns);
      Run run = runOf(numbers + first, length, how);
      if (parts.scales)
        parts.scales[row * runs + number] = run.scale;
      if (parts.zeros)
        parts.zeros[row * runs + number] = int8_t(run.zero);
      for (int64_t i = first; i < first + length && parts.codes; ++i) {
        float code = run.scale == 0 ? 0 : std::nearbyint(numbers[i] / run.scale);
        code = std::clamp(code + run.zero, -offset, offset - 1);
        parts.codes[i] = std::byte(uint8_t(int(code + offset)));
        double change = double(code - run.zero) * run.scale - numbers[i];
        rounding += {double(numbers[i]) * numbers[i], change * change};
      }
    }
  return rounding;
}

} // namespace glm::artifact
