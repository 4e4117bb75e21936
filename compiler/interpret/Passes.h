// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter as a pass, for tests written in IR: Passes.td.
#ifndef GLM_COMPILER_INTERPRET_PASSES_H
#define GLM_COMPILER_INTERPRET_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace glm::interpret {

#define GEN_PASS_DECL
#include "compiler/interpret/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/interpret/Passes.h.inc"

} // namespace glm::interpret

#endif
