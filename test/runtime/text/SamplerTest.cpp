// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sampling: frequencies against probabilities, the edges of every cut, and numbers that must never
// change.
#include "runtime/text/Sampler.h"
#include "runtime/text/Error.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <map>

using namespace glm::text;
using ::testing::ElementsAre;
using ::testing::FloatNear;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

glm_sampling at(double temperature) {
  glm_sampling sampling{};
  sampling.temperature = temperature;
  sampling.seed = 1;
  return sampling;
}

std::map<int32_t, int> count(const glm_sampling &sampling, std::vector<float> logits, int picks) {
  Sampler sampler(sampling);
  std::map<int32_t, int> counts;
  for (int i = 0; i < picks; ++i)
    ++counts[sampler.pick(logits)];
  return counts;
}

std::vector<float> logitsOf(std::vector<double> probabilities) {
  std::vector<float> logits;
  for (double p : probabilities)
    logits.push_back(float(std::log(p)));
  return logits;
}

std::vector<int32_t> tokensOf(const std::map<int32_t, int> &counts) {
  std::vector<int32_t> tokens;
  for (const auto &[token, n] : counts)
    tokens.push_back(token);
  return tokens;
}

// e^x is right to 1e-14 relative over the whole range.
TEST(Sampler, ExponentialIsExact) {
  for (double x = 0; x > -600; x -= 0.0917)
    EXPECT_NEAR(exponential(x) / std::exp(x), 1, 1e-14) << x;
  EXPECT_EQ(exponential(0), 1);
  EXPECT_EQ(exponential(-infinity), 0);
}

