// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model phase as one call; `--glm-model-pipeline` in glm-opt.
#ifndef GLM_PASSES_MODEL_PIPELINE_H
#define GLM_PASSES_MODEL_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <string>

namespace glm {

struct ModelPhaseOptions : mlir::PassPipelineOptions<ModelPhaseOptions> {
  Option<std::string> precision{
      *this, "precision", llvm::cl::desc("element type that products are taken in: bf16 or f32"),
      llvm::cl::init("bf16")};
  Option<std::string> indexKeys{*this, "index-keys",
                                llvm::cl::desc("what indexers keep of a key: bf16 or int8"),
                                llvm::cl::init("bf16")};
  ListOption<std::string> rules{*this, "rules",
                                llvm::cl::desc("PATTERN:FORMAT for weights that become codes")};
};

/// Appends the phase to `pm`, whose operation is the module.
void buildModelPhase(mlir::OpPassManager &pm, const ModelPhaseOptions &options);

/// Makes the phase known to glm-opt.
void registerModelPipeline();

} // namespace glm

#endif
