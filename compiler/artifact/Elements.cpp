// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Elements.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace glm::artifact {

namespace {

template <typename T> T load(const std::byte *at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
template <typename T> void store(std::byte *at, T value) { std::memcpy(at, &value, sizeof(T)); }

float fromBf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

uint16_t toBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t(bits >> 16) | 0x40;
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float fromF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = (bits >> 10) & 31,
           mantissa = bits & 0x3ff;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0) // subnormal: exact in f32
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(mantissa) * 0x1p-24f));
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// By way of the integer grid of the target's unit in the last place, so that rounding is the
/// processor's.
uint16_t toF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffff;
  uint16_t sign = uint16_t(bits >> 16) & 0x8000;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00;
  if (magnitude >= 0x477ff000) // rounds to 2^16 or is more
    return sign | 0x7c00;
  if (magnitude < 0x38800000) { // subnormal: adding 0.5 leaves multiples of 2^-24 in the mantissa
    float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | uint16_t(std::bit_cast<uint32_t>(shifted) - 0x3f000000);
  }
  magnitude += 0xfff + ((magnitude >> 13) & 1);
  return sign | uint16_t((magnitude - 0x38000000) >> 13);
}

float widen(const std::byte *at, Element from) {
  switch (from) {
  case Element::F32:
    return load<float>(at);
  case Element::BF16:
    return fromBf16(load<uint16_t>(at));
  case Element::F16:
    return fromF16(load<uint16_t>(at));
  default: // codes are no numbers by themselves
    return 0;
  }
}

template <Element from, Element to>
void convertAll(const std::byte *source, std::byte *result, size_t count) {
  constexpr size_t in = from == Element::F32 ? 4 : 2, out = to == Element::F32 ? 4 : 2;
  for (size_t i = 0; i < count; ++i) {
    float value = widen(source + i * in, from);
    if constexpr (to == Element::F32)
      store(result + i * out, value);
    else
      store(result + i * out, to == Element::BF16 ? toBf16(value) : toF16(value));
  }
}

template <typename Unit>
void transposeUnits(const std::byte *source, int64_t rows, int64_t columns, std::byte *result) {
  constexpr int64_t block = 16; // a block of both sides stays in cache
  for (int64_t r0 = 0; r0 < rows; r0 += block)
    for (int64_t c0 = 0; c0 < columns; c0 += block)
      for (int64_t r = r0; r < std::min(rows, r0 + block); ++r)
        for (int64_t c = c0; c < std::min(columns, c0 + block); ++c)
          store(result + (c * rows + r) * sizeof(Unit),
                load<Unit>(source + (r * columns + c) * sizeof(Unit)));
}

/// One panel whose columns are whole units of `k` elements.
template <typename Unit>
void packPanel(const std::byte *source, int64_t rows, int64_t units, int64_t n, std::byte *result) {
  constexpr int64_t block = 16;
  for (int64_t u0 = 0; u0 < units; u0 += block)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t u = u0; u < std::min(units, u0 + block); ++u)
        store(result + (u * n + r) * sizeof(Unit),
              load<Unit>(source + (r * units + u) * sizeof(Unit)));
}

/// Any k, and columns that end inside a unit.
void packPanelSlowly(const std::byte *source, int64_t rows, int64_t columns, size_t elementBytes,
                     int64_t n, int64_t k, std::byte *result) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; c += k)
      std::memcpy(result + ((c / k * n + r) * k) * elementBytes,
                  source + (r * columns + c) * elementBytes,
                  std::min(k, columns - c) * elementBytes);
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

} // namespace

size_t bitsOf(Element element) {
  switch (element) {
  case Element::F32:
  case Element::I32:
    return 32;
  case Element::BF16:
  case Element::F16:
    return 16;
  case Element::I8:
  case Element::F8E4M3:
    return 8;
  case Element::I4:
    return 4;
  }
  return 0;
}

void convert(const std::byte *source, Element from, std::byte *result, Element to, size_t count) {
  if (from == to) {
    std::memcpy(result, source, bytesOf(from, count));
    return;
  }
  using enum Element;
  if (from == BF16 && to == F32)
    return convertAll<BF16, F32>(source, result, count);
  if (from == F16 && to == F32)
    return convertAll<F16, F32>(source, result, count);
  if (from == F32 && to == BF16)
    return convertAll<F32, BF16>(source, result, count);
  if (from == F16 && to == BF16)
    return convertAll<F16, BF16>(source, result, count);
  if (from == F32 && to == F16)
    return convertAll<F32, F16>(source, result, count);
  convertAll<BF16, F16>(source, result, count);
}

void transpose(const std::byte *source, int64_t rows, int64_t columns, size_t elementBytes,
               std::byte *result) {
  if (elementBytes == 4)
    transposeUnits<uint32_t>(source, rows, columns, result);
  else if (elementBytes == 2)
    transposeUnits<uint16_t>(source, rows, columns, result);
  else
    transposeUnits<uint8_t>(source, rows, columns, result);
}

size_t panelBytes(int64_t rows, int64_t columns, size_t elementBytes, int64_t n, int64_t k) {
  return size_t(ceilDiv(rows, n) * n * ceilDiv(columns, k) * k) * elementBytes;
}

void packPanels(const std::byte *source, int64_t rows, int64_t columns, size_t elementBytes,
                int64_t n, int64_t k, std::byte *result) {
  size_t onePanel = panelBytes(n, columns, elementBytes, n, k), unit = k * elementBytes;
  if (rows % n || columns % k)
    std::memset(result, 0, panelBytes(rows, columns, elementBytes, n, k));
  for (int64_t r = 0; r < rows; r += n, result += onePanel) {
    const std::byte *panel = source + r * columns * elementBytes;
    int64_t count = std::min(n, rows - r);
    if (columns % k == 0 && unit == 4)
      packPanel<uint32_t>(panel, count, columns / k, n, result);
    else if (columns % k == 0 && unit == 2)
      packPanel<uint16_t>(panel, count, columns / k, n, result);
    else if (columns % k == 0 && unit == 1)
      packPanel<uint8_t>(panel, count, columns / k, n, result);
    else
      packPanelSlowly(panel, count, columns, elementBytes, n, k, result);
  }
}

} // namespace glm::artifact
