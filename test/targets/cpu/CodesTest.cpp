// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products by codes against plain loops: integers to the last bit, numbers of 8 bits to the
// rounding of their sums; every size that does not fit, any number of rows.
#include "Codes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

/// Panels of integer codes in offset binary: words of 4 bytes, or of 8 halves of bytes of which the
/// first four are the low ones.
Buffer<uint8_t> packCodes(const std::vector<int> &codes, int64_t rows, int64_t columns, int64_t n,
                          int64_t bits) {
  int64_t lane = 32 / bits, lines = (columns + lane - 1) / lane;
  Buffer<uint8_t> packed((rows + n - 1) / n * lines * n * 4, 0x5a);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      int code = codes[size_t(row * columns + column)];
      uint8_t *word = packed.data() + ((row / n * lines + column / lane) * n + row % n) * 4;
      int64_t at = column % lane;
      if (bits == 8)
        word[at] = uint8_t(code + 128);
      else
        word[at % 4] = at < 4 ? uint8_t((word[at % 4] & 0xf0) | (code + 8))
                              : uint8_t((word[at % 4] & 0x0f) | (code + 8) << 4);
    }
  return packed;
}

void checkIntegers(const TargetOptions &machine, Shape shape, int64_t bits,
                   const char *text = integers) {
  auto [n, N, K, k, m] = shape;
  Kernels kernels(codesKernel(shape, bits, text), machine);
  Random random(bits);
  int range = bits == 8 ? 256 : 16;
  std::vector<int> codes(size_t(N * K));
  for (int &code : codes)
    code = int(random.below(range)) - range / 2;
  Buffer<uint8_t> packed = packCodes(codes, N, K, n, bits);
  for (int64_t rows : {13, 6, 5, 2, 1}) {
    Buffer<int8_t> x(size_t(rows * K));
    for (int8_t &value : x)
      value = int8_t(random.below(256) - 128);
    Buffer<int32_t> y(size_t(rows * N), -1);
    kernels.run("linear", {x.word(), uint64_t(rows), packed.word(), y.word(), uint64_t(rows)}, 3);
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < N; ++j) {
        int sum = 0;
        for (int64_t l = 0; l < K; ++l)
          sum += x[size_t(i * K + l)] * codes[size_t(j * K + l)];
        ASSERT_EQ(y[size_t(i * N + j)], sum) << rows << " rows, element " << i << ", " << j;
      }
  }
}

TEST(Codes, IntegersAreExact) {
  for (const TargetOptions &machine : runnableMachines())
    for (Shape shape : {Shape{64, 40, 64, 64}, Shape{64, 130, 72, 24}, Shape{16, 16, 33, 33},
                        Shape{32, 96, 7, 7}}) {
      SCOPED_TRACE(nameOf(machine));
      checkIntegers(machine, shape, 8);
      checkIntegers(machine, shape, 4);
    }
}

// Many rows meet a weight block by block; the last block is shorter.
TEST(Codes, ManyRowsAreExact) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    checkIntegers(machine, {64, 72, 1160, 1160, 14}, 8, summed);
    checkIntegers(machine, {64, 72, 1160, 1160, 14}, 4, summed);
  }
}

