// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of the fuse phase; Passes.td says what each does.
#ifndef GLM_PASSES_FUSE_PASSES_H
#define GLM_PASSES_FUSE_PASSES_H

#include "dialects/glm/Glm.h"

#include "mlir/Pass/Pass.h"

namespace glm {

#define GEN_PASS_DECL
#include "passes/fuse/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/fuse/Passes.h.inc"

} // namespace glm

#endif
