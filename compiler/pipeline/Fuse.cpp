// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse: the model's own steps become the steps that are computed. Still the model level: the
// interpreter runs what comes out.
#include "compiler/pipeline/Compilation.h"
#include "passes/fuse/Pipeline.h"

namespace glm {

absl::Status runFuse(Compilation &c) {
  FusePhaseOptions options;
  options.verifyFusions = c.options.verifyFusions;
  options.maxRows = c.options.rows;
  options.expandedKeys = c.options.expandedKeys;
  return c.run(Phase::Fuse, [&](mlir::OpPassManager &pm) { buildFusePhase(pm, options); });
}

} // namespace glm
