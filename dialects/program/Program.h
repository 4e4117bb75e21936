// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `program` dialect in C++: dialect, attributes and every op (namespace ::glm::program).
// Program.td says what it is, RATIONALE.md why, Expr.h builds sizes, Layout.h counts bytes.
// Chapters:
//
//   MemoryOps   buffers, weights, banks and states as values
//   TableOps    devices, dimensions, segments, weights, kernels: symbols of a placed module
//   CommandOps  entries and their commands
#ifndef GLM_DIALECTS_PROGRAM_PROGRAM_H
#define GLM_DIALECTS_PROGRAM_PROGRAM_H

#include "dialects/kernel/Kernel.h"
#include "dialects/program/Expr.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/program/ProgramDialect.h.inc"
#include "dialects/program/ProgramEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/program/ProgramAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/program/MemoryOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/program/TableOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/program/CommandOps.h.inc"

#endif
