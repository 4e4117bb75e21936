// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Values.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

namespace glm::synthesize {
namespace {

/// Elements are `mean + u * half` with u uniform in [-1, 1).
struct Spread {
  float mean, half;
};

/// Standard deviation to half width of a uniform distribution.
const float uniformHalf = std::sqrt(3.0f);

/// Output scale of a projection: rms of `W x` for x of rms 1.
float gainOf(WeightKind kind) {
  using enum WeightKind;
  switch (kind) {
  case Head:
    return 2.65f;
  case QueryDown:
    return 0.008f;
  case IndexKey:
    return 0.004f;
  case KvDown:
    return 0.55f;
  case Output:
    return 0.25f;
  case IndexQuery:
    return 1.42f;
  case IndexWeights:
    return 0.9f;
  case DenseGate:
  case DenseUp:
  case ExpertGate:
  case ExpertUp:
  case SharedGate:
  case SharedUp:
    return 1.2f;
  case DenseDown:
  case ExpertDown:
  case SharedDown:
    return 0.3f;
  case Router:
    return 1.3f;
  default:
    return 1.0f;
  }
}

Spread spreadOf(const PlannedTensor &tensor) {
  using enum WeightKind;
  switch (tensor.kind) {
  case Embedding:
    return {0, 0.005f * uniformHalf};
  case IndexBias:
    return {0, 0.2f * uniformHalf};
  case CorrectionBias:
    return {0, 0.4f * uniformHalf};
  default:
    break;
  }
  if (tensor.shape.size() == 1) // gains of norms
    return {1, 0.45f};
  return {0, gainOf(tensor.kind) / std::sqrt(static_cast<float>(tensor.shape[1])) * uniformHalf};
}

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

uint64_t keyOf(std::string_view name, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3ull;
  return mix(hash ^ mix(seed + 0x9e3779b97f4a7c15ull));
}

/// F8_E4M3 codes of u * 448 for u = i / 128 - 1: a byte of randomness picks one.
const std::array<uint8_t, 256> &e4m3Codes() {
  static const std::array<uint8_t, 256> table = [] {
    std::array<uint8_t, 256> codes{};
    for (int i = 0; i < 256; ++i)
      codes[i] = toE4m3((i / 128.0f - 1) * 448);
    return codes;
  }();
  return table;
}

void fillE4m3(uint64_t key, uint64_t first, uint64_t count, uint8_t *out) {
  const std::array<uint8_t, 256> &codes = e4m3Codes();
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t at = first + i;
    out[i] = codes[mix(key + at / 4) >> (at % 4 * 16) & 0xff];
  }
}

} // namespace

uint16_t toBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint8_t toE4m3(float value) {
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  float magnitude = std::fabs(value);
  if (magnitude < 0x1p-10f)
    return sign;
  int exponent = std::max(std::ilogb(magnitude), -6);
  // nearbyint rounds to nearest even; a mantissa of 16 carries into the exponent by itself.
  int mantissa = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 3 - exponent)));
  int code = (exponent + 6) * 8 + mantissa;
  return static_cast<uint8_t>(sign | std::min(code, 0x7e));
}

void fill(const PlannedTensor &tensor, uint64_t seed, uint64_t first, uint64_t count,
          std::span<std::byte> out) {
  uint64_t key = keyOf(tensor.name, seed);
  Spread spread = spreadOf(tensor);
  if (tensor.dtype == Dtype::F8E4M3) {
    fillE4m3(key, first, count, reinterpret_cast<uint8_t *>(out.data()));
    return;
  }
  if (tensor.scaledColumns != 0) {
    // Codes reach 448; the scale makes that the half width of the plain weight, varied a little by
    // block.
    float half =
        gainOf(tensor.kind) / std::sqrt(static_cast<float>(tensor.scaledColumns)) * uniformHalf;
    spread = {half / 448, half / 448 * 0.1f};
  }
  float step = spread.half / 32768;
  std::byte *at = out.data();
  for (uint64_t i = 0; i < count; i += 4) {
    uint64_t bits = mix(key + (first + i) / 4);
    for (uint64_t j = 0; j < std::min<uint64_t>(4, count - i); ++j, bits >>= 16) {
      float value = spread.mean + static_cast<float>(static_cast<int16_t>(bits)) * step;
      if (tensor.dtype == Dtype::F32) {
        std::memcpy(at, &value, 4);
        at += 4;
      } else {
        uint16_t rounded = toBf16(value);
        std::memcpy(at, &rounded, 2);
        at += 2;
      }
    }
  }
}

} // namespace glm::synthesize
