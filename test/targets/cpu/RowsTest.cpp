// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row-wise kernels: norms, elementwise functions, rotations, caches, changes of shape.
#include "KernelRunner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace glm::test {
namespace {

/// The latent path: RMS norm of the first columns, rotation of the rest, append to a cache.
constexpr const char *latent = R"(
kernel.func @latent(%kv: !kernel.buffer<?x36xf32>, %gain: !kernel.buffer<24xbf16>,
                    %angles: !kernel.buffer<?x12xf32>, %rows: !kernel.buffer<?x4xi32>,
                    %cache: !kernel.cache<36x$t>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %width = arith.constant 24.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %n = kernel.dim %kv, 0 : !kernel.buffer<?x36xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %x = kernel.load_tile %kv[%i, %c0] : !kernel.buffer<?x36xf32> -> !kernel.tile<1x36xf32>
    %l = kernel.slice %x from 0 : !kernel.tile<1x36xf32> -> !kernel.tile<1x24xf32>
    %sq = kernel.map (%l, %l) : (!kernel.tile<1x24xf32>, !kernel.tile<1x24xf32>) -> !kernel.tile<1x24xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.mulf %a, %b : f32
      kernel.yield %0 : f32
    }
    %ss = kernel.reduce sum %sq along 1 : !kernel.tile<1x24xf32> -> !kernel.tile<1x1xf32>
    %r = kernel.map (%ss) : (!kernel.tile<1x1xf32>) -> !kernel.tile<1x1xf32> {
    ^bb0(%a: f32):
      %0 = arith.divf %a, %width : f32
      %1 = arith.addf %0, %eps : f32
      %2 = math.rsqrt %1 : f32
      kernel.yield %2 : f32
    }
    %g = kernel.load_tile %gain[%c0] : !kernel.buffer<24xbf16> -> !kernel.tile<1x24xbf16>
    %y = kernel.map (%l, %r, %g) : (!kernel.tile<1x24xf32>, !kernel.tile<1x1xf32>, !kernel.tile<1x24xbf16>) -> !kernel.tile<1x24xf32> {
    ^bb0(%a: f32, %b: f32, %c: bf16):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.extf %c : bf16 to f32
      %2 = arith.mulf %0, %1 : f32
      kernel.yield %2 : f32
    }
    %k = kernel.slice %x from 24 : !kernel.tile<1x36xf32> -> !kernel.tile<1x12xf32>
    %an = kernel.load_tile %angles[%i, %c0] : !kernel.buffer<?x12xf32> -> !kernel.tile<1x12xf32>
    %kr = kernel.rotate %k, %an $pairing : !kernel.tile<1x12xf32>, !kernel.tile<1x12xf32>
    %row = kernel.concat %y, %kr : !kernel.tile<1x24xf32>, !kernel.tile<1x12xf32> -> !kernel.tile<1x36xf32>
    %out = kernel.map (%row) : (!kernel.tile<1x36xf32>) -> !kernel.tile<1x36x$t> {
    ^bb0(%a: f32):
      $convert
      kernel.yield %v : $t
    }
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %pos = arith.index_cast %p32 : i32 to index
    kernel.store_tile %out, %cache[%slot, %pos] : !kernel.tile<1x36x$t>, !kernel.cache<36x$t>
  }
  kernel.return
})";

