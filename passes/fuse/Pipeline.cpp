// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/Pipeline.h"
#include "passes/fuse/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void glm::buildFusePhase(OpPassManager &pm, const FusePhaseOptions &options) {
  //===--- Attention ------------------------------------------------------------------------===//

  // Gathering is one way to attend to a selection; first it is forgotten, then chosen.
  pm.addPass(createFuseSparseAttention({options.verifyFusions}));
  ChooseAttentionOptions forms;
  forms.chunk = options.maxRows;
  forms.expandedKeys = options.expandedKeys;
  pm.addPass(createChooseAttention(forms));

  // The form for few rows: latents instead of keys and values.
  pm.addPass(createAbsorbLatentProjections({options.verifyFusions}));

  // Slices of slices, casts of casts and equal values that the rewrite left behind.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  //===--- Networks -------------------------------------------------------------------------===//

  // Behind CSE, which has made one of equal dispatches and one of equal casts.
  pm.addPass(createFuseGatedMlp({options.verifyFusions}));
  pm.addPass(createFuseMoeDispatch({options.verifyFusions}));

  pm.addPass(createFuseRouter({options.verifyFusions}));

  //===--- What reads the same rows ---------------------------------------------------------===//

  // Behind the networks, whose gates and ups read the same rows too and have a better form.
  pm.addPass(createFuseMlaPrologue({options.verifyFusions}));

  // Behind the groups: rows that only one launch reads need not be written.
  pm.addPass(createFuseNormLinear({options.verifyFusions}));

  //===--- What goes out --------------------------------------------------------------------===//

  pm.addPass(createVerifyFuse());
}

void glm::registerFusePipeline() {
  PassPipelineRegistration<FusePhaseOptions>(
      "glm-fuse-pipeline", "the fuse phase: cheap forms of the model's steps", buildFusePhase);
}
