// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of `math` and conversions of bf16 as arithmetic that needs no library.
#ifndef GLM_TARGETS_CPU_EXPANDMATH_H
#define GLM_TARGETS_CPU_EXPANDMATH_H

#include "mlir/IR/PatternMatch.h"

namespace glm::cpu {

/// exp (f32 within 1 ulp, f64 within 2), sin and cos (f32 rounded from f64: absolute error below
/// 1e-7 for arguments up to 1e6 and beyond), rsqrt. Others are MLIR's approximations.
void populateExpandMath(mlir::RewritePatternSet &patterns);

/// Widening and, unless the machine rounds to bf16 itself, rounding (to nearest even, NaN kept).
void populateExpandBf16(mlir::RewritePatternSet &patterns, bool nativeRounding);

} // namespace glm::cpu

#endif
