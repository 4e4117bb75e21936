// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/model/Pipeline.h"
#include "passes/model/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void glm::buildModelPhase(OpPassManager &pm, const ModelPhaseOptions &options) {
  //===--- What came in -----------------------------------------------------------------------===//

  // First, while the module still is what the importer wrote: a weight that nobody reads is a
  // mistake of the importer, and later passes could hide it.
  pm.addPass(createVerifyLedger());

  //===--- What is computed in which type ---------------------------------------------------===//

  // Before any fusion: rounding points are part of the function, and fused ops must not decide on
  // them.
  ApplyPrecisionOptions precision;
  precision.precision = options.precision;
  pm.addPass(createApplyPrecision(precision));

  // Equal casts of one value were made for each of its readers.
  pm.addPass(createCSEPass());

  //===--- What goes out --------------------------------------------------------------------===//

  pm.addPass(createVerifyModel());
}

void glm::registerModelPipeline() {
  PassPipelineRegistration<ModelPhaseOptions>(
      "glm-model-pipeline", "the model phase: check the ledger, apply the precision",
      buildModelPhase);
}
