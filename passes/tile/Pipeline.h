// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile phase as one call; `--glm-tile-pipeline` in glm-opt. The module needs `kernel.machine`.
#ifndef GLM_PASSES_TILE_PIPELINE_H
#define GLM_PASSES_TILE_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace glm {

struct TilePhaseOptions : mlir::PassPipelineOptions<TilePhaseOptions> {};

/// Appends the phase to `pm`, whose operation is the module.
void buildTilePhase(mlir::OpPassManager &pm, const TilePhaseOptions &options);

/// Makes the phase known to glm-opt.
void registerTilePipeline();

} // namespace glm

#endif
