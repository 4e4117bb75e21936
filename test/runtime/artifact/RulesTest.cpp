// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One case for each rule of SCHEMA.md that the walk over its structure does not know.
#include "test/runtime/fixture/Toy.h"

#include <cstring>
#include <gtest/gtest.h>

namespace {

/// Loads the toy with a knob turned and returns the message; expects `code`.
template <typename Turn> std::string refusal(Turn turn, int32_t code = GLM_MALFORMED) {
  toy::Knobs knobs;
  turn(knobs);
  glm_status status = toy::load(toy::build(knobs));
  EXPECT_EQ(status.code, code) << status.message;
  return status.message;
}

bool contains(const std::string &text, const char *part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
  return text.find(part) != std::string::npos;
}

} // namespace

// A weight lies inside its segment, at a multiple of 64.
TEST(Rules, WeightPlace) {
  EXPECT_TRUE(contains(
      refusal([](toy::Knobs &k) { k.weightOffset = 4096; }),
      "weight embedding: offset 4096 and size 256 exceed the 4160 bytes of segment weights"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.weightOffset = ~0ull - 10; }),
                       "weight embedding: offset"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.weightOffset = 4; }),
                       "starts at 4, not at a multiple of 64"));
}

// So does every slab of a bank.
TEST(Rules, SlabPlace) {
  EXPECT_TRUE(
      contains(refusal([](toy::Knobs &k) { k.slabOffset = 4160; }), "bank experts: offset 4160"));
}

// A kernel's entry lies in the executable part of a code segment.
TEST(Rules, KernelPlace) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.kernelOffset = 0; }),
                       "kernel embed: offset 0 is not in the executable part of segment code"));
  refusal([](toy::Knobs &k) { k.kernelOffset = 1ull << 60; });
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.kernelSegment = 1; }),
                       "kernel embed: segment 1 is no segment of code"));
  refusal([](toy::Knobs &k) { k.kernelSegment = 77; });
}

// Arguments and ports name buffers that are there.
TEST(Rules, Indices) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.argumentIndex = 7; }),
                       "entry step: an argument of kind 0 names number 7 of 7"));
  refusal([](toy::Knobs &k) { k.portBuffer = 7; });
}

// Segments are aligned, lie behind the program and do not overlap.
TEST(Rules, SegmentPlace) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.segmentAlignment = 64; }),
                       "alignment 64, at least 4096"));
  refusal([](toy::Knobs &k) { k.segmentAlignment = 4097; });
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.codeSegmentOffset = toy::tokenizerAt; }),
                       "overlaps segment code"));
  refusal([](toy::Knobs &k) { k.codeSegmentOffset = 4ull << 20; });
  refusal([](toy::Knobs &k) { k.codeSegmentOffset = ~0ull & ~4095ull; });
}

// Pages of all states have the program's rows, and rows hold their elements.
TEST(Rules, States) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.statePageRows = 8; }),
                       "state rows: has pages of 8 rows, the program's have 16"));
  refusal([](toy::Knobs &k) { k.stateWidth = 5; });
  refusal([](toy::Knobs &k) { k.stateWidth = -1; });
}

// Expressions are well formed, wherever they stand.
TEST(Rules, Expressions) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.exprOp = 100; }),
                       "an expression has an unknown operation"));
}

// What a session can choose lies between bounds, and only it chooses.
TEST(Rules, Choices) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.keysPreset = toy::maxKeys + 1; }),
                       "dim expanded_keys: min 0, preset 129, max 128: must ascend from 0"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.keysMin = -1; }), "min -1"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.keysMin = 65; }), "min 65, preset 64"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.stepPreset = 1; }), "only a session chooses"));
}

// Other devices and several ranks need another runtime.
TEST(Rules, Unsupported) {
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.deviceKind = 2; }, GLM_UNSUPPORTED),
                       "this runtime executes processors only"));
  EXPECT_TRUE(contains(refusal([](toy::Knobs &k) { k.ranks = 4; }, GLM_UNSUPPORTED),
                       "is made for 4 ranks"));
}

// The processor must have what the code uses; a name nobody knows is not assumed to be there.
TEST(Rules, Processor) {
  EXPECT_TRUE(contains(
      refusal([](toy::Knobs &k) { k.requiredFeatures = {"avx4096"}; }, GLM_WRONG_PROCESSOR),
      "needs avx4096, which this runtime cannot look for"));
#if defined(__x86_64__)
  toy::Knobs knobs;
  knobs.requiredFeatures = {"sse2", "+cx16"};
  EXPECT_EQ(toy::load(toy::build(knobs)).code, GLM_OK);
#endif
}

// A ledger may be there or not.
TEST(Rules, Ledger) {
  toy::Knobs knobs;
  knobs.ledger = true;
  EXPECT_EQ(toy::load(toy::build(knobs)).code, GLM_OK);
}

// Branches nested deeper than the verifier goes are refused instead of overflowing a stack.
TEST(Rules, NestedBranches) {
  toy::Knobs knobs;
  knobs.bodyDepth = 10;
  EXPECT_EQ(toy::load(toy::build(knobs)).code, GLM_OK);
  refusal([](toy::Knobs &k) { k.bodyDepth = 100; });
}
