// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bodies are templates on a vector type; a function for each level inlines them and says which
// instructions it may use. Sixteen-byte vectors need nothing and are the portable level.
#include "tools/glm-bench/Loops.h"

#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

namespace glm::bench {
namespace {

template <size_t Bytes> struct Vectors {
  typedef float Float __attribute__((vector_size(Bytes)));
  typedef uint32_t Word __attribute__((vector_size(Bytes)));
};

/// A number that the compiler does not know.
volatile float opaque = 0.999f;

/// Independent chains: enough to hide the latency of two units, few enough for sixteen registers.
constexpr size_t chains = 12;
using Chains = std::make_index_sequence<chains>;

template <typename Vector> [[gnu::always_inline]] inline float lanesOf(const Vector &vector) {
  float sum = 0, lanes[sizeof(Vector) / sizeof(float)];
  std::memcpy(lanes, &vector, sizeof(Vector));
  for (float lane : lanes)
    sum += lane;
  return sum;
}

template <size_t Bytes>
[[gnu::always_inline]] inline float plainBody(const uint8_t *data, size_t bytes) {
  using Word = typename Vectors<Bytes>::Word;
  constexpr size_t step = 4 * Bytes;
  Word a = {}, b = {}, c = {}, d = {};
  for (size_t i = 0; i < bytes; i += step) {
    const Word *line = reinterpret_cast<const Word *>(data + i);
    a ^= line[0];
    b ^= line[1];
    c ^= line[2];
    d ^= line[3];
  }
  a ^= b ^ c ^ d;
  return lanesOf(a);
}

/// Adds two rows' products of one vector of columns: bf16 is the upper half of an f32.
template <typename Float, typename Word>
[[gnu::always_inline]] inline void twoRows(Float &sum, const Word &pairs, const float *x) {
  Word low = pairs << 16, high = pairs & 0xffff0000u;
  sum = reinterpret_cast<Float &>(low) * x[0] + sum;
  sum = reinterpret_cast<Float &>(high) * x[1] + sum;
}

/// Panels of four vectors of pairs, `streamBlock` long: every word holds two rows of one column.
template <size_t Bytes>
[[gnu::always_inline]] inline float gemvBody(const uint8_t *data, size_t bytes) {
  using Float = typename Vectors<Bytes>::Float;
  using Word = typename Vectors<Bytes>::Word;
  constexpr size_t step = 4 * Bytes;
  float x[2 * streamBlock / step];
  for (float &value : x)
    value = opaque;
  Float total = {};
  for (size_t panel = 0; panel < bytes; panel += streamBlock) {
    Float sums[4] = {};
    for (size_t k = 0; k < streamBlock / step; ++k) {
      const Word *line = reinterpret_cast<const Word *>(data + panel + k * step);
      twoRows<Float>(sums[0], line[0], x + 2 * k);
      twoRows<Float>(sums[1], line[1], x + 2 * k);
      twoRows<Float>(sums[2], line[2], x + 2 * k);
      twoRows<Float>(sums[3], line[3], x + 2 * k);
    }
    total += sums[0] + sums[1] + sums[2] + sums[3];
  }
  return lanesOf(total);
}

template <size_t Bytes, size_t... I>
[[gnu::always_inline]] inline float fmaBody(uint64_t rounds, std::index_sequence<I...>) {
  using Float = typename Vectors<Bytes>::Float;
  Float x = Float{} + opaque, y = x;
  Float sums[chains] = {((void)I, x)...};
  for (uint64_t round = 0; round < rounds; ++round)
    ((sums[I] = sums[I] * x + y), ...);
  return lanesOf((sums[I] + ...));
}

template <size_t Bytes> constexpr double fmaOperations = 2.0 * chains * Bytes / sizeof(float);

#define GLM_LEVEL(name, bytes, ...)                                                                \
  __VA_ARGS__ float plain##name(const uint8_t *data, size_t size) {                                \
    return plainBody<bytes>(data, size);                                                           \
  }                                                                                                \
  __VA_ARGS__ float gemv##name(const uint8_t *data, size_t size) {                                 \
    return gemvBody<bytes>(data, size);                                                            \
  }                                                                                                \
  __VA_ARGS__ float fma##name(uint64_t rounds) { return fmaBody<bytes>(rounds, Chains{}); }

