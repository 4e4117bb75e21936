// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over expanded keys against plain loops in double: expand, hide, attend.
#include "Expanded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace glm::test {
namespace {

/// A batch of `n` rows of slot 1 from position `first` on, over random cached rows.
template <typename T> struct Batch {
  ExpandedSizes s;
  int64_t n, first, keys;
  Cache<T> cache;
  std::vector<T> uk, uv;
  Buffer<T> qn, qr;
  Buffer<glm_row> rows;
  Buffer<int32_t> selection;

  Batch(const ExpandedSizes &s, int64_t n, int64_t first)
      : s(s), n(n), first(first), keys(first + n), cache(2, s.L + s.R),
        uk(randomVector<T>(s.H * s.D * s.L, 3)), uv(randomVector<T>(s.H * s.V * s.L, 4)),
        qn(n * s.H * s.D), qr(n * s.H * s.R), rows(n), selection(n * s.limit, -1) {
    // What was never appended is no number, also on the page of the last key.
    for (T &value : cache.pages)
      value = T(NAN);
    Random random(7);
    for (int64_t t = 0; t < keys; ++t)
      for (int64_t c = 0; c < s.L + s.R; ++c)
        cache.at(1, t, c) = T(random.value());
    Random(1).fill(qn);
    Random(2).fill(qr);
    for (int64_t i = 0; i < n; ++i)
      rows[i] = {0, 1, int32_t(first + i), 0};
    select();
  }

  /// Every third row only late keys, every third only early ones, the rest anywhere.
  void select() {
    Random random(9);
    for (int64_t i = 0; i < n; ++i) {
      int64_t visible = first + i + 1, count = std::min(s.limit, visible);
      for (int64_t k = 0; k < count; ++k)
        selection[i * s.limit + k] = int32_t(i % 3 == 0   ? visible - count + k
                                             : i % 3 == 1 ? k
                                                          : visible * k / count);
    }
  }

  bool sees(int64_t i, int64_t t, bool masked) {
    const int32_t *ids = &selection[i * s.limit];
    return t <= first + i && (!masked || std::find(ids, ids + s.limit, t) != ids + s.limit);
  }
};

/// `w[h] * c` of key `t`.
template <typename T>
double expanded(Batch<T> &batch, const std::vector<T> &w, int64_t row, int64_t t) {
  double sum = 0;
  for (int64_t c = 0; c < batch.s.L; ++c)
    sum += double(float(w[row * batch.s.L + c])) * float(batch.cache.at(1, t, c));
  return sum;
}

template <typename T>
std::vector<float> run(Kernels &kernels, Batch<T> &batch, bool masked, uint32_t workers) {
  const ExpandedSizes &s = batch.s;
  int64_t blocks = (batch.keys + s.keys - 1) / s.keys * s.keys, lane = 4 / sizeof(T);
  auto pack = [&](const std::vector<T> &w, int64_t rows) {
    std::vector<T> all;
    for (int64_t h = 0; h < s.H; ++h) {
      std::vector<T> one(&w[h * rows * s.L], &w[(h + 1) * rows * s.L]);
      Buffer<T> packed = packPanels(one, rows, s.L, s.n, lane);
      all.insert(all.end(), packed.begin(), packed.end());
    }
    Buffer<T> result(all.size());
    std::copy(all.begin(), all.end(), result.begin());
    return result;
  };
  Buffer<T> uk = pack(batch.uk, s.D), uv = pack(batch.uv, s.V);
  Buffer<float> k(blocks * s.H * s.keyWidth(), NAN), v(blocks * s.H * s.valueWidth(), NAN);
  Buffer<float> y(batch.n * s.H * s.V, NAN);
  uint64_t maskRows = masked ? batch.n : 0, n = batch.n, keys = batch.keys;
  Buffer<int32_t> hidden(maskRows * s.words + 1, 77);
  kernels.run("expand",
              {batch.cache.word(), batch.rows.word(), n, uk.word(), uv.word(), k.word(), keys,
               v.word(), keys},
              workers);
  kernels.run("hide", {batch.selection.word(), n, hidden.word(), maskRows}, workers);
  kernels.run("attend",
              {batch.qn.word(), n, batch.qr.word(), n, batch.rows.word(), n, k.word(), keys,
               v.word(), keys, hidden.word(), maskRows, y.word(), n},
              workers);
  EXPECT_TRUE(k.intact() && v.intact() && y.intact() && hidden.intact());
  EXPECT_EQ(hidden[maskRows * s.words], 77);
  return {y.begin(), y.end()};
}

template <typename T>
void compareWithLoops(Batch<T> &batch, bool masked, const std::vector<float> &y) {
  const ExpandedSizes &s = batch.s;
  for (int64_t h = 0; h < s.H; ++h) {
    std::vector<double> keys, values;
    for (int64_t t = 0; t < batch.keys; ++t) {
      for (int64_t d = 0; d < s.D; ++d)
        keys.push_back(expanded(batch, batch.uk, h * s.D + d, t));
      for (int64_t c = 0; c < s.V; ++c)
        values.push_back(expanded(batch, batch.uv, h * s.V + c, t));
    }
    for (int64_t i = 0; i < batch.n; ++i) {
      std::vector<double> scores(batch.keys, -INFINITY), sums(s.V);
      double largest = -INFINITY, total = 0;
      for (int64_t t = 0; t < batch.keys; ++t) {
        if (!batch.sees(i, t, masked))
          continue;
        double dot = 0;
        for (int64_t d = 0; d < s.D; ++d)
          dot += double(float(batch.qn[(i * s.H + h) * s.D + d])) * keys[t * s.D + d];
        for (int64_t r = 0; r < s.R; ++r)
          dot += double(float(batch.qr[(i * s.H + h) * s.R + r])) *
                 float(batch.cache.at(1, t, s.L + r));
        largest = std::max(largest, scores[t] = dot * 0.25);
      }
      for (int64_t t = 0; t < batch.keys; ++t) {
        double weight = std::exp(scores[t] - largest);
        total += weight;
        for (int64_t c = 0; c < s.V; ++c)
          sums[c] += weight * values[t * s.V + c];
      }
      for (int64_t c = 0; c < s.V; ++c)
        ASSERT_NEAR(y[(i * s.H + h) * s.V + c], sums[c] / total, 2e-5)
            << "row " << i << ", head " << h << ", column " << c;
    }
  }
}

/// Sizes that are multiples of nothing, and such that fill registers and panels.
const ExpandedSizes odd{.H = 2, .D = 20, .R = 12, .V = 28, .L = 24, .limit = 40, .m = 12, .n = 32};
const ExpandedSizes even{.H = 2, .D = 64, .R = 32, .V = 128, .L = 64, .limit = 64};

template <typename T> void check(const TargetOptions &machine, const ExpandedSizes &sizes) {
  Kernels kernels(expandedKernels(sizes, sizeof(T) == 2), machine);
  // One block in part, whole blocks, a last block of one key, rows across the edge of a page.
  for (auto [n, first] : {std::pair<int64_t, int64_t>{7, 0}, {64, 0}, {65, 64}, {50, 1000}})
    for (bool masked : {false, true}) {
      SCOPED_TRACE(std::to_string(n) + " rows from " + std::to_string(first) +
                   (masked ? ", masked" : ""));
      Batch<T> batch(sizes, n, first);
      std::vector<float> y = run(kernels, batch, masked, 1);
      compareWithLoops(batch, masked, y);
      EXPECT_EQ(y, run(kernels, batch, masked, 3)) << "depends on the number of workers";
    }
}

TEST(Expanded, AgreesWithLoops) {
  for (const TargetOptions &machine : runnableMachines())
    for (const ExpandedSizes &sizes : {odd, even}) {
      SCOPED_TRACE(nameOf(machine));
      check<float>(machine, sizes);
      check<Bf16>(machine, sizes);
    }
}

/// A row's bits are those it has in any other batch: in another unit, at another place of it.
TEST(Expanded, RowsAreAloneInABatch) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(expandedKernels(odd, false), machine);
    Batch<float> whole(odd, 60, 100), part(odd, 43, 117);
    size_t width = odd.H * odd.V, skipped = 17 * odd.H;
    std::copy_n(&whole.qn[skipped * odd.D], part.qn.size(), part.qn.begin());
    std::copy_n(&whole.qr[skipped * odd.R], part.qr.size(), part.qr.begin());
    std::copy_n(&whole.selection[17 * odd.limit], part.selection.size(), part.selection.begin());
    for (bool masked : {false, true}) {
      std::vector<float> all = run(kernels, whole, masked, 2), some = run(kernels, part, masked, 2);
      EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 17 * width));
    }
  }
}

} // namespace
} // namespace glm::test
