// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// place: calls become a flat program, values become addresses. Sizes are known from here on.
#include "compiler/pipeline/Compilation.h"
#include "passes/place/Pipeline.h"

namespace glm {

absl::Status runPlace(Compilation &c) {
  return c.run(Phase::Place, [&](mlir::OpPassManager &pm) {
    PlacePhaseOptions options;
    options.maxRows = c.options.rows;
    options.maxSlots = c.options.slots;
    // The importer has checked --context and written it into glm.model; a module without a model
    // takes the flag.
    options.maxContext = (*c.module)->hasAttr("glm.model") ? 0 : c.options.context;
    buildPlacePhase(pm, options);
  });
}

} // namespace glm