template <typename T> void checkLatent(const TargetOptions &machine, bool interleaved) {
  bool bf16 = sizeof(T) == 2;
  Kernels kernels(fill(latent, {{"t", bf16 ? "bf16" : "f32"},
                                {"pairing", interleaved ? "interleaved" : "half"},
                                {"convert", bf16 ? "%v = arith.truncf %a : f32 to bf16"
                                                 : "%v = arith.addf %a, %a fastmath<none> : f32"}}),
                  machine);
  constexpr int64_t n = 5, pageRows = 1024;
  Buffer<float> kv(n * 36), angles(n * 12);
  Buffer<Bf16> gain(24);
  Random(1).fill(kv);
  Random(2).fill(angles);
  Random(3).fill(gain);
  Buffer<glm_row> rows(n);
  for (int64_t i = 0; i < n; ++i)
    rows[i] = {7, int32_t(i % 2), int32_t(1022 + i), 0};
  // Slot 0 owns pages 3 and 1, slot 1 pages 0 and 2.
  Buffer<T> pages(4 * pageRows * 36);
  Buffer<int32_t> table(4);
  int32_t order[] = {3, 1, 0, 2};
  std::copy(order, order + 4, table.begin());
  glm_cache_view cache{reinterpret_cast<uint8_t *>(pages.data()), table.data(), 2};
  kernels.run("latent",
              {kv.word(), n, gain.word(), angles.word(), n, rows.word(), n,
               reinterpret_cast<uint64_t>(&cache)},
              2);
  ASSERT_TRUE(pages.intact());
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t c = 0; c < 24; ++c)
      sum += double(kv[i * 36 + c]) * kv[i * 36 + c];
    double scale = 1 / std::sqrt(sum / 24 + 1e-5);
    double expected[36];
    for (int64_t c = 0; c < 24; ++c)
      expected[c] = kv[i * 36 + c] * scale * float(gain[c]);
    for (int64_t j = 0; j < 6; ++j) {
      int64_t a = interleaved ? 2 * j : j, b = interleaved ? 2 * j + 1 : j + 6;
      double cosine = angles[i * 12 + j], sine = angles[i * 12 + 6 + j];
      double left = kv[i * 36 + 24 + a], right = kv[i * 36 + 24 + b];
      expected[24 + a] = left * cosine - right * sine;
      expected[24 + b] = right * cosine + left * sine;
    }
    int64_t position = rows[i].position, page = table[rows[i].slot * 2 + position / pageRows];
    T *row = pages.data() + (page * pageRows + position % pageRows) * 36;
    for (int64_t c = 0; c < 36; ++c)
      ASSERT_NEAR(float(row[c]), bf16 ? expected[c] : 2 * expected[c], bf16 ? 0.02 : 1e-5)
          << "row " << i << ", column " << c;
  }
}

TEST(Rows, NormRotateAppend) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    for (bool interleaved : {false, true}) {
      checkLatent<float>(machine, interleaved);
      checkLatent<Bf16>(machine, interleaved);
    }
  }
}

/// One function of one column of numbers, f32 to f32.
constexpr const char *elementwise = R"(
kernel.func @apply(%x: !kernel.buffer<?x$Cxf32>, %y: !kernel.buffer<?x$Cxf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x$Cxf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x$Cxf32> -> !kernel.tile<1x$Cxf32>
    %r = kernel.map (%t) : (!kernel.tile<1x$Cxf32>) -> !kernel.tile<1x$Cxf32> {
    ^bb0(%a: f32):
      $body
      kernel.yield %v : f32
    }
    kernel.store_tile %r, %y[%i, %c0] : !kernel.tile<1x$Cxf32>, !kernel.buffer<?x$Cxf32>
  }
  kernel.return
})";

using Function = double (*)(double);

/// Largest error, in units of the last place of the result or absolute.
void checkFunction(const TargetOptions &machine, const std::string &body, Function expected,
                   const std::vector<float> &arguments, double ulps, double absolute) {
  constexpr int64_t width = 37;
  Kernels kernels(fill(elementwise, {{"C", std::to_string(width)}, {"body", body}}), machine);
  int64_t n = int64_t(arguments.size() + width - 1) / width;
  Buffer<float> x(n * width), y(n * width, NAN);
  std::copy(arguments.begin(), arguments.end(), x.begin());
  kernels.run("apply", {x.word(), uint64_t(n), y.word(), uint64_t(n)}, 2);
  ASSERT_TRUE(y.intact());
  for (size_t i = 0; i < arguments.size(); ++i) {
    double exact = expected(double(arguments[i]));
    if (std::isinf(float(exact))) {
      ASSERT_EQ(y[i], float(exact)) << arguments[i];
      continue;
    }
    float rounded = float(exact);
    double unit = std::nextafter(std::abs(rounded), INFINITY) - std::abs(rounded);
    ASSERT_LE(std::abs(y[i] - exact), ulps * unit + absolute) << arguments[i];
  }
}

std::vector<float> between(double low, double high, int64_t count) {
  std::vector<float> values;
  for (int64_t i = 0; i <= count; ++i)
    values.push_back(float(low + (high - low) * double(i) / double(count)));
  return values;
}

