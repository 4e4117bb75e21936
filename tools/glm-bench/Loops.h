// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops that say what a core can do: streams over memory and multiplications that never leave
// the registers, in the widest instructions of the processor this runs on. One source for all
// processors: vector types of the compiler, compiled for several levels and chosen when asked for.
#ifndef GLM_TOOLS_GLM_BENCH_LOOPS_H
#define GLM_TOOLS_GLM_BENCH_LOOPS_H

#include <cstddef>
#include <cstdint>

namespace glm::bench {

/// Reads `bytes` (a multiple of `streamBlock`) at a multiple of 64; what it returns depends on all
/// of them.
using ReadLoop = float (*)(const uint8_t *data, size_t bytes);

inline constexpr size_t streamBlock = size_t(64) << 10;

/// Multiplies and adds in registers. Operations are `rounds * operations`; a multiplication and an
/// addition are two.
struct PeakLoop {
  float (*run)(uint64_t rounds) = nullptr;
  double operations = 0;

  explicit operator bool() const { return run != nullptr; }
};

struct Loops {
  const char *level; ///< instruction set: "avx512", "avx2", "neon", "portable"
  ReadLoop plain;    ///< loads of 64 bytes, nothing else
  ReadLoop gemv;     ///< packed bf16 weights times one row, as kernels of few rows do it
  PeakLoop f32;      ///< fused multiply-add
  PeakLoop bf16Dot;  ///< the instruction for pairs of bf16, if there is one
  PeakLoop int8Dot;  ///< that for four bytes, if there is one
};

/// The best of what this processor has.
Loops loopsOfHost();

} // namespace glm::bench

#endif
