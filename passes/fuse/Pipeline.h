// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase as one call; `--glm-fuse-pipeline` in glm-opt.
#ifndef GLM_PASSES_FUSE_PIPELINE_H
#define GLM_PASSES_FUSE_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace glm {

struct FusePhaseOptions : mlir::PassPipelineOptions<FusePhaseOptions> {
  Option<bool> verifyFusions{
      *this, "verify-fusions",
      llvm::cl::desc("let the interpreter compare each fusion with what it replaced"),
      llvm::cl::init(false)};
};

/// Appends the phase to `pm`, whose operation is the module.
void buildFusePhase(mlir::OpPassManager &pm, const FusePhaseOptions &options);

/// Makes the phase known to glm-opt.
void registerFusePipeline();

} // namespace glm

#endif
