// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cosines and sines of a row's angles, on tiles.
#ifndef GLM_PASSES_TILE_ROPEANGLES_H
#define GLM_PASSES_TILE_ROPEANGLES_H

#include "passes/tile/KernelBuilder.h"

namespace glm {

/// `[cos | sin]` of `f32(position) * f32(theta^(-2j/width))`, `j < width / 2`, as a `1 x width`
/// tile.
///
/// The frequencies must be those f32 numbers exactly: at position 10^5 one ulp is 0.01 rad. A
/// product of f64 powers, one for each bit of `j`, has them; where it should miss one by rounding,
/// it is named.
mlir::Value ropeAngles(KernelBuilder &b, mlir::Value position, double theta, int64_t width);

} // namespace glm

#endif