GLM_LEVEL(Portable, 16)

#if defined(__x86_64__)
GLM_LEVEL(Avx2, 32, [[gnu::target("avx2,fma")]])
GLM_LEVEL(Avx512, 64, [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,fma")]])

template <size_t... I>
[[gnu::target("avx512f,avx512bf16")]] float bf16Body(uint64_t rounds, std::index_sequence<I...>) {
  __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(opaque), _mm512_set1_ps(opaque));
  __m512 sums[chains] = {((void)I, _mm512_set1_ps(opaque))...};
  for (uint64_t round = 0; round < rounds; ++round)
    ((sums[I] = _mm512_dpbf16_ps(sums[I], x, x)), ...);
  return lanesOf((sums[I] + ...));
}

template <size_t... I>
[[gnu::target("avx512f,avx512vnni")]] float int8Body(uint64_t rounds, std::index_sequence<I...>) {
  __m512i x = _mm512_set1_epi32(int(opaque * 1e6f));
  __m512i sums[chains] = {((void)I, x)...};
  for (uint64_t round = 0; round < rounds; ++round)
    ((sums[I] = _mm512_dpbusd_epi32(sums[I], x, x)), ...);
  return lanesOf((sums[I] ^ ...));
}

template <size_t... I>
[[gnu::target("avx2,avxvnni")]] float int8Body256(uint64_t rounds, std::index_sequence<I...>) {
  __m256i x = _mm256_set1_epi32(int(opaque * 1e6f));
  __m256i sums[chains] = {((void)I, x)...};
  for (uint64_t round = 0; round < rounds; ++round)
    ((sums[I] = _mm256_dpbusd_avx_epi32(sums[I], x, x)), ...);
  return lanesOf((sums[I] ^ ...));
}

float bf16Avx512(uint64_t rounds) { return bf16Body(rounds, Chains{}); }
float int8Avx512(uint64_t rounds) { return int8Body(rounds, Chains{}); }
float int8Avx(uint64_t rounds) { return int8Body256(rounds, Chains{}); }

bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#elif defined(__aarch64__)
template <size_t... I>
[[gnu::target("dotprod")]] float int8Body(uint64_t rounds, std::index_sequence<I...>) {
  int8x16_t x = vdupq_n_s8(int8_t(opaque * 100));
  int32x4_t sums[chains] = {((void)I, vdupq_n_s32(1))...};
  for (uint64_t round = 0; round < rounds; ++round)
    ((sums[I] = vdotq_s32(sums[I], x, x)), ...);
  return lanesOf((sums[I] ^ ...));
}

float int8Dotprod(uint64_t rounds) { return int8Body(rounds, Chains{}); }
#endif

} // namespace

Loops loopsOfHost() {
  Loops loops = {"portable", plainPortable, gemvPortable, {fmaPortable, fmaOperations<16>}, {}, {}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (hasAvx512()) {
    loops = {"avx512", plainAvx512, gemvAvx512, {fmaAvx512, fmaOperations<64>}, {}, {}};
    if (__builtin_cpu_supports("avx512bf16"))
      loops.bf16Dot = {bf16Avx512, 2 * fmaOperations<64>};
    if (__builtin_cpu_supports("avx512vnni"))
      loops.int8Dot = {int8Avx512, 4 * fmaOperations<64>};
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    loops = {"avx2", plainAvx2, gemvAvx2, {fmaAvx2, fmaOperations<32>}, {}, {}};
    if (__builtin_cpu_supports("avxvnni"))
      loops.int8Dot = {int8Avx, 4 * fmaOperations<32>};
  }
#elif defined(__aarch64__)
  loops.level = "neon"; // sixteen bytes and fused multiply-add are every processor's
  constexpr unsigned long dotProducts = 1ul << 20; // HWCAP_ASIMDDP
  if (getauxval(AT_HWCAP) & dotProducts)
    loops.int8Dot = {int8Dotprod, 4 * fmaOperations<16>};
#endif
  return loops;
}

} // namespace glm::bench
