// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/place/Pipeline.h"

#include "passes/place/Passes.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace glm;

void glm::buildPlacePhase(OpPassManager &pm, const PlacePhaseOptions &options) {
  //===--- what runs, in which order
  //------------------------------------------------------------------===//

  // Everything after this looks at whole entries: which launch is next is known only once calls are
  // gone.
  place::InlineLayersPassOptions inlining;
  inlining.maxRows = options.maxRows;
  inlining.maxSlots = options.maxSlots;
  inlining.maxContext = options.maxContext;
  pm.addPass(place::createInlineLayersPass(inlining));

  // Barriers before memory: which buffers may share memory depends on which launches may overlap.
  pm.addNestedPass<program::EntryOp>(place::createInsertBarriersPass());

  //===--- where things lie
  //---------------------------------------------------------------------------===//

  pm.addNestedPass<program::EntryOp>(place::createPlanMemoryPass());

  // Last, because the order of weights in the file is the order in which entries read them.
  pm.addPass(place::createPackWeightsPass());

  // An own look at hazards and overlaps, not the planner's.
  pm.addPass(place::createVerifyPlacementPass());
}

void glm::registerPlacePipeline() {
  PassPipelineRegistration<PlacePhaseOptions>(
      "glm-place-pipeline", "The place phase: entries with addresses", buildPlacePhase);
}
