// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loop gives the bits of the plain loop: products rounded, sums in ascending order.
#include "compiler/interpret/Dots.h"

#include "gtest/gtest.h"

#include <random>
#include <vector>

using namespace glm::interpret;

namespace {

template <typename T> void expectPlainLoop(size_t width, size_t rows, size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<T> normal;
  std::vector<T> x(rows * width), right(count * width), packed(width * lanes), out(rows * lanes);
  for (T &number : x)
    number = normal(random);
  for (T &number : right)
    number = normal(random);
  pack(right.data(), width, count, width, packed.data());
  dots(x.data(), width, rows, packed.data(), width, out.data(), lanes);
  for (size_t r = 0; r < rows; ++r)
    for (size_t l = 0; l < lanes; ++l) {
      T sum = 0;
      for (size_t c = 0; l < count && c < width; ++c) {
        volatile T product = x[r * width + c] * right[l * width + c];
        sum += product;
      }
      ASSERT_EQ(out[r * lanes + l], sum) << "row " << r << " lane " << l;
    }
}

TEST(Dots, FloatIsThePlainLoop) {
  expectPlainLoop<float>(97, 3, lanes);
  expectPlainLoop<float>(1, 1, 5);
  expectPlainLoop<float>(0, 2, lanes);
}

TEST(Dots, DoubleIsThePlainLoop) {
  expectPlainLoop<double>(97, 3, lanes);
  expectPlainLoop<double>(64, 1, 1);
}

} // namespace
