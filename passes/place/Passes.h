// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of the place phase. Passes.td describes each; Pipeline.h gives their order.
#ifndef GLM_PASSES_PLACE_PASSES_H
#define GLM_PASSES_PLACE_PASSES_H

#include "dialects/glm/Glm.h"
#include "dialects/program/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace glm::place {

#define GEN_PASS_DECL
#include "passes/place/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/place/Passes.h.inc"

} // namespace glm::place

#endif
