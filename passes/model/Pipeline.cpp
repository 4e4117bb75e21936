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

  //===--- Which weights become codes -------------------------------------------------------===//

  // Before precision, which leaves products of integers alone.
  ApplyRecipeOptions recipe;
  recipe.rules.assign(options.rules.begin(), options.rules.end());
  pm.addPass(createApplyRecipe(recipe));

  //===--- What is computed in which type ---------------------------------------------------===//

  // Before any fusion: rounding points are part of the function, and fused ops must not decide on
  // them.
  ApplyPrecisionOptions precision;
  precision.precision = options.precision;
  precision.indexKeys = options.indexKeys;
  pm.addPass(createApplyPrecision(precision));

  // Equal casts of one value were made for each of its readers.
  pm.addPass(createCSEPass());

  //===--- What goes out --------------------------------------------------------------------===//

  pm.addPass(createVerifyModel());
}

void glm::registerModelPipeline() {
  PassPipelineRegistration<ModelPhaseOptions>(
      "glm-model-pipeline", "the model phase: check the ledger, apply recipe and precision",
      buildModelPhase);
}
