// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What attention costs in its two forms, in multiplications of one head; every head costs the same.
//
//   gathered  each row: min(topk, keys) latents at 2 L + R each, and (D + V) L for the projections
//             that were absorbed into its query and its result
//   expanded  each row: all keys it sees, hidden or not, at D + R + V; and each key, once for all
//             rows of the call: (D + V) L
//
// Many rows pay for the expansion, many keys make it worthless: so there are fewest rows and most
// keys for which it pays. Formulas: spec 3.4, 3.11.
#ifndef GLM_PASSES_FUSE_ATTENTIONCOSTS_H
#define GLM_PASSES_FUSE_ATTENTIONCOSTS_H

#include <cstdint>

namespace glm {

/// Letters as in glm.sparse_attention.
struct AttentionCosts {
  int64_t D, R, V, L, topk;
  /// Speed of the gathered form, in percent of that of the expanded one at the same arithmetic.
  int64_t gatheredSpeed = 100;

  /// For the last `rows` of `keys` positions, all of one sequence.
  double gathered(int64_t rows, int64_t keys) const;
  double expanded(int64_t rows, int64_t keys) const;
  bool pays(int64_t rows, int64_t keys) const {
    return expanded(rows, keys) < gathered(rows, keys);
  }

  /// Most keys, a multiple of `block` up to `limit`, for which calls of `chunk` rows (of all, where
  /// there are less) should expand them; 0 if there are none.
  int64_t mostKeys(int64_t chunk, int64_t limit, int64_t block) const;

  /// Fewest rows for which expanding `keys` pays; `keys` + 1 if no number does.
  int64_t fewestRows(int64_t keys) const;
};

} // namespace glm

#endif
