// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The policy on recorded rounds: what the drafts of the demo were worth, under times of several
// kinds of machine, against the best fixed number of drafts.
#include "runtime/text/DraftPolicy.h"
#include "test/runtime/text/DraftRecord.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

using namespace glm::text;
using namespace glm::text::testing;

namespace {

constexpr size_t most = 5;

/// A step of n rows takes first + (n - 1) * row, k drafts take follow + k * draft.
struct Machine {
  double first, row, follow, draft;
  double noise = 0; ///< times are up to so much longer; with noise every tenth is twice as long
  double step(size_t rows) const { return first + double(rows - 1) * row; }
  double drafts(size_t count) const { return follow + double(count) * draft; }
};

/// Rounds of one generation after another through a record.
struct Replay {
  std::string record;
  Machine machine;
  size_t position = 0, rounds = 0;
  double time = 0; ///< without the noise
  uint64_t random = 1;

  double noisy(double duration) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    double share = double(random >> 40) / double(1 << 24);
    return duration * (machine.noise > 0 && share < 0.1 ? 2 : 1 + machine.noise * share);
  }

  /// The round at the position; the draft layer runs when it must or follows.
  DraftRound round(size_t drafts, bool follow) {
    DraftRound round;
    round.drafted = drafts;
    round.accepted = std::min(drafts, size_t(record[position % record.size()] - '0'));
    round.stepTime = noisy(machine.step(drafts + 1));
    time += machine.step(drafts + 1);
    if (drafts > 0 || follow) {
      round.draftTime = noisy(machine.drafts(drafts));
      time += machine.drafts(drafts);
    }
    position += round.accepted + 1;
    rounds += 1;
    return round;
  }

  double timePerToken() const { return time / double(position); }
};

/// Time per token of the best fixed number of drafts, and the number.
struct Best {
  double time;
  size_t drafts;
};

Best bestFixed(const std::string &record, const Machine &machine) {
  Best best{INFINITY, 0};
  for (size_t drafts = 0; drafts <= most; ++drafts) {
    Replay replay{record, machine};
    while (replay.position < record.size())
      replay.round(drafts, false);
    if (replay.timePerToken() < best.time)
      best = {replay.timePerToken(), drafts};
  }
  return best;
}

/// Lets the policy decide up to the end of the record; how often it took each number.
std::array<size_t, most + 1> run(DraftPolicy &policy, Replay &replay) {
  std::array<size_t, most + 1> uses{};
  while (replay.position < replay.record.size()) {
    DraftPolicy::Plan plan = policy.next();
    EXPECT_LE(plan.drafts, most);
    uses[plan.drafts] += 1;
    policy.record(replay.round(plan.drafts, plan.follow));
  }
  return uses;
}

