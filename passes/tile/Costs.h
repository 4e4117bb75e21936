// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel has to do and to move at least, for whoever measures it against the machine.
//
// Costs are formulas over counts of one step. A row at position p sees p + 1 keys; `topk` is what
// the model attends to.
//
//   rows            rows of the step
//   logit_rows      rows that get logits
//   seen_keys       keys that each row sees, summed over the rows
//   selected_keys   the same, at most topk of each row
//   scored_keys     the same, of rows that see more than topk: only those need scores
//   cached_keys     keys in the caches of all slots of the step, behind it
//   indexed_keys    the same, of slots that have more than topk
//
// Who measures knows its rows and computes the counts; the runtime knows none of them but the first
// two.
#ifndef GLM_PASSES_TILE_COSTS_H
#define GLM_PASSES_TILE_COSTS_H

#include "dialects/kernel/Kernel.h"
#include "dialects/program/Expr.h"

namespace glm {

struct Cost {
  /// Multiplications and additions of the products; rows of norms, rotations and sums count
  /// nothing.
  program::Expr flop = 0;
  /// Weights, each once, and cached rows, each once where several rows of the step read it.
  /// Intermediate values are not in it: they stay in the processor's caches.
  program::Expr bytes = 0;

  Cost operator+(const Cost &other) const { return {flop + other.flop, bytes + other.bytes}; }

  /// As attributes `flop` and `bytes` of a launch; a launch that has them keeps its own, zeros are
  /// not written.
  void writeTo(kernel::LaunchOp launch) const;
};

/// The sum over the ops of a group. A fused op costs what the steps cost that define it. An op that
/// multiplies matrices and is not known here costs its weights only.
Cost costOf(kernel::GroupOp group);

} // namespace glm

#endif
