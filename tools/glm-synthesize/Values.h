// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeded weights. Every element is a function of (seed, tensor name, position), so any range can be
// made by any thread in any order.
//
// Scales keep every feature of the model alive (they are those of small checkpoints whose goldens
// tell all common mistakes apart): embeddings of rms 0.005 and small q_a/wk projections, so that
// eps matters; correction biases that change the choice of experts; residual branches that do not
// swamp the stream.
#ifndef GLM_TOOLS_SYNTHESIZE_VALUES_H
#define GLM_TOOLS_SYNTHESIZE_VALUES_H

#include "Plan.h"

#include <cstdint>
#include <span>

namespace glm::synthesize {

/// Writes the elements [first, first + count) of a tensor into `out` (count × element size bytes).
/// `first` is a multiple of 4.
void fill(const PlannedTensor &tensor, uint64_t seed, uint64_t first, uint64_t count,
          std::span<std::byte> out);

/// The bits of `value` rounded to bfloat16, ties to even.
uint16_t toBf16(float value);

/// The code of `value` rounded to F8_E4M3; |value| ≤ 448.
uint8_t toE4m3(float value);

} // namespace glm::synthesize

#endif
