// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row-wise kernels: norms, elementwise functions, rotations, caches, changes of shape.
#include "KernelRunner.h"

#include <gtest/gtest.h>

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

template <typename T>
void checkLatent(const TargetOptions &machine, bool interleaved) {
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

} // namespace
} // namespace glm::test
