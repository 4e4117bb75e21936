// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What packing does to codes of quantised weights. Pure functions on memory, like Elements.h; what
// codes mean is in dialects/glm, how they lie for kernels in #kernel.panels: integers in offset
// binary, of eight codes of 4 bits in a word the first four in the low halves of its bytes.
#ifndef GLM_COMPILER_ARTIFACT_CODES_H
#define GLM_COMPILER_ARTIFACT_CODES_H

#include "compiler/artifact/Elements.h"

#include <span>

namespace glm::artifact {

/// Signed bytes to offset binary, in place.
void offsetCodes(std::byte *codes, size_t count);

/// Codes of 4 bits with two rows in a byte (row 2r low, 2r + 1 high), `[rows / 2, columns]`, to one
/// offset code (0 to 15) a byte, `[rows, columns]`.
void splitRowPairs(const std::byte *pairs, int64_t rows, int64_t columns, std::byte *codes);

/// Offset codes, one a byte, into panels of `n` rows by 8 columns, a word for each row. Every byte
/// is written; what lies beyond the matrix is zero.
void packNibbles(const std::byte *codes, int64_t rows, int64_t columns, int64_t n,
                 std::byte *result);
size_t nibbleBytes(int64_t rows, int64_t columns, int64_t n);

/// Scales of a matrix, one for each block.
struct BlockScales {
  std::span<const float> scales;
  int64_t columns; ///< scales in a row of them
  int64_t blockRows, blockColumns;
};

/// `numbers[r, c] = code[r, c] * scale` for E4M3 or signed 8-bit codes; row 0 is row `firstRow` of
/// the matrix that the scales belong to.
void dequantize(const std::byte *codes, Element from, int64_t rows, int64_t columns,
                int64_t firstRow, const BlockScales &scales, float *numbers);

/// Where the first of the E4M3 codes that stand for no number (0x7f, 0xff) lies; `count` if
/// nowhere.
size_t firstNotANumber(const std::byte *codes, size_t count);

/// How numbers become codes: `glm.quantize`.
struct Quantization {
  int bits;                ///< 8 or 4
  int64_t columns;         ///< of one run
  bool asymmetric = false; ///< of 4 bits: runs have zeros
};

/// What a code of 0 is moved by in offset binary.
constexpr int offsetOf(Quantization how) { return how.bits == 4 ? 8 : 128; }

/// Sums of squares: of numbers, and of what rounding changed in them.
struct Rounding {
  double numbers = 0, changes = 0;
  Rounding &operator+=(const Rounding &other) {
    numbers += other.numbers, changes += other.changes;
    return *this;
  }
};

/// Where the parts of codes go; any may be null. Without codes nothing is rounded.
struct CodeParts {
  std::byte *codes = nullptr; ///< offset codes, one a byte, `[rows, columns]`
  float *scales = nullptr;    ///< of every run of a row, `[rows, runs]`
  int8_t *zeros = nullptr;    ///< beside every scale; 0 of symmetric codes
};

/// Codes of `[rows, columns]` numbers.
Rounding quantize(const float *numbers, int64_t rows, int64_t columns, Quantization how,
                  CodeParts parts);

} // namespace glm::artifact

#endif