/// How much longer the policy takes than the best fixed number; the median of several noises.
double overhead(const std::string &record, const Machine &machine) {
  double best = bestFixed(record, machine).time;
  std::vector<double> ratios;
  for (uint64_t seed = 1; seed <= (machine.noise > 0 ? 31 : 1); ++seed) {
    DraftPolicy policy(most);
    Replay replay{record, machine};
    replay.random = seed * 977;
    run(policy, replay);
    ratios.push_back(replay.timePerToken() / best - 1);
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

/// Drafts that are right at every ninth position at most.
std::string poorRecord() {
  std::string poor = draftRecord;
  for (size_t i = 0; i < poor.size(); ++i)
    poor[i] = i % 9 ? '0' : poor[i];
  return poor;
}

constexpr Machine cheap{10, 0.3, 0.2,
                        0.3}; // verified rows are nearly free: dense, weights read once
constexpr Machine experts{10, 4.5, 0.1, 0.2}; // every row reads experts of its own
constexpr Machine compute{10, 9.5, 0.1, 0.3}; // every row costs a step

// E and C are what the header says, of the rates and times told.
TEST(DraftPolicy, KnowsTheFormula) {
  DraftPolicy policy(2);
  for (size_t i = 0; i < 4000; ++i) {
    size_t drafts = i % 3; // the first is right in three of four, the second in half of those
    policy.record({drafts, i / 3 % 4 == 0 ? 0 : std::min<size_t>(drafts, 1 + i / 12 % 2),
                   10.0 + double(drafts), 1.0 + double(drafts) / 2});
  }
  EXPECT_NEAR(policy.acceptance(1), 0.75, 0.05);
  EXPECT_NEAR(policy.acceptance(2), 0.5, 0.1);
  EXPECT_EQ(policy.expectedTokens(0), 1);
  EXPECT_EQ(policy.expectedTokens(2), 1 + policy.acceptance(1) * (1 + policy.acceptance(2)));
  EXPECT_EQ(policy.cost(0), 10); // the layer need not run
  EXPECT_EQ(policy.cost(1), 11 + 1.5);
  EXPECT_EQ(policy.cost(2), 12 + 2);
  EXPECT_EQ(policy.settled(), 2u);
}

// Medians of the last 15; what was not measured lies on a line.
TEST(DraftPolicy, TakesMediansOfTimes) {
  DraftTimes times(6);
  EXPECT_EQ(times.at(3), 0);
  times.add(2, 8);
  EXPECT_EQ(times.at(1), 8);
  EXPECT_EQ(times.at(3), 12); // in proportion
  times.add(2, 100);
  EXPECT_EQ(times.at(2), 8); // of two the lower
  times.add(4, 10);
  EXPECT_EQ(times.at(3), 9);  // between
  EXPECT_EQ(times.at(6), 12); // beyond
  for (int i = 0; i < 15; ++i)
    times.add(2, i % 3 ? 20 : 500);
  EXPECT_EQ(times.at(2), 20);
  EXPECT_EQ(times.at(6), 10); // never shorter for being more
}

// A single time is not believed when it is longer than its neighbours suggest.
TEST(DraftPolicy, DoubtsFirstTimes) {
  DraftTimes times(3);
  times.add(1, 10);
  times.add(2, 11);
  times.add(3, 40);
  EXPECT_EQ(times.at(3), 12);
  times.add(3, 40);
  EXPECT_EQ(times.at(3), 40);
}

// Good drafts that cost little: the best number of the formula or a neighbour nearly as good.
TEST(DraftPolicy, DraftsManyWhereTheyAreCheap) {
  Best best = bestFixed(draftRecord, cheap);
  EXPECT_EQ(best.drafts, 4u);
  DraftPolicy policy(most);
  Replay replay{draftRecord, cheap};
  auto uses = run(policy, replay);
  EXPECT_GT(uses[3] + uses[4] + uses[5], replay.rounds * 9 / 10);
  EXPECT_LT(replay.timePerToken() / best.time, 1.02);
}

// Drafts that are seldom right: none, and looking again costs little.
TEST(DraftPolicy, DraftsNothingThatIsSeldomRight) {
  for (const Machine &machine : {experts, compute}) {
    EXPECT_EQ(bestFixed(poorRecord(), machine).drafts, 0u);
    DraftPolicy policy(most);
    Replay replay{poorRecord(), machine};
    auto uses = run(policy, replay);
    EXPECT_EQ(policy.settled(), 0u);
    EXPECT_GT(uses[0], replay.rounds * 95 / 100);
    EXPECT_GT(uses[1], 5u); // but it looks
    EXPECT_LT(overhead(poorRecord(), machine), 0.03);
    EXPECT_LT(overhead(std::string(512, '0'), machine), 0.03);
  }
}

// Short texts pay for the opening, and for nothing more.
TEST(DraftPolicy, ProbesLittleInShortTexts) {
  DraftPolicy policy(most);
  Replay replay{std::string(200, '0'), compute};
  EXPECT_EQ(run(policy, replay)[1], 3u);
}

// A step that takes long because it is the first of so many rows is not held against them.
TEST(DraftPolicy, ForgivesFirstTimes) {
  DraftPolicy policy(most);
  Replay replay{std::string(150, '5'), cheap};
  std::array<bool, most + 1> seen{};
  while (replay.position < replay.record.size()) {
    DraftPolicy::Plan plan = policy.next();
    DraftRound round = replay.round(plan.drafts, plan.follow);
    if (!seen[plan.drafts])
      round.stepTime *= 10;
    seen[plan.drafts] = true;
    policy.record(round);
  }
  EXPECT_EQ(policy.settled(), most);
}

// The same drafts are worth less the more a verified row costs.
TEST(DraftPolicy, DraftsFewerWhereRowsAreDear) {
  size_t before = most;
  for (double row : {0.3, 1.0, 3.0, 4.5, 9.5}) {
    Machine machine{10, row, 0.2, 0.3};
    Best best = bestFixed(draftRecord, machine);
    EXPECT_LE(best.drafts, before);
    before = best.drafts;
    EXPECT_LT(overhead(draftRecord, machine), 0.03) << row;
  }
  EXPECT_EQ(before, 0u);
}

// A busy machine: times up to a third longer, and twice as long now and then.
TEST(DraftPolicy, IsSteadyUnderNoise) {
  for (Machine machine : {cheap, experts, compute}) {
    machine.noise = 0.3;
    EXPECT_LT(overhead(draftRecord, machine), 0.03);
    EXPECT_LT(overhead(poorRecord(), machine), 0.03);
  }
}

// Text on which the drafts are good, bad and good again; a machine on which rows become dear.
TEST(DraftPolicy, FollowsChanges) {
  std::string good = draftRecord, bad(good.size(), '0');
  Machine machine{10, 2, 0.4, 0.4};
  DraftPolicy policy(most);
  for (const std::string &part : {good, bad, good}) {
    Replay replay{part, machine};
    run(policy, replay);
    EXPECT_LT(replay.timePerToken() / bestFixed(part, machine).time, 1.06);
  }
  Replay replay{good, compute};
  run(policy, replay);
  EXPECT_LT(replay.timePerToken() / bestFixed(good, compute).time, 1.06);
}

// The layer runs without drafts only where that is cheap, or drafting pays.
TEST(DraftPolicy, FollowsWhileItIsCheap) {
  for (double follow : {0.1, 0.5}) {
    DraftPolicy policy(most);
    Replay replay{std::string(300, '0'), {10, 5, follow, 1}};
    run(policy, replay);
    EXPECT_EQ(policy.next().follow, follow == 0.1);
  }
  DraftPolicy policy(most);
  Replay replay{draftRecord, {10, 1, 2, 0.2}};
  run(policy, replay);
  EXPECT_TRUE(policy.next().follow);
}

// Rounds with fewer drafts than planned and clocks that stand still are no harm.
TEST(DraftPolicy, StandsWhatItIsTold) {
  DraftPolicy policy(1), still(most);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(policy.next().drafts, 1u);
    policy.record({0, 0, 10, std::nullopt});
    EXPECT_LE(still.next().drafts, most);
    still.record({size_t(i) % 6, 0, 0, 0});
  }
}

} // namespace