// The random numbers are part of the contract: a seed means the same for ever.
TEST(Sampler, RandomNumbersAreFixed) {
  EXPECT_EQ(randomNumber(0, 0), 0x1.4e0dba5e9a32fp-1);
  EXPECT_EQ(randomNumber(42, 7), 0x1.782d47a99890cp-1);
  EXPECT_NE(randomNumber(0, 1), randomNumber(1, 0));
  double sum = 0;
  for (uint64_t n = 0; n < 100000; ++n)
    sum += randomNumber(42, n);
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

// Temperature 0 takes the highest logit, of equal ones the lowest id.
TEST(Sampler, GreedyTakesTheFirstOfEqual) {
  EXPECT_EQ(Sampler(at(0)).pick(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(Sampler(glm_sampling{}).pick(std::vector<float>{-infinity, -infinity, -5}), 2);
}

// Frequencies follow the probabilities, at temperature 1 and at 2 (square roots, renormalised).
TEST(Sampler, FollowsProbabilities) {
  std::vector<double> p{0.5, 0.25, 0.2, 0.05};
  constexpr int picks = 40000;
  for (double temperature : {1.0, 2.0}) {
    auto counts = count(at(temperature), logitsOf(p), picks);
    double total = 0;
    for (double x : p)
      total += std::pow(x, 1 / temperature);
    for (size_t i = 0; i < p.size(); ++i) // five standard deviations
      EXPECT_NEAR(counts[int32_t(i)] / double(picks), std::pow(p[i], 1 / temperature) / total,
                  0.0125);
  }
}

// The same seed gives the same tokens, another seed others.
TEST(Sampler, RepeatsWithItsSeed) {
  std::vector<float> logits(100);
  auto run = [&](uint64_t seed) {
    glm_sampling sampling = at(1);
    sampling.seed = seed;
    Sampler sampler(sampling);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 20; ++i)
      tokens.push_back(sampler.pick(logits));
    return tokens;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

// top-k keeps exactly k, of equal logits the lower ids.
TEST(Sampler, TopKKeepsExactlyK) {
  glm_sampling sampling = at(1);
  sampling.top_k = 2;
  EXPECT_THAT(tokensOf(count(sampling, {1, 2, 1, 1}, 1000)), ElementsAre(0, 1));
  sampling.top_k = 1;
  EXPECT_THAT(tokensOf(count(sampling, {1, 2, 2, 1}, 100)), ElementsAre(1));
  sampling.top_k = 9;
  EXPECT_EQ(count(sampling, {1, 2, 1, 1}, 1000).size(), 4u);
}

// top-p keeps the token that crosses the limit, always one, and none more when the limit is met
// exactly.
TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  glm_sampling sampling = at(1);
  std::vector<float> logits = {0, 0, 0, 0}; // a quarter each, exactly
  for (auto [p, kept] : {std::pair{0.25, 1u},
                         {0.2500001, 2u},
                         {0.5, 2u},
                         {0.75, 3u},
                         {0.76, 4u},
                         {1e-9, 1u},
                         {1.0, 4u}}) {
    sampling.top_p = p;
    EXPECT_EQ(count(sampling, logits, 500).size(), kept) << p;
  }
  sampling.top_p = 0.6;
  EXPECT_THAT(tokensOf(count(sampling, logitsOf({0.1, 0.5, 0.1, 0.3}), 1000)), ElementsAre(1, 3));
}

// A flat distribution over a real vocabulary: the sort in pieces finds as many as one sort would.
TEST(Sampler, TopPCountsThroughManyPieces) {
  glm_sampling sampling = at(1);
  sampling.top_p = 0.5;
  auto counts = count(sampling, std::vector<float>(10000, 1.5f), 1000);
  EXPECT_GT(counts.rbegin()->first, 4900);
  EXPECT_LT(counts.rbegin()->first, 5000);
}

// top-p looks at what top-k left, renormalised.
TEST(Sampler, TopPComesAfterTopK) {
  glm_sampling sampling = at(1);
  sampling.top_k = 2;
  sampling.top_p = 0.5;
  EXPECT_THAT(tokensOf(count(sampling, logitsOf({0.3, 0.25, 0.25, 0.2}), 500)), ElementsAre(0));
}

// min-p is relative to the most likely token; the most likely one itself always stays.
TEST(Sampler, MinPCutsTheTail) {
  glm_sampling sampling = at(1);
  sampling.min_p = 0.25;
  EXPECT_THAT(tokensOf(count(sampling, logitsOf({0.6, 0.2, 0.14, 0.06}), 2000)), ElementsAre(0, 1));
  sampling.min_p = 1;
  EXPECT_THAT(tokensOf(count(sampling, logitsOf({0.6, 0.2, 0.2}), 100)), ElementsAre(0));
}

// Tokens at minus infinity never come, however flat the temperature makes the rest.
TEST(Sampler, NeverPicksTheImpossible) {
  EXPECT_THAT(tokensOf(count(at(1000), {-infinity, 1, -infinity, 2, -infinity}, 2000)),
              ElementsAre(1, 3));
}

// The penalty divides positive logits and multiplies negative ones, for tokens told and tokens
// picked.
TEST(Sampler, PenalisesRepetition) {
  glm_sampling sampling{};
  sampling.repetition_penalty = 2;
  Sampler sampler(sampling);
  sampler.observe(std::vector<int32_t>{0, -1, 1 << 20});
  EXPECT_EQ(sampler.pick(std::vector<float>{3, 2, 1.2f}), 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{3, 2, 1.2f}), 0);    // 1.5, 1, 1.2
  EXPECT_EQ(sampler.pick(std::vector<float>{-1, -1, -1.5f}), 2); // -2, -2, -1.5
}

// Log-probabilities are of the raw logits and in order.
TEST(Sampler, ReportsLogProbabilities) {
  auto best = logProbabilities(logitsOf({0.1, 0.6, 0.3}), 0, 2);
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[0].token, 0);
  EXPECT_THAT(best[0].log_probability, FloatNear(float(std::log(0.1)), 1e-6f));
  EXPECT_EQ(best[1].token, 1);
  EXPECT_EQ(best[2].token, 2);
  EXPECT_THAT(best[1].log_probability, FloatNear(float(std::log(0.6)), 1e-6f));
}

// Logits that are not numbers, and settings out of range, are errors.
TEST(Sampler, RefusesNonsense) {
  EXPECT_THROW(Sampler(at(1)).pick(std::vector<float>{1, NAN}), Error);
  EXPECT_THROW(Sampler(at(1)).pick(std::vector<float>{NAN, 1}), Error);
  EXPECT_THROW(Sampler(at(0)).pick(std::vector<float>{-infinity, -infinity}), Error);
  EXPECT_THROW(Sampler(at(0)).pick(std::vector<float>{1, infinity}), Error);
  EXPECT_THROW(Sampler(at(0)).pick({}), Error);
  EXPECT_THROW(Sampler(at(-1)), Error);
  EXPECT_THROW(Sampler(at(NAN)), Error);
  glm_sampling sampling{};
  sampling.top_p = 1.5;
  EXPECT_THROW(Sampler{sampling}, Error);
}

} // namespace
