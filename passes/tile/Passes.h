// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of the tile phase; Passes.td says what each does. Files beside the passes:
//
//   RowDomain.h       which rows a value has: rows of the batch, logit rows, dispatched pairs
//   KernelBuilder.h   one kernel.func under construction, with its launch
//   Emit.h            the kinds of kernel, one function each
#ifndef GLM_PASSES_TILE_PASSES_H
#define GLM_PASSES_TILE_PASSES_H

#include "dialects/glm/Glm.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/program/Program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace glm {

#define GEN_PASS_DECL
#include "passes/tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/tile/Passes.h.inc"

} // namespace glm

#endif
