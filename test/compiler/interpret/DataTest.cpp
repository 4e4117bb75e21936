// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding, tensors of files, caches and the order of dispatched rows.
#include "compiler/interpret/Data.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace glm::interpret;
using testing::ElementsAre;

namespace {

// Ties go to the even neighbour, overflow to infinity, NaN stays NaN, zero keeps its sign.
TEST(RoundedToBf16, EdgeCases) {
  for (auto round : {+[](double x) { return roundedToBf16(x); },
                     +[](double x) { return double(roundedToBf16(float(x))); }}) {
    EXPECT_EQ(round(1.0), 1.0);
    EXPECT_EQ(round(1.00390625), 1.0);
    EXPECT_EQ(round(1.01171875), 1.015625);
    EXPECT_EQ(round(-1.01171875), -1.015625);
    EXPECT_EQ(round(0x1.fep127), 0x1.fep127);
    EXPECT_TRUE(std::isinf(round(0x1.ffp127)));
    EXPECT_TRUE(std::isnan(round(std::nan(""))));
    EXPECT_TRUE(std::signbit(round(-0.0)));
    EXPECT_EQ(round(0x1p-133), 0x1p-133);
    EXPECT_EQ(round(0x1p-134), 0.0);
    EXPECT_EQ(round(0x1.8p-133), 0x1p-132);
  }
}

// From f64 there is one rounding, not two: just above a tie of bf16 that f32 cannot tell from it.
TEST(RoundedToBf16, RoundsOnce) {
  double above = 1.00390625 + 0x1p-40;
  EXPECT_EQ(roundedToBf16(above), 1.0078125);
  EXPECT_EQ(roundedToBf16(float(above)), 1.0f);
}

// Both widths agree on all values of f32, here on random bit patterns.
TEST(RoundedToBf16, WidthsAgree) {
  std::mt19937 random(7);
  for (int i = 0; i < 100000; ++i) {
    float value = std::bit_cast<float>(uint32_t(random()));
    if (!std::isnan(value)) {
      ASSERT_EQ(double(roundedToBf16(value)), roundedToBf16(double(value))) << value;
    }
  }
}

// Numbers of a file need no alignment and may lie in several places.
TEST(Tensor, ReadsFiles) {
  const uint16_t first[] = {0x3f80, 0x4000}, second[] = {0xc040, 0x4080};
  std::byte bytes[9];
  std::memcpy(bytes + 1, first, 4);
  std::memcpy(bytes + 5, second, 4);
  Tensor<float> bank({2, 1, 2}, Element::BF16, {bytes + 1, bytes + 5});
  std::vector<float> scratch;
  EXPECT_THAT(std::span(bank.read(2, 2, scratch), 2), ElementsAre(-3, 4));
  EXPECT_THAT(std::span(bank.read(1, 1, scratch), 1), ElementsAre(2));
  Tensor<float> held = bank.held();
  EXPECT_FALSE(held.isMapped());
  EXPECT_THAT(std::span(held.data(), 4), ElementsAre(1, 2, -3, 4));
}

// A cache grows by one position at a time, rounds to its element type, and can be written again.
TEST(Cache, Grows) {
  Cache<float> cache(2, Element::BF16);
  const float row[] = {1.001f, 2}, other[] = {5, 6};
  EXPECT_FALSE(cache.holds(0, 0));
  EXPECT_FALSE(cache.write(0, 1, row));
  EXPECT_FALSE(cache.write(0, -1, row));
  EXPECT_TRUE(cache.write(0, 0, row));
  EXPECT_TRUE(cache.write(0, 1, row));
  EXPECT_TRUE(cache.write(0, 0, other));
  EXPECT_TRUE(cache.holds(0, 1));
  EXPECT_FALSE(cache.holds(0, 2));
  EXPECT_FALSE(cache.holds(1, 0));
  EXPECT_THAT(std::span(cache.row(0, 0), 2), ElementsAre(5, 6));
  EXPECT_THAT(std::span(cache.row(0, 1), 2), ElementsAre(1, 2));
}

// Pairs are ordered by expert, then by row; an expert nobody chose has none.
TEST(Routing, OrdersPairsByExpert) {
  Routing<float> routing{4, 2, {0, 3, 0, 1, 1, 3}, {1, 2, 3, 4, 5, 6}};
  std::vector<size_t> begin;
  std::vector<size_t> rows, indices;
  for (auto [row, index] : routing.byExpert(begin)) {
    rows.push_back(row);
    indices.push_back(index);
  }
  EXPECT_THAT(begin, ElementsAre(0, 2, 4, 4, 6));
  EXPECT_THAT(rows, ElementsAre(0, 1, 1, 2, 0, 2));
  EXPECT_THAT(indices, ElementsAre(0, 2, 3, 4, 1, 5));
}

} // namespace