TEST(Rows, FunctionsAreAccurate) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    checkFunction(machine, "%v = math.exp %a : f32", std::exp, between(-104, 88.7, 20000), 1.5, 0);
    checkFunction(machine, "%v = math.exp %a : f32", std::exp, {-INFINITY, -1e30f, 89, 1e30f}, 0,
                  0);
    checkFunction(
        machine, "%v = math.rsqrt %a : f32", [](double x) { return 1 / std::sqrt(x); },
        between(1e-6, 40, 5000), 1.5, 0);
    for (bool cosine : {false, true})
      checkFunction(machine, cosine ? "%v = math.cos %a : f32" : "%v = math.sin %a : f32",
                    cosine ? Function(std::cos) : Function(std::sin),
                    between(-2097152, 2097152, 40000), 0, 1e-7);
    std::string silu =
        "%o = arith.constant 1.0 : f32 %g = arith.negf %a : f32 %e = math.exp %g : f32 "
        "%s = arith.addf %e, %o : f32 %v = arith.divf %a, %s : f32";
    checkFunction(
        machine, silu, [](double x) { return x / (1 + std::exp(-x)); }, between(-80, 80, 5000), 4,
        1e-37);
    // In f64, as rope angles are.
    std::string wide =
        "%w = arith.extf %a : f32 to f64 %c = math.cos %w : f64 %v = arith.truncf %c : f64 to f32";
    checkFunction(machine, wide, std::cos, between(0, 2097152, 20000), 0.51, 1e-9);
    std::string round = "%b = arith.truncf %a : f32 to bf16 %v = arith.extf %b : bf16 to f32";
    checkFunction(
        machine, round, [](double x) { return double(float(Bf16(float(x)))); },
        between(-3, 3, 3001), 0, 0);
  }
}

/// Sums and maxima of every width around the vectors', along both dimensions.
TEST(Rows, Reductions) {
  constexpr const char *text = R"(
kernel.func @reduce(%x: !kernel.buffer<5x$Cxf32>, %sums: !kernel.buffer<5x1xf32>, %maxima: !kernel.buffer<1x$Cxf32>,
                    %largest: !kernel.buffer<5x1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  kernel.parallel (%i) to (%c1) step [1] {
    %t = kernel.load_tile %x[%c0, %c0] : !kernel.buffer<5x$Cxf32> -> !kernel.tile<5x$Cxf32>
    %s = kernel.reduce sum %t along 1 : !kernel.tile<5x$Cxf32> -> !kernel.tile<5x1xf32>
    %m = kernel.reduce max %t along 0 : !kernel.tile<5x$Cxf32> -> !kernel.tile<1x$Cxf32>
    %l = kernel.reduce max %t along 1 : !kernel.tile<5x$Cxf32> -> !kernel.tile<5x1xf32>
    kernel.store_tile %l, %largest[%c0, %c0] : !kernel.tile<5x1xf32>, !kernel.buffer<5x1xf32>
    kernel.store_tile %s, %sums[%c0, %c0] : !kernel.tile<5x1xf32>, !kernel.buffer<5x1xf32>
    kernel.store_tile %m, %maxima[%c0, %c0] : !kernel.tile<1x$Cxf32>, !kernel.buffer<1x$Cxf32>
  }
  kernel.return
})";
  for (const TargetOptions &machine : runnableMachines())
    for (int64_t C : {1, 2, 15, 16, 17, 63, 64, 65, 200}) {
      SCOPED_TRACE(nameOf(machine) + " " + std::to_string(C));
      Kernels kernels(fill(text, {{"C", std::to_string(C)}}), machine);
      Buffer<float> x(5 * C), sums(5), maxima(C), largest(5);
      Random(8).fill(x);
      for (float &value : x)
        value -= 2; // what lies beyond a row is zero, and larger
      kernels.run("reduce", {x.word(), sums.word(), maxima.word(), largest.word()});
      ASSERT_TRUE(sums.intact() && maxima.intact());
      for (int64_t r = 0; r < 5; ++r) {
        double sum = 0;
        for (int64_t c = 0; c < C; ++c)
          sum += x[r * C + c];
        ASSERT_NEAR(sums[r], sum, 1e-4);
        ASSERT_EQ(largest[r], *std::max_element(&x[r * C], &x[r * C] + C));
      }
      for (int64_t c = 0; c < C; ++c) {
        float most = x[c];
        for (int64_t r = 1; r < 5; ++r)
          most = std::max(most, x[r * C + c]);
        ASSERT_EQ(maxima[c], most);
      }
    }
}

} // namespace
} // namespace glm::test
