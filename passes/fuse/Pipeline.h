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
  Option<int64_t> maxRows{*this, "max-rows", llvm::cl::desc("most rows of one step"),
                          llvm::cl::init(2048)};
  Option<int64_t> expandedKeys{
      *this, "expanded-keys",
      llvm::cl::desc("most keys to expand; -1: what follows from the shapes, 0: never"),
      llvm::cl::init(-1)};
};

/// Appends the phase to `pm`, whose operation is the module.
void buildFusePhase(mlir::OpPassManager &pm, const FusePhaseOptions &options);

/// Makes the phase known to glm-opt.
void registerFusePipeline();

} // namespace glm

#endif
