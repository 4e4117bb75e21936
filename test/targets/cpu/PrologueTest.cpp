// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What few rows take and what many rows take are the same to the bit, for every number of rows that
// may take either and any number of workers.
#include "KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

constexpr int64_t K = 96, N0 = 40, N1 = 20, most = 8, experts = 20, topK = 3;

template <typename T>::testing::AssertionResult equal(Buffer<T> &a, Buffer<T> &b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0)
      return ::testing::AssertionFailure() << a[i] << " and " << b[i] << " at " << i;
  return ::testing::AssertionSuccess();
}

TEST(Prologue, NormalisesForEveryWorker) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(kernelText("prologue.mlir"), machine);
    auto a = randomVector<Bf16>(N0 * K, 1);
    auto b = randomVector<float>(N1 * K, 2);
    Buffer<Bf16> packedA = packPanels(a, N0, K, 16, 2), gain(K);
    Buffer<float> packedB = packPanels(b, N1, K, 16, 1), x(most * K);
    Random random(3);
    random.fill(gain);
    random.fill(x);
    for (uint64_t n = 1; n <= most; ++n)
      for (uint32_t workers : {1, 3}) {
        SCOPED_TRACE(n);
        Buffer<Bf16> rounded(n * K);
        Buffer<float> rows(n * K), few0(n * N0, NAN), few1(n * N1, NAN), many0(n * N0, NAN),
            many1(n * N1, NAN);
        kernels.run("norm_linear",
                    {x.word(), n, gain.word(), packedA.word(), packedB.word(), few0.word(), n,
                     few1.word(), n},
                    workers);
        kernels.run("norm", {x.word(), n, gain.word(), rounded.word(), n, rows.word(), n}, workers);
        kernels.run("linear_group",
                    {rounded.word(), n, rows.word(), n, packedA.word(), packedB.word(),
                     many0.word(), n, many1.word(), n},
                    workers);
        ASSERT_TRUE(few0.intact() && few1.intact() && many0.intact() && many1.intact());
        ASSERT_TRUE(equal(few0, many0));
        ASSERT_TRUE(equal(few1, many1));
      }
    // And they are what they are called.
    double squares = 0, sum = 0;
    for (int64_t c = 0; c < K; ++c)
      squares += double(x[c]) * x[c];
    for (int64_t c = 0; c < K; ++c)
      sum += x[c] / std::sqrt(squares / K + 1e-5) * gain[c] * b[3 * K + c];
    Buffer<float> y0(N0), y1(N1);
    kernels.run("norm_linear", {x.word(), 1, gain.word(), packedA.word(), packedB.word(), y0.word(),
                                1, y1.word(), 1});
    EXPECT_NEAR(y1[3], sum, 1e-4);
  }
}

TEST(Prologue, RoutesInOneUnit) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    Kernels kernels(kernelText("prologue.mlir"), machine);
    auto w = randomVector<float>(experts * K, 4);
    Buffer<float> packed = packPanels(w, experts, K, 16, 1), x(most * K), bias(experts);
    Random random(5);
    random.fill(x);
    random.fill(bias);
    for (uint64_t n = 1; n <= most; ++n) {
      SCOPED_TRACE(n);
      struct Routing {
        Buffer<int32_t> ids, order, inverse, offsets, active;
        Buffer<float> weights;
        explicit Routing(uint64_t n)
            : ids(n * topK), order(n * topK), inverse(n * topK), offsets(experts + 1),
              active(experts + 1), weights(n * topK, NAN) {}
      } few(n), many(n);
      kernels.run("router",
                  {x.word(), n, packed.word(), bias.word(), few.ids.word(), n, few.weights.word(),
                   n, few.order.word(), n, few.inverse.word(), n, few.offsets.word(),
                   few.active.word()},
                  2);
      Buffer<float> logits(n * experts);
      kernels.run("linear", {x.word(), n, packed.word(), logits.word(), n}, 2);
      kernels.run("route",
                  {logits.word(), n, bias.word(), many.ids.word(), n, many.weights.word(), n}, 2);
      kernels.run("group",
                  {many.ids.word(), n, many.order.word(), n, many.inverse.word(), n,
                   many.offsets.word(), many.active.word()},
                  2);
      ASSERT_TRUE(few.ids.intact() && few.weights.intact() && few.order.intact() &&
                  few.inverse.intact() && few.offsets.intact() && few.active.intact());
      ASSERT_TRUE(equal(few.ids, many.ids));
      ASSERT_TRUE(equal(few.weights, many.weights));
      ASSERT_TRUE(equal(few.order, many.order));
      ASSERT_TRUE(equal(few.inverse, many.inverse));
      ASSERT_TRUE(equal(few.offsets, many.offsets));
      for (int32_t i = 0; i <= many.active[0]; ++i)
        ASSERT_EQ(few.active[i], many.active[i]);
    }
  }
}

} // namespace
} // namespace glm::test
