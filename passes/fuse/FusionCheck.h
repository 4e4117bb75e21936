// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a fusion computes what it replaced. A pass hands over the old value and the new one while
// both are there, and the values both are functions of; the check copies the steps between into a
// module of its own, in f32 and with every size made small, and lets the interpreter run both on
// the same random values.
//
//   leaves  x, gate, up            random
//   before  multiply(silu(linear), linear)     ┐ one function each, compared
//   now     gated_linear                       ┘
#ifndef GLM_PASSES_FUSE_FUSIONCHECK_H
#define GLM_PASSES_FUSE_FUSIONCHECK_H

#include "dialects/glm/Glm.h"

namespace glm {

class FusionCheck {
public:
  /// Does nothing unless `enabled`.
  explicit FusionCheck(bool enabled) : enabled(enabled) {}

  /// Compares two values as functions of `leaves`. `tolerance` is relative to the largest element;
  /// 0 where both do the same arithmetic in the same order. A difference is an error at the op that
  /// makes `now`, a remark says that there is none, a warning that the steps could not be run.
  void compare(mlir::Value before, mlir::Value now, llvm::ArrayRef<mlir::Value> leaves,
               double tolerance = 0);

  /// Values compared, and whether one was different.
  unsigned compared() const { return count; }
  bool failed() const { return different; }

private:
  bool enabled, different = false;
  unsigned count = 0;
};

} // namespace glm

#endif
