// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/Pipeline.h"
#include "passes/tile/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void glm::buildTilePhase(OpPassManager &pm, const TilePhaseOptions &) {
  //===--- What is a kernel -----------------------------------------------------------------===//

  // Before anything has a size: what shares a kernel is a matter of dependences, not of machines.
  pm.addPass(createFormKernels());

  // The only pass that looks at the machine; everything after it follows from the schedule.
  pm.addPass(createChooseTiles());

  //===--- What a kernel does ---------------------------------------------------------------===//

  pm.addPass(createTileAndFuse());

  // Layers of different kinds share most of their kernels. Before code is generated for any of
  // them.
  pm.addPass(createDeduplicateKernels());

  //===--- Where values lie -----------------------------------------------------------------===//

  // Last, because on values a launch still says by itself what depends on what.
  pm.addPass(createBufferizeBoundaries());

  //===--- What goes out --------------------------------------------------------------------===//

  pm.addPass(createVerifyKernels());
}

void glm::registerTilePipeline() {
  PassPipelineRegistration<TilePhaseOptions>(
      "glm-tile-pipeline", "the tile phase: kernels on tiles, launches on memory", buildTilePhase);
}
