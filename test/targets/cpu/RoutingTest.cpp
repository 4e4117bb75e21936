// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Experts of every row, pairs laid out by expert, results added up.
#include "KernelRunner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace glm::test {
namespace {

constexpr int64_t n = 9, experts = 16, topK = 4, groups = 4, kept = 2;

std::vector<int32_t> chosen(const std::vector<double> &values) {
  int64_t size = experts / groups;
  std::vector<std::pair<double, int64_t>> scores;
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<double> run(values.begin() + g * size, values.begin() + (g + 1) * size);
    std::sort(run.rbegin(), run.rend());
    scores.push_back({-(run[0] + run[1]), g});
  }
  std::sort(scores.begin(), scores.end());
  std::vector<std::pair<double, int32_t>> open;
  for (int64_t g = 0; g < kept; ++g)
    for (int64_t e = 0; e < size; ++e)
      open.push_back({-values[scores[g].second * size + e], int32_t(scores[g].second * size + e)});
  std::sort(open.begin(), open.end());
  std::vector<int32_t> ids;
  for (int64_t k = 0; k < topK; ++k)
    ids.push_back(open[k].second);
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST(Routing, SelectsGroupsCombines) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(kernelText("route.mlir"), machine);
    Buffer<float> logits(n * experts), bias(experts), weights(n * topK, NAN);
    Random random(4);
    random.fill(logits);
    random.fill(bias);
    logits[0] = -200; // exp overflows in the sigmoid
    logits[1] = 200;
    for (int64_t e = 0; e < experts; ++e)
      logits[5 * experts + e] = 0.5f - bias[e] * 0; // ties up to the bias
    Buffer<int32_t> ids(n * topK), order(n * topK), inverse(n * topK), offsets(experts + 1),
        active(experts + 1);
    kernels.run("route", {logits.word(), n, bias.word(), ids.word(), n, weights.word(), n}, 2);
    for (int64_t i = 0; i < n; ++i) {
      std::vector<double> values, sigmoids;
      for (int64_t e = 0; e < experts; ++e) {
        sigmoids.push_back(1 / (1 + std::exp(-double(logits[i * experts + e]))));
        values.push_back(double(float(sigmoids.back()) + bias[e]));
      }
      std::vector<int32_t> expected = chosen(values);
      double sum = 0;
      for (int32_t e : expected)
        sum += sigmoids[e];
      for (int64_t k = 0; k < topK; ++k) {
        ASSERT_EQ(ids[i * topK + k], expected[k]) << "row " << i;
        ASSERT_NEAR(weights[i * topK + k], 2.5 * sigmoids[expected[k]] / sum, 1e-6);
      }
    }
    kernels.run("group",
                {ids.word(), n, order.word(), n, inverse.word(), n, offsets.word(), active.word()},
                2);
    std::vector<int32_t> sorted(n * topK);
    for (int32_t pair = 0; pair < n * topK; ++pair)
      sorted[pair] = pair;
    std::sort(sorted.begin(), sorted.end(),
              [&](int32_t a, int32_t b) { return ids[a] < ids[b] || (ids[a] == ids[b] && a < b); });
    int32_t number = 0;
    for (int32_t e = 0; e < experts; ++e) {
      int64_t count = std::count(ids.begin(), ids.end(), e);
      ASSERT_EQ(offsets[e + 1] - offsets[e], count);
      if (count)
        ASSERT_EQ(active[++number], e);
    }
    ASSERT_EQ(active[0], number);
    for (int32_t p = 0; p < n * topK; ++p) {
      ASSERT_EQ(order[p], sorted[p]);
      ASSERT_EQ(inverse[sorted[p]], p);
    }
    Buffer<float> x(n * topK * 40), shared(n * 40), y(n * 40, NAN);
    random.fill(x);
    random.fill(shared);
    kernels.run("combine",
                {x.word(), n, inverse.word(), n, weights.word(), n, shared.word(), n, y.word(), n},
                2);
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < 40; ++c) {
        float sum = shared[i * 40 + c];
        for (int64_t k = 0; k < topK; ++k)
          sum += x[inverse[i * topK + k] * 40 + c] * weights[i * topK + k];
        ASSERT_NEAR(y[i * 40 + c], sum, 1e-5);
      }
  }
}

} // namespace
} // namespace glm::test