// Groups of 32 columns with a scale each: inner sums exact, then one rounding a group, whatever
// number of rows shares the call.
void checkGroups(const TargetOptions &machine, int64_t bits, int64_t m, bool shift = false) {
  constexpr int64_t n = 64, N = 72, K = 1120, groups = K / 32;
  Kernels kernels(codesKernel({n, N, K, 32, m}, bits, shift ? shifted : grouped), machine);
  Random random(3);
  int range = bits == 8 ? 256 : 16;
  std::vector<int> codes(size_t(N * K));
  for (int &code : codes)
    code = int(random.below(range)) - range / 2;
  Buffer<uint8_t> packed = packCodes(codes, N, K, n, bits);
  std::vector<float> scales = randomVector<float>(size_t(groups * N), 4);
  Buffer<float> lines = packPanels(scales, N, groups, n, 1);
  std::vector<int8_t> zeros(scales.size());
  for (int8_t &zero : zeros)
    zero = shift ? int8_t(random.below(16) - 8) : int8_t(0);
  Buffer<int8_t> besides = packPanels(zeros, N, groups, n, 1);
  for (int64_t rows : {13, 7, 1}) {
    Buffer<int8_t> x(size_t(rows * K));
    for (int8_t &value : x)
      value = int8_t(random.below(256) - 128);
    Buffer<float> y(size_t(rows * N), NAN);
    std::vector<uint64_t> words = {x.word(), uint64_t(rows), packed.word(), lines.word()};
    if (shift)
      words.push_back(besides.word());
    words.insert(words.end(), {y.word(), uint64_t(rows)});
    kernels.run("linear", words);
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < N; ++j) {
        float sum = 0;
        for (int64_t g = 0; g < groups; ++g) {
          int inner = 0;
          for (int64_t l = 32 * g; l < 32 * (g + 1); ++l)
            inner +=
                x[size_t(i * K + l)] * (codes[size_t(j * K + l)] - zeros[size_t(j * groups + g)]);
          sum = std::fma(float(inner), scales[size_t(j * groups + g)], sum);
        }
        ASSERT_EQ(y[size_t(i * N + j)], sum) << rows << " rows, element " << i << ", " << j;
      }
  }
}

TEST(Codes, GroupsHaveTheirScales) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    checkGroups(machine, 4, 14);
    checkGroups(machine, 4, 3);
    checkGroups(machine, 8, 14);
  }
}

// A zero beside each scale, exact too: what it adds to a sum is taken away in integers.
TEST(Codes, GroupsHaveTheirZeros) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    checkGroups(machine, 4, 14, /*shift=*/true);
  }
}

/// The number of an E4M3 code.
float numberOf(uint8_t code) {
  int exponent = code >> 3 & 15, mantissa = code & 7;
  float magnitude = exponent == 0 ? std::ldexp(float(mantissa), -9)
                                  : std::ldexp(float(8 + mantissa), exponent - 10);
  return code & 0x80 ? -magnitude : magnitude;
}

template <typename T> void checkF8(const TargetOptions &machine, Shape shape) {
  auto [n, N, K, k, m] = shape;
  std::string text = linear;
  for (std::string from : {"$Nx$Kx$t, #kernel", "!kernel.tile<$nx$kx$t>"})
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += from.size())
      text.replace(text.find("$t", at), 2, "$w");
  Kernels kernels(fill(text, {{"t", sizeof(T) == 2 ? "bf16" : "f32"},
                              {"w", "f8E4M3FN"},
                              {"lane", "1"},
                              {"m", std::to_string(m)},
                              {"n", std::to_string(n)},
                              {"N", std::to_string(N)},
                              {"K", std::to_string(K)},
                              {"k", std::to_string(k)}}),
                  machine);
  Random random(5);
  std::vector<uint8_t> codes(size_t(N * K));
  for (uint8_t &code : codes)
    do
      code = uint8_t(random.below(256));
    while ((code & 0x7f) == 0x7f);
  Buffer<uint8_t> packed = packPanels(codes, N, K, n, 1);
  for (int64_t rows : {7, 2, 1}) {
    Buffer<T> x(size_t(rows * K));
    Random(2).fill(x);
    Buffer<float> y(size_t(rows * N), NAN);
    kernels.run("linear", {x.word(), uint64_t(rows), packed.word(), y.word(), uint64_t(rows)}, 2);
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < N; ++j) {
        double sum = 0, size = 0;
        for (int64_t l = 0; l < K; ++l) {
          double product = double(float(x[size_t(i * K + l)])) * numberOf(codes[size_t(j * K + l)]);
          sum += product, size += std::abs(product);
        }
        ASSERT_NEAR(y[size_t(i * N + j)], sum, 1e-6 * size)
            << rows << " rows, element " << i << ", " << j;
      }
  }
}

TEST(Codes, EveryNumberOfEightBits) {
  for (const TargetOptions &machine : runnableMachines())
    for (Shape shape : {Shape{64, 64, 128, 128}, Shape{64, 130, 33, 33}, Shape{16, 40, 48, 16}}) {
      SCOPED_TRACE(nameOf(machine));
      checkF8<float>(machine, shape);
      checkF8<Bf16>(machine, shape);
    }
}

} // namespace
} // namespace glm::test
