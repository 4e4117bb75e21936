// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What figures are made of, without a clock.
#include "tools/glm-bench/Costs.h"
#include "tools/glm-bench/Limits.h"
#include "tools/glm-bench/Statistics.h"

#include <gmock/gmock.h>

namespace glm::bench {
namespace {

// Of an odd number the middle one, of an even number the mean of the middle two.
TEST(Summary, TakesTheMiddle) {
  Summary odd({3, 1, 2}), even({4, 1, 3, 2}), one({7});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.least, 1);
  EXPECT_EQ(odd.most, 3);
  EXPECT_EQ(even.median, 2.5);
  EXPECT_EQ(one.median, 7);
}

// The spread is a share of the mean, whichever side is larger, and nothing of nothing.
TEST(Summary, ComparesTwoLimits) {
  EXPECT_DOUBLE_EQ(spreadOf(9, 11), 0.2);
  EXPECT_DOUBLE_EQ(spreadOf(11, 9), 0.2);
  EXPECT_EQ(spreadOf(0, 0), 0);
  Limits before{10, 100, 0, 50}, after{11, 100, 0, 40};
  EXPECT_DOUBLE_EQ(spreadOf(before, after), 10.0 / 45);
  EXPECT_EQ(meanOf(before, after).read, 10.5);
}

// Peaks that are not there are left out of the JSON, and names find theirs.
TEST(Limits, NamesPeaks) {
  Limits limits{2e9, 3e9, 0, 4e9};
  EXPECT_EQ(toJson(limits).dump(),
            R"({"read_gb_per_s":2.0,"peak_gflop_per_s":{"f32":3.0,"int8":4.0}})");
  EXPECT_EQ(limits.peak("int8"), 4e9);
  EXPECT_EQ(limits.peak("f32"), 3e9);
}

// One row behind 5 keys sees 6; only rows that see more than three select and score.
TEST(StepCounts, CountsOneRow) {
  std::vector<glm_row> rows = {{0, 0, 5, 0}};
  StepCounts step = StepCounts::of(rows, 1, 3);
  EXPECT_EQ(step.rows, 1);
  EXPECT_EQ(step.logitRows, 1);
  EXPECT_EQ(step.seenKeys, 6);
  EXPECT_EQ(step.selectedKeys, 3);
  EXPECT_EQ(step.scoredKeys, 6);
  EXPECT_EQ(step.cachedKeys, 6);
  EXPECT_EQ(step.indexedKeys, 6);
}

// Rows of one slot share its keys; a slot at the bound scores nothing.
TEST(StepCounts, CountsPromptsAndSlots) {
  std::vector<glm_row> rows = {{0, 0, 1, 0}, {0, 0, 2, 0}, {0, 0, 3, 0}, {0, 1, 2, 0}};
  StepCounts step = StepCounts::of(rows, 0, 3);
  EXPECT_EQ(step.seenKeys, 2 + 3 + 4 + 3);
  EXPECT_EQ(step.selectedKeys, 2 + 3 + 3 + 3);
  EXPECT_EQ(step.scoredKeys, 4);
  EXPECT_EQ(step.cachedKeys, 4 + 3);
  EXPECT_EQ(step.indexedKeys, 4);
}

// Without a bound every key is attended to and none is scored; unknown names have no value.
TEST(StepCounts, KnowsItsNames) {
  std::vector<glm_row> rows = {{0, 0, 9, 0}};
  StepCounts step = StepCounts::of(rows, 1, 0);
  EXPECT_EQ(step.selectedKeys, 10);
  EXPECT_EQ(step.value("scored_keys"), 0);
  EXPECT_EQ(step.value("logit_rows"), 1);
  EXPECT_EQ(step.value("experts"), std::nullopt);
}

// Every loop of this processor does something, and reads what it is given.
TEST(Loops, Run) {
  Loops loops = loopsOfHost();
  std::vector<uint8_t> memory(2 * streamBlock + 64);
  uint8_t *data = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  EXPECT_EQ(loops.plain(data, 2 * streamBlock), 0);
  EXPECT_EQ(loops.gemv(data, 2 * streamBlock), 0);
  std::fill_n(data + streamBlock, streamBlock, 0x3f); // bf16 0.75
  EXPECT_GT(loops.gemv(data, 2 * streamBlock), 0.7f * streamBlock / 2 * 0.75f);
  for (const PeakLoop &loop : {loops.f32, loops.bf16Dot, loops.int8Dot})
    if (loop) {
      EXPECT_GT(loop.operations, 0);
      loop.run(10);
    }
}

// Every thread works once, and the best of a few scores are found in some time.
TEST(Limits, RunInParallel) {
  std::vector<int> turns(3);
  EXPECT_GT(parallelSeconds(3, [&](int thread) { ++turns[size_t(thread)]; }), 0);
  EXPECT_THAT(turns, testing::Each(1));
  EXPECT_EQ(LimitLoops::topKSeconds(100, 100), 0);
  EXPECT_GT(LimitLoops::topKSeconds(10000, 100), 0);
}

// Small memory on one thread: all rates are there, and the log keeps both sides of a table.
TEST(Limits, AreTaken) {
  LimitLoops loops({1, false, false, size_t(4) << 20});
  LimitLog log(&loops);
  log.before("decode");
  Limits mean = log.after("decode");
  EXPECT_GT(mean.read, 0);
  EXPECT_GT(mean.f32, 0);
  EXPECT_EQ(mean.bf16, 0);
  nlohmann::ordered_json json = log.toJson();
  EXPECT_EQ(json["around"].size(), 1u);
  EXPECT_EQ(json["around"][0]["table"], "decode");
  EXPECT_NEAR(json["read_gb_per_s"].get<double>(), mean.read / 1e9, 1e-9);
}

// Without loops nothing is known.
TEST(Limits, MayBeAbsent) {
  LimitLog log(nullptr);
  log.before("decode");
  EXPECT_FALSE(log);
  EXPECT_EQ(log.after("decode").read, 0);
}

} // namespace
} // namespace glm::bench
