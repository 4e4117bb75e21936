// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The place phase as one call; `--glm-place-pipeline` in glm-opt.
#ifndef GLM_PASSES_PLACE_PIPELINE_H
#define GLM_PASSES_PLACE_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace glm {

struct PlacePhaseOptions : mlir::PassPipelineOptions<PlacePhaseOptions> {
  Option<int64_t> maxRows{*this, "max-rows", llvm::cl::desc("most rows of one step"),
                          llvm::cl::init(2048)};
  Option<int64_t> maxSlots{*this, "max-slots", llvm::cl::desc("most sequences of a session"),
                           llvm::cl::init(64)};
  Option<int64_t> maxContext{*this, "max-context",
                             llvm::cl::desc("most positions of a sequence; 0: what glm.model says"),
                             llvm::cl::init(0)};
};

/// Appends the phase to `pm`, whose operation is the module. In: what `tile` leaves (kernels,
/// functions on memory); out: `program` and kernels.
void buildPlacePhase(mlir::OpPassManager &pm, const PlacePhaseOptions &options);

/// Makes the phase known to glm-opt.
void registerPlacePipeline();

} // namespace glm

#endif
