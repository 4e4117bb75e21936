// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tile: steps become kernels on tile values. From here on the machine matters, so the target is
// asked first and its answer goes onto the module: passes never see a target.
#include "compiler/pipeline/Compilation.h"
#include "passes/tile/Pipeline.h"

namespace glm {

absl::Status runTile(Compilation &c) {
  if (absl::Status status = describeTarget(c); !status.ok())
    return status;
  (*c.module)->setAttr(machineAttribute, c.description.machine);
  return c.run(Phase::Tile,
               [](mlir::OpPassManager &pm) { buildTilePhase(pm, TilePhaseOptions()); });
}

} // namespace glm
