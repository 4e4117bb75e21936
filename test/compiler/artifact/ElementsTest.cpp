// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Elements.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace glm::artifact;

namespace {

template <typename From, typename To>
std::vector<To> converted(const std::vector<From> &in, Element from, Element to) {
  std::vector<To> out(in.size());
  convert(reinterpret_cast<const std::byte *>(in.data()), from,
          reinterpret_cast<std::byte *>(out.data()), to, in.size());
  return out;
}

// Every bf16 survives the way to f32 and back; NaN stays NaN.
TEST(Elements, Bf16RoundTrip) {
  std::vector<uint16_t> all(65536);
  for (uint32_t i = 0; i < all.size(); ++i)
    all[i] = uint16_t(i);
  std::vector<float> wide = converted<uint16_t, float>(all, Element::BF16, Element::F32);
  std::vector<uint16_t> back = converted<float, uint16_t>(wide, Element::F32, Element::BF16);
  for (uint32_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(std::bit_cast<uint32_t>(wide[i]), i << 16);
    if (!std::isnan(wide[i])) {
      EXPECT_EQ(back[i], all[i]);
    } else {
      EXPECT_TRUE((back[i] & 0x7f80) == 0x7f80 && (back[i] & 0x7f));
    }
  }
}

// Halfway cases go to the even neighbour, and the largest floats overflow to infinity.
TEST(Elements, Bf16RoundsToEven) {
  auto round = [](uint32_t bits) {
    return converted<float, uint16_t>({std::bit_cast<float>(bits)}, Element::F32, Element::BF16)[0];
  };
  EXPECT_EQ(round(0x3f808000), 0x3f80);
  EXPECT_EQ(round(0x3f818000), 0x3f82);
  EXPECT_EQ(round(0x3f808001), 0x3f81);
  EXPECT_EQ(round(0x7f7fffff), 0x7f80);
  EXPECT_EQ(round(0x7f800001), 0x7fc0);
}

// Every f16, subnormal ones too, against its definition.
TEST(Elements, F16AgainstDefinition) {
  for (uint32_t i = 0; i < 65536; ++i) {
    uint16_t bits = uint16_t(i);
    float wide = converted<uint16_t, float>({bits}, Element::F16, Element::F32)[0];
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double expected = exponent == 31 ? (mantissa ? NAN : INFINITY)
                      : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                     : std::ldexp(mantissa, -24);
    if (bits & 0x8000)
      expected = -expected;
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(wide));
      continue;
    }
    EXPECT_EQ(double(wide), expected) << i;
    EXPECT_EQ((converted<float, uint16_t>({wide}, Element::F32, Element::F16)[0]), bits);
  }
}

// Between two neighbouring f16 the nearer one is taken, the even one in the middle.
TEST(Elements, F16Rounds) {
  auto narrow = [](float value) {
    return converted<float, uint16_t>({value}, Element::F32, Element::F16)[0];
  };
  EXPECT_EQ(narrow(1.0f + 0x1p-11f), 0x3c00);
  EXPECT_EQ(narrow(1.0f + 0x1.8p-10f), 0x3c02);
  EXPECT_EQ(narrow(0x1p-25f), 0x0000);
  EXPECT_EQ(narrow(0x1.8p-25f), 0x0001);
  EXPECT_EQ(narrow(65519.0f), 0x7bff);
  EXPECT_EQ(narrow(65520.0f), 0x7c00);
  EXPECT_EQ(narrow(-0.0f), 0x8000);
  EXPECT_EQ(narrow(NAN) & 0x7e00, 0x7e00);
}

std::vector<uint16_t> counting(int64_t count) {
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = uint16_t(i * 7 + 1);
  return values;
}

/// Element (row, column) of panels, straight from the layout's definition.
template <typename T>
T inPanels(const std::vector<T> &packed, int64_t columns, int64_t n, int64_t k, int64_t row,
           int64_t column) {
  int64_t blocks = (columns + k - 1) / k;
  return packed[size_t((((row / n) * blocks + column / k) * n + row % n) * k + column % k)];
}

// Shapes that fill their panels and shapes that do not; k of 1, 2 and 4; what is beyond the matrix
// is zero.
TEST(Elements, PanelsAgainstDefinition) {
  for (auto [rows, columns, n, k] :
       {std::tuple(64, 32, 16, 2), std::tuple(40, 64, 64, 2), std::tuple(37, 24, 16, 2),
        std::tuple(37, 25, 16, 2), std::tuple(5, 7, 16, 1), std::tuple(33, 18, 32, 4)}) {
    std::vector<uint16_t> in = counting(rows * columns);
    std::vector<uint16_t> out(panelBytes(rows, columns, 2, n, k) / 2, 0xdead);
    packPanels(reinterpret_cast<const std::byte *>(in.data()), rows, columns, 2, n, k,
               reinterpret_cast<std::byte *>(out.data()));
    int64_t allRows = (rows + n - 1) / n * n, allColumns = (columns + k - 1) / k * k;
    ASSERT_EQ(int64_t(out.size()), allRows * allColumns);
    for (int64_t r = 0; r < allRows; ++r)
      for (int64_t c = 0; c < allColumns; ++c)
        ASSERT_EQ(inPanels(out, columns, n, k, r, c),
                  r < rows && c < columns ? in[size_t(r * columns + c)] : 0)
            << rows << "x" << columns << " panels<" << n << "," << k << "> at " << r << ", " << c;
  }
}

template <typename Unit> void checkTransposed() {
  constexpr int64_t rows = 19, columns = 35;
  std::vector<uint16_t> numbers = counting(rows * columns);
  std::vector<Unit> in(numbers.begin(), numbers.end()), out(in.size());
  transpose(reinterpret_cast<const std::byte *>(in.data()), rows, columns, sizeof(Unit),
            reinterpret_cast<std::byte *>(out.data()));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      ASSERT_EQ(out[size_t(c * rows + r)], in[size_t(r * columns + c)]);
}

TEST(Elements, Transposes) {
  checkTransposed<uint8_t>();
  checkTransposed<uint16_t>();
  checkTransposed<uint32_t>();
}

} // namespace
