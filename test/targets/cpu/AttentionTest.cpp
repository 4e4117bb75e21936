// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index scores with selection, and attention over selected rows.
#include "KernelRunner.h"
#include "Selection.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

/// Keys appended by one kernel are read by the other; counts below, at and above K.
TEST(Attention, IndexSelects) {
  constexpr int64_t n = 6, heads = 8, width = 32, kept = 10;
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(kernelText("index.mlir"), machine);
    Cache<float> cache(2, width, 16);
    int64_t counts[n] = {1, 9, 10, 11, 40, 1500};
    constexpr int64_t cached = 1600;
    for (int64_t slot = 0; slot < 2; ++slot) {
      Buffer<float> keys(cached * width);
      Random(slot + 5).fill(keys);
      // Equal keys make equal scores.
      for (int64_t position = 20; position < 40; ++position)
        std::copy_n(&keys[(position - 20) * width], width, &keys[position * width]);
      Buffer<glm_row> rows(cached);
      for (int64_t position = 0; position < cached; ++position)
        rows[position] = {0, int32_t(slot), int32_t(position), 0};
      kernels.run("append_key", {keys.word(), cached, rows.word(), cached, cache.word()}, 3);
      for (int64_t position = 0; position < cached; ++position)
        for (int64_t c = 0; c < width; ++c)
          ASSERT_EQ(cache.at(slot, position, c), keys[position * width + c]);
    }
    Buffer<float> q(n * heads * width), weights(n * heads);
    Random(1).fill(q);
    Random(2).fill(weights); // negative weights: negative scores
    Buffer<glm_row> rows(n);
    for (int64_t i = 0; i < n; ++i)
      rows[i] = {0, int32_t(i % 2), int32_t(counts[i] - 1), 0};
    Buffer<int32_t> selection(n * kept, 77);
    kernels.run("index",
                {q.word(), n, weights.word(), n, rows.word(), n, cache.word(), selection.word(), n},
                2);
    ASSERT_TRUE(selection.intact());
    for (int64_t i = 0; i < n; ++i) {
      std::vector<float> scores;
      for (int64_t t = 0; t < counts[i]; ++t) {
        float score = 0;
        for (int64_t h = 0; h < heads; ++h) {
          float dot = 0;
          for (int64_t c = 0; c < width; ++c)
            dot = std::fma(q[(i * heads + h) * width + c], cache.at(i % 2, t, c), dot);
          score += std::max(dot, 0.0f) * weights[i * heads + h];
        }
        scores.push_back(score * 0.0625f);
      }
      std::vector<int32_t> expected = best(scores, kept);
      for (int64_t k = 0; k < kept; ++k)
        ASSERT_EQ(selection[i * kept + k], expected[k]) << "row " << i << ", " << k;
    }
  }
}

template <typename T> void checkAttend(const TargetOptions &machine) {
  constexpr int64_t n = 5, heads = 8, latent = 24, rope = 12, width = 36, limit = 40;
  bool bf16 = sizeof(T) == 2;
  Kernels kernels(kernelText("attend.mlir", bf16 ? "" : "bf16", "f32"), machine);
  Cache<T> cache(2, width);
  Random random(7);
  for (int64_t slot = 0; slot < 2; ++slot)
    for (int64_t position = 0; position < 1200; ++position)
      for (int64_t c = 0; c < width; ++c)
        cache.at(slot, position, c) = T(random.value());
  Buffer<T> q(n * heads * latent), qr(n * heads * rope);
  for (T &value : q)
    value = T(4 * random.value());
  Random(2).fill(qr);
  Buffer<glm_row> rows(n);
  Buffer<int32_t> selection(n * limit, -1);
  int32_t positions[n] = {0, 14, 15, 38, 1100};
  for (int64_t i = 0; i < n; ++i) {
    rows[i] = {0, int32_t(i % 2), positions[i], 0};
    int64_t count = std::min<int64_t>(limit, positions[i] + 1);
    for (int64_t k = 0; k < count; ++k)
      selection[i * limit + k] = int32_t(count < limit ? k : k * 27);
  }
  Buffer<float> y(n * heads * latent, NAN);
  kernels.run(
      "attend",
      {q.word(), n, qr.word(), n, rows.word(), n, selection.word(), n, cache.word(), y.word(), n},
      3);
  ASSERT_TRUE(y.intact());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t h = 0; h < heads; ++h) {
      int64_t count = std::min<int64_t>(limit, positions[i] + 1);
      std::vector<double> weights(count);
      double total = 0, sums[latent] = {};
      for (int64_t k = 0; k < count; ++k) {
        double dot = 0;
        for (int64_t c = 0; c < width; ++c)
          dot += double(c < latent ? float(q[(i * heads + h) * latent + c])
                                   : float(qr[(i * heads + h) * rope + c - latent])) *
                 float(cache.at(i % 2, selection[i * limit + k], c));
        total += weights[k] = std::exp(dot * 0.25);
      }
      for (int64_t k = 0; k < count; ++k)
        for (int64_t c = 0; c < latent; ++c)
          sums[c] += weights[k] / total * float(cache.at(i % 2, selection[i * limit + k], c));
      for (int64_t c = 0; c < latent; ++c)
        ASSERT_NEAR(y[(i * heads + h) * latent + c], sums[c], 1e-5)
            << "row " << i << ", head " << h << ", column " << c;
    }
}

TEST(Attention, OverSelectedRows) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    checkAttend<float>(machine);
    checkAttend<Bf16>(machine);
  }
}

} // namespace
} // namespace glm::test
