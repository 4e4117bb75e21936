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
    rows[1][t] = float(random.below(3)) - 1.0f;                   // ties everywhere
    rows[2][t] = t % 2 == 0 ? 0.0f : -0.0f;                       // one value in two forms
    rows[3][t] = -1000 - random.value();                          // only negative
    rows[4][t] = t % 5 == 0 ? -INFINITY : random.value() * 1e-39f; // below the normal range
    rows[5][t] = float(t);                                        // each is better than all before
    rows[6][t] = float(-t);                                       // each is worse
    rows[7][t] = -3.5f;                                           // all equal
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

} // namespace
} // namespace glm::test
