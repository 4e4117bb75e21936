// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// model: decisions that concern the model as a whole. Precision is made explicit before anything is
// fused, because a fused op has to say where it rounds.
#include "compiler/pipeline/Compilation.h"
#include "passes/model/Pipeline.h"

namespace glm {

absl::Status runModel(Compilation &c) {
  return c.run(Phase::Model, [&](mlir::OpPassManager &pm) {
    ModelPhaseOptions options;
    options.precision = c.options.precision;
    buildModelPhase(pm, options);
  });
}

} // namespace glm
