// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Selection: exact for every kind of scores, the same when a stream is split into ranges, and for
// several rows that share a stream.
#include "Selection.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

using Scores = std::vector<std::vector<float>>;

/// One row of each kind that a selection may get wrong.
Scores scoresOf(int64_t T) {
  Random random(3);
  Scores rows(10, std::vector<float>(T));
  for (int64_t t = 0; t < T; ++t) {
    rows[0][t] = random.value();
    rows[1][t] = float(random.below(3)) - 1.0f;                    // ties everywhere
    rows[2][t] = t % 2 == 0 ? 0.0f : -0.0f;                        // one value in two forms
    rows[3][t] = -1000 - random.value();                           // only negative
    rows[4][t] = t % 5 == 0 ? -INFINITY : random.value() * 1e-39f; // below the normal range
    rows[5][t] = float(t);                                         // each is better than all before
    rows[6][t] = float(-t);                                        // each is worse
    rows[7][t] = -3.5f;                                            // all equal
    rows[8][t] = t % 7 == 0 ? INFINITY : (t % 7 == 1 ? 3.4028235e38f : -3.4028235e38f);
    rows[9][t] = float(t / 100) * (t % 2 == 0 ? 1.0f : -1.0f); // steps of ties, both signs
  }
  return rows;
}

void expectBest(Buffer<int32_t> &ids, const Scores &rows, int64_t K) {
  ASSERT_TRUE(ids.intact());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<int32_t> expected = best(rows[i], K);
    for (int64_t k = 0; k < K; ++k)
      ASSERT_EQ(ids[i * K + k], expected[k]) << "row " << i << ", " << k;
  }
}

/// Counts at, around and far above K, so that lists are cut never, at the end, and on the way.
TEST(TopK, OfGivenScores) {
  for (const TargetOptions &machine : runnableMachines())
    for (auto [T, K] : {std::pair<int64_t, int64_t>{20000, 100},
                        {3000, 100},
                        {65, 64},
                        {64, 64},
                        {63, 64},
                        {33, 1}}) {
      SCOPED_TRACE(nameOf(machine) + " " + std::to_string(T));
      Kernels kernels(topOfGiven(T, K), machine);
      Scores rows = scoresOf(T);
      Buffer<float> x(rows.size() * T);
      for (size_t i = 0; i < rows.size(); ++i)
        std::copy(rows[i].begin(), rows[i].end(), &x[i * T]);
      Buffer<int32_t> ids(rows.size() * K, 77);
      kernels.run("top", {x.word(), rows.size(), ids.word(), rows.size()}, 2);
      expectBest(ids, rows, K);
    }
}

/// Ranges of uneven size, the last ones empty, lists that are not full.
TEST(TopK, OfRangesIsTopOfAll) {
  struct Case {
    int64_t T, K, P, L;
  };
  for (const TargetOptions &machine : runnableMachines())
    for (auto [T, K, P, L] : {Case{1000, 10, 3, 336}, Case{1000, 64, 4, 336}, Case{130, 100, 5, 32},
                              Case{20000, 100, 2, 16000}, Case{100, 100, 4, 32}}) {
      SCOPED_TRACE(nameOf(machine) + " " + std::to_string(T) + " by " + std::to_string(L));
      Kernels kernels(topOfRanges(T, K, P, L), machine);
      Scores rows = scoresOf(T);
      size_t n = rows.size();
      Buffer<float> x(n * T), scores(n * P * K, NAN);
      for (size_t i = 0; i < n; ++i)
        std::copy(rows[i].begin(), rows[i].end(), &x[i * T]);
      Buffer<int32_t> ids(n * P * K, 77), best(n * K, 77);
      kernels.run("ranges", {x.word(), n, scores.word(), n * P, ids.word(), n * P}, 3);
      kernels.run("merge", {scores.word(), n * P, ids.word(), n * P, best.word(), n}, 2);
      expectBest(best, rows, K);
    }
}

/// Rows that share a stream end where they end; one of them has no position at all.
TEST(TopK, OfRowsWithTheirOwnEnds) {
  constexpr int64_t T = 2000, K = 100, begin = 16;
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(topOfRows(T, K), machine);
    Scores rows = scoresOf(T);
    rows.resize(8);
    const int32_t ends[8] = {2000, 116, 117, 16, 40, 1999, 0, 1025};
    Buffer<float> x(rows.size() * T);
    Buffer<int32_t> last(rows.size()), ids(rows.size() * K, 77);
    for (size_t i = 0; i < rows.size(); ++i) {
      std::copy(rows[i].begin(), rows[i].end(), &x[i * T]);
      last[i] = ends[i];
    }
    kernels.run("rows", {x.word(), 8, last.word(), 8, ids.word(), 8}, 2);
    ASSERT_TRUE(ids.intact());
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<float> seen;
      if (ends[i] > begin)
        seen.assign(rows[i].begin() + begin, rows[i].begin() + ends[i]);
      std::vector<int32_t> expected = best(seen, K);
      for (int64_t k = 0; k < K; ++k)
        ASSERT_EQ(ids[i * K + k], expected[k] < 0 ? -1 : expected[k] + begin) << i << ", " << k;
    }
  }
}

/// A row's selection does not depend on the rows it shares keys with.
TEST(TopK, OfKeysForSeveralRows) {
  constexpr int64_t H = 4, D = 32, n = 8, K = 50, count = 1500;
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Cache<Bf16> cache(1, D, 16);
    Random random(5);
    for (int64_t position = 0; position < count; ++position)
      for (int64_t c = 0; c < D; ++c)
        cache.at(0, position, c) = Bf16(random.value());
    Buffer<Bf16> q(n * H * D);
    Buffer<float> w(n * H);
    Random(1).fill(q);
    Random(2).fill(w);
    Buffer<glm_row> rows(n);
    for (int64_t i = 0; i < n; ++i)
      rows[i] = {0, 0, count - 1, 0};
    Buffer<int32_t> alone(n * K), together(n * K);
    for (auto [R, ids] : {std::pair<int64_t, Buffer<int32_t> *>{1, &alone}, {4, &together}}) {
      Kernels kernels(searchOfKeys(H, D, R, K), machine);
      kernels.run("search",
                  {q.word(), n, w.word(), n, rows.word(), n, cache.word(), ids->word(), n}, 2);
    }
    for (int64_t i = 0; i < n * K; ++i)
      ASSERT_EQ(together[i], alone[i]) << "row " << i / K << ", " << i % K;
  }
}

} // namespace
} // namespace glm::test
