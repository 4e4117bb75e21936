// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one inner loop of the interpreter: many dot products with the same left side. A sum is taken
// in ascending order, as the descriptions of the ops say, so it cannot be split over vector lanes;
// instead each lane is another output. Right sides are packed for that.
#ifndef GLM_COMPILER_INTERPRET_DOTS_H
#define GLM_COMPILER_INTERPRET_DOTS_H

#include <cstddef>

namespace glm::interpret {

/// Outputs computed together.
inline constexpr size_t lanes = 32;

/// `out[r * outStride + l] = sum_c x[r * xStride + c] * packed[c * lanes + l]` for every row r and
/// lane l; each product is rounded before it is added.
void dots(const float *x, size_t xStride, size_t rows, const float *packed, size_t width,
          float *out, size_t outStride);
void dots(const double *x, size_t xStride, size_t rows, const double *packed, size_t width,
          double *out, size_t outStride);

/// `packed[c * lanes + l] = right[l * stride + c]` for l < count (at most `lanes`), zero for the
/// others.
template <typename T>
void pack(const T *right, size_t stride, size_t count, size_t width, T *packed) {
  for (size_t c = 0; c < width; ++c)
    for (size_t l = 0; l < lanes; ++l)
      packed[c * lanes + l] = l < count ? right[l * stride + c] : T(0);
}

} // namespace glm::interpret

#endif
