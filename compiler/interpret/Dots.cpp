// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written with vector types so that no optimiser has to find the lanes. Wider machines run a copy
// of the same loop; products and sums stay separate in all of them, so results are equal
// everywhere.
#include "compiler/interpret/Dots.h"

#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#define GLM_EVERY_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GLM_EVERY_WIDTH
#endif

namespace glm::interpret {

template <typename T> struct LanesOf {
  typedef T Type __attribute__((vector_size(lanes * sizeof(T))));
};

GLM_EVERY_WIDTH
void dots(const float *x, size_t xStride, size_t rows, const float *packed, size_t width,
          float *out, size_t outStride) {
  using Lanes = LanesOf<float>::Type;
  for (size_t r = 0; r < rows; ++r) {
    Lanes sum = {};
    for (size_t c = 0; c < width; ++c) {
      Lanes right;
      std::memcpy(&right, packed + c * lanes, sizeof right);
      sum += x[r * xStride + c] * right;
    }
    std::memcpy(out + r * outStride, &sum, sizeof sum);
  }
}

GLM_EVERY_WIDTH
void dots(const double *x, size_t xStride, size_t rows, const double *packed, size_t width,
          double *out, size_t outStride) {
  using Lanes = LanesOf<double>::Type;
  for (size_t r = 0; r < rows; ++r) {
    Lanes sum = {};
    for (size_t c = 0; c < width; ++c) {
      Lanes right;
      std::memcpy(&right, packed + c * lanes, sizeof right);
      sum += x[r * xStride + c] * right;
    }
    std::memcpy(out + r * outStride, &sum, sizeof sum);
  }
}

} // namespace glm::interpret
