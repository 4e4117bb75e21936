// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop with drafts: they change the number of steps and nothing else.
#include "test/runtime/text/FakeModel.h"

#include <cmath>
#include <map>
#include <numeric>
#include <span>

using namespace glm::text;
using namespace glm::text::testing;

namespace {

// Drafts change the number of steps and nothing else, greedy or sampled; the draft layer is told
// every token once.
TEST(Drafting, DraftsChangeNothing) {
  for (double temperature : {0.0, 1.0})
    for (size_t drafts : {1u, 3u, 30u}) {
      FakeModel plain, drafting;
      Recorder expected, recorder;
      expected.options.sampling = recorder.options.sampling = {1.3, temperature, 20, 0.9, 0, 11};
      expected.run(plain.callbacks(), promptOf(20));
      recorder.options.drafts = drafts;
      recorder.options.chunk_rows = 7;
      recorder.run(drafting.callbacks(true), promptOf(20));
      EXPECT_EQ(recorder.tokens, expected.tokens);
      EXPECT_EQ(drafting.rows, plain.rows);
      EXPECT_EQ(recorder.statistics.steps + recorder.statistics.accepted + 1, 40u);
      std::vector<int32_t> all = drafting.rows;
      all.push_back(recorder.tokens.back());
      EXPECT_EQ(drafting.announced, std::vector<int32_t>(all.begin() + 1, all.end()));
    }
}

// Right drafts make steps rare: with honest ones three of four tokens cost no step.
TEST(Drafting, AcceptsRightDrafts) {
  FakeModel model;
  model.lieEvery = SIZE_MAX;
  Recorder recorder;
  recorder.options.drafts = 3;
  recorder.options.max_tokens = 41;
  recorder.run(model.callbacks(true), promptOf(5));
  EXPECT_EQ(recorder.statistics.steps, 10u);
  EXPECT_EQ(recorder.statistics.drafted, 30u);
  EXPECT_EQ(recorder.statistics.accepted, 30u);
}

// An automatic number of drafts changes nothing either, whether drafting pays or not.
TEST(Drafting, AutomaticDraftsChangeNothing) {
  for (double temperature : {0.0, 1.0})
    for (size_t lieEvery : {1u, 3u, 1000u}) {
      FakeModel plain, drafting;
      drafting.lieEvery = lieEvery;
      drafting.leftOut = true;
      Recorder expected, recorder;
      expected.options.sampling = recorder.options.sampling = {1.3, temperature, 20, 0.9, 0, 11};
      expected.options.max_tokens = recorder.options.max_tokens = 300;
      expected.run(plain.callbacks(), promptOf(20));
      recorder.options.drafts_automatic = 1;
      recorder.run(drafting.callbacks(true), promptOf(20));
      EXPECT_EQ(recorder.tokens, expected.tokens);
      EXPECT_EQ(drafting.rows, plain.rows);
      EXPECT_EQ(recorder.statistics.steps + recorder.statistics.accepted + 1, 300u);
    }
}

// Steps that take long and drafts that are right: as many as are allowed, five if nothing is said.
TEST(Drafting, DraftsAsMuchAsPays) {
  for (size_t allowed : {0u, 2u}) {
    FakeModel model;
    model.lieEvery = SIZE_MAX;
    model.stepTime = std::chrono::milliseconds(1);
    Recorder recorder;
    recorder.options.drafts = allowed;
    recorder.options.drafts_automatic = 1;
    recorder.options.max_tokens = 300;
    recorder.run(model.callbacks(true), promptOf(5));
    EXPECT_LT(recorder.statistics.steps, allowed ? 120u : 90u);
    EXPECT_EQ(*std::max_element(model.stepSizes.begin() + 1, model.stepSizes.end()),
              allowed ? 3u : 6u);
  }
}

// A draft layer that takes longer than the steps it saves is hardly ever called.
TEST(Drafting, LeavesADearDraftLayerAlone) {
  FakeModel model;
  model.leftOut = true;
  model.draftTime = std::chrono::milliseconds(2);
  Recorder recorder;
  recorder.options.drafts_automatic = 1;
  recorder.options.max_tokens = 400;
  recorder.run(model.callbacks(true), promptOf(5));
  EXPECT_LT(recorder.statistics.drafted, 20u);
  size_t told = size_t(std::count_if(model.announced.begin(), model.announced.end(),
                                     [](int32_t token) { return token >= 0; }));
  EXPECT_LT(told, 40u);
}

// Every draft that the model came to is counted at its position.
TEST(Drafting, CountsDraftsByPosition) {
  FakeModel model; // every third draft is wrong
  Recorder recorder;
  recorder.options.drafts = 3;
  recorder.options.max_tokens = 200;
  recorder.run(model.callbacks(true), promptOf(5));
  const auto &statistics = recorder.statistics;
  size_t accepted = 0;
  for (size_t i = 0; i < GLM_DRAFT_POSITIONS; ++i) {
    accepted += statistics.draft_accepted[i];
    EXPECT_LE(statistics.draft_tried[i],
              i == 0 ? statistics.steps : statistics.draft_accepted[i - 1]);
  }
  EXPECT_EQ(accepted, statistics.accepted);
  EXPECT_EQ(statistics.draft_accepted[1], statistics.draft_tried[1]);
  EXPECT_GE(statistics.draft_tried[2], 10u);
  EXPECT_EQ(statistics.draft_tried[3], 0u);
}

/// Softmax over the `kept` largest logits of a row, by token.
std::map<int32_t, double> probabilities(const std::vector<float> &row, size_t kept) {
  std::vector<int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return row[size_t(a)] > row[size_t(b)]; });
  std::map<int32_t, double> result;
  double total = 0;
  for (int32_t token : std::span(order).first(kept))
    total += result[token] = std::exp(double(row[size_t(token)]));
  for (auto &[token, probability] : result)
    probability /= total;
  return result;
}

