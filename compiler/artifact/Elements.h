// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What packing does to bytes: convert elements, transpose, lay out in panels. Pure functions on
// memory; every output byte is written.
#ifndef GLM_COMPILER_ARTIFACT_ELEMENTS_H
#define GLM_COMPILER_ARTIFACT_ELEMENTS_H

#include <cstddef>
#include <cstdint>

namespace glm::artifact {

enum class Element : uint8_t { F32, BF16, F16, I8, I4, F8E4M3, I32 };

/// 4, 2, 2, 1, (half), 1, 4.
size_t bitsOf(Element element);

/// Bytes of `count` elements.
inline uint64_t bytesOf(Element element, uint64_t count) {
  return (count * bitsOf(element) + 7) / 8;
}

/// Converts `count` numbers (f32, bf16, f16); to a narrower type with rounding to nearest even, NaN
/// stays NaN. Equal types, codes too, are copied.
void convert(const std::byte *source, Element from, std::byte *result, Element to, size_t count);

/// `result[c, r] = source[r, c]` for a `[rows, columns]` matrix of elements of 2 or 4 bytes.
void transpose(const std::byte *source, int64_t rows, int64_t columns, size_t elementBytes,
               std::byte *result);

/// Bytes of a `[rows, columns]` matrix in panels of `n` rows by `k` columns.
size_t panelBytes(int64_t rows, int64_t columns, size_t elementBytes, int64_t n, int64_t k);

/// Lays `[rows, columns]` out as `[ceil(rows/n)][ceil(columns/k)][n][k]`, zero beyond the matrix.
void packPanels(const std::byte *source, int64_t rows, int64_t columns, size_t elementBytes,
                int64_t n, int64_t k, std::byte *result);

} // namespace glm::artifact

#endif
