// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What packing does to codes, on values worked out by hand.
#include "compiler/artifact/Codes.h"

#include "gtest/gtest.h"

#include <cmath>
#include <vector>

namespace glm::artifact {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (int value : values)
    result.push_back(std::byte(uint8_t(value)));
  return result;
}

TEST(Codes, SignedBytesBecomeOffsetBinary) {
  std::vector<std::byte> codes = bytes({-128, -1, 0, 127});
  offsetCodes(codes.data(), codes.size());
  EXPECT_EQ(codes, bytes({0, 127, 128, 255}));
}

// The published example: rows (1, -2) and (-8, 7) lie in bytes 0x81, 0x7e.
TEST(Codes, TwoRowsShareBytes) {
  std::vector<std::byte> pairs = bytes({0x81, 0x7e}), codes(4);
  splitRowPairs(pairs.data(), 2, 2, codes.data());
  EXPECT_EQ(codes, bytes({1 + 8, -2 + 8, -8 + 8, 7 + 8}));
}

// A word holds eight columns of a row: the first four low, the others high; rows lie side by side.
TEST(Codes, NibblesFillWords) {
  std::vector<std::byte> codes =
      bytes({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, 2});
  std::vector<std::byte> packed(nibbleBytes(2, 9, 2), std::byte(0x77));
  packNibbles(codes.data(), 2, 9, 2, packed.data());
  EXPECT_EQ(packed, bytes({0x40, 0x51, 0x62, 0x73, 0xd9, 0xea, 0xfb, 0x1c, // columns 0 to 7
                           8, 0, 0, 0, 2, 0, 0, 0}));                      // column 8
}

TEST(Codes, NumbersOfEightBits) {
  std::vector<std::byte> codes = bytes({0x00, 0x01, 0x07, 0x08, 0x38, 0x39, 0x7e, 0xb8});
  std::vector<float> scales = {1, 2}, numbers(8);
  dequantize(codes.data(), Element::F8E4M3, 1, 8, 0, {scales, 2, 1, 4}, numbers.data());
  EXPECT_EQ(numbers, (std::vector<float>{0, 0x1p-9f, 7 * 0x1p-9f, 0x1p-6f, 2, 2.25, 896, -2}));
  std::vector<std::byte> nan = bytes({0x7f, 0xff});
  dequantize(nan.data(), Element::F8E4M3, 1, 2, 0, {scales, 2, 1, 4}, numbers.data());
  EXPECT_TRUE(std::isnan(numbers[0]) && std::isnan(numbers[1]));
}

// The two codes of no number are found wherever they are, the codes next to them are none.
TEST(Codes, FindsWhatIsNoNumber) {
  std::vector<std::byte> codes(3000, std::byte(0x7e));
  codes[10] = std::byte(0xfe);
  EXPECT_EQ(firstNotANumber(codes.data(), codes.size()), codes.size());
  for (size_t place : {size_t(2999), size_t(1024), size_t(0)}) {
    codes[place] = std::byte(place % 2 ? 0x7f : 0xff);
    EXPECT_EQ(firstNotANumber(codes.data(), codes.size()), place);
  }
}

// Row 0 of a block is row 3 of the matrix, whose scales change after every second row.
TEST(Codes, BlocksBeginInsideTheMatrix) {
  std::vector<std::byte> codes = bytes({1, 1});
  std::vector<float> scales = {10, 20, 30}, numbers(2);
  dequantize(codes.data(), Element::I8, 2, 1, 3, {scales, 1, 2, 1}, numbers.data());
  EXPECT_EQ(numbers, (std::vector<float>{20, 30}));
}

// Ties go to the even code, a run of zeros has no scale, and the change of every number is counted.
TEST(Codes, RunsOfARowHaveTheirScales) {
  std::vector<float> numbers = {127, -0.5, 1.5, 0, 0, 0}, scales(2);
  std::vector<std::byte> codes(6);
  Rounding rounding = quantize(numbers.data(), 1, 6, {8, 3}, {codes.data(), scales.data()});
  EXPECT_EQ(scales, (std::vector<float>{1, 0}));
  EXPECT_EQ(codes, bytes({255, 128, 130, 128, 128, 128}));
  EXPECT_DOUBLE_EQ(rounding.changes, 0.5);
  EXPECT_DOUBLE_EQ(rounding.numbers, 127 * 127 + 0.25 + 2.25);
}

TEST(Codes, FourBitsReachFromMinusSevenToSeven) {
  std::vector<float> numbers = {-14, 14, 2, 3}, scales(1);
  std::vector<std::byte> codes(4);
  quantize(numbers.data(), 1, 4, {4, 4}, {codes.data(), scales.data()});
  EXPECT_EQ(scales[0], 2);
  EXPECT_EQ(codes, bytes({-7 + 8, 7 + 8, 1 + 8, 2 + 8}));
}

// With a zero the codes reach from the least to the largest number, 0 is exact, and a number beyond
// the last code is clamped (low -1, high 14, scale 1: the zero is -7).
TEST(Codes, ZerosUseTheWholeRange) {
  std::vector<float> numbers = {-1, 14, 0, 3.4, 0, 0, 0, 0, -15, -15, 0, -1}, scales(3);
  std::vector<std::byte> codes(12);
  std::vector<int8_t> zeros(3);
  Rounding rounding =
      quantize(numbers.data(), 1, 12, {4, 4, true}, {codes.data(), scales.data(), zeros.data()});
  EXPECT_EQ(scales, (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(zeros, (std::vector<int8_t>{-7, 0, 7}));
  EXPECT_EQ(codes, bytes({0, 15, 1, 4, 8, 8, 8, 8, 0, 0, 15, 14}));
  EXPECT_NEAR(rounding.changes, 0.16, 1e-6);
}

} // namespace
} // namespace glm::artifact