// Three sampled tokens, 64 ways, over many seeds: chi-square against the product of the model's
// probabilities, with drafts and without. The drafts are the likeliest tokens, right or wrong; an
// acceptance that favoured them would show here.
TEST(Drafting, SampledTokensFollowTheProbabilities) {
  constexpr size_t kept = 4, runs = 6000, tokens = 3;
  constexpr double limit = 117; // 63 degrees of freedom are above it once in 25,000
  std::vector<int32_t> prompt = promptOf(5);
  std::map<std::vector<int32_t>, double> expected = {{{}, double(runs)}};
  for (size_t i = 0; i < tokens; ++i) {
    std::map<std::vector<int32_t>, double> longer;
    for (const auto &[path, count] : expected) {
      std::vector<int32_t> sequence = prompt;
      sequence.insert(sequence.end(), path.begin(), path.end());
      for (auto [token, probability] : probabilities(FakeModel().rowAfter(sequence), kept)) {
        std::vector<int32_t> next = path;
        next.push_back(token);
        longer[next] = count * probability;
      }
    }
    expected = longer;
  }
  ASSERT_EQ(expected.size(), 64u);
  for (size_t drafts : {0u, 2u}) {
    std::map<std::vector<int32_t>, double> seen;
    size_t accepted = 0;
    for (size_t seed = 0; seed < runs; ++seed) {
      FakeModel model;
      model.lieEvery = SIZE_MAX;
      Recorder recorder;
      recorder.options.sampling = {0, 1.0, kept, 1.0, 0, seed};
      recorder.options.drafts = drafts;
      recorder.options.max_tokens = tokens;
      recorder.run(model.callbacks(drafts > 0), prompt);
      seen[recorder.tokens] += 1;
      accepted += recorder.statistics.accepted;
    }
    double square = 0;
    for (const auto &[path, count] : expected)
      square += (seen[path] - count) * (seen[path] - count) / count;
    EXPECT_LT(square, limit) << drafts;
    EXPECT_EQ(seen.size(), expected.size()) << "tokens that cannot be";
    EXPECT_EQ(accepted > runs / 4, drafts > 0) << accepted;
  }
}

} // namespace
