// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `kernel` dialect in C++: dialect, attributes, types, enums and every op (namespace
// ::glm::kernel). Kernel.td says what it is, RATIONALE.md why. Each chapter of ops is generated,
// verified and compiled by itself:
//
//   StructureOps   kernels, launches, groups, the units that workers share
//   TileOps        movement between memory and tiles, arithmetic on tiles
//   SelectionOps   top-k, online softmax, experts, groups of rows
//   BlockOps       rows as matrices, tiles turned around, bits of hidden keys
#ifndef GLM_DIALECTS_KERNEL_KERNEL_H
#define GLM_DIALECTS_KERNEL_KERNEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/kernel/KernelDialect.h.inc"
#include "dialects/kernel/KernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/StructureOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/TileOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/SelectionOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/BlockOps.h.inc"

namespace glm::kernel {

/// On an argument of a kernel: memory that comes with rows in it, some of which are written.
inline constexpr llvm::StringLiteral updatedAttribute = "kernel.updated";

/// Bits of an element of memory or of a tile: f64 64, f32 and i32 32, bf16 16, i8 8.
inline int64_t bitWidth(mlir::Type element) { return element.getIntOrFloatBitWidth(); }

/// Rank of a memory as `load_tile` indexes it: dimensions of a buffer or bank, 2 of a cache.
int64_t rankOf(mlir::Type memory);

/// Element type and layout (null: row-major) of a buffer, bank or cache; element type of a tile.
mlir::Type elementOf(mlir::Type memoryOrTile);
mlir::Attribute layoutOf(mlir::Type memory);

/// Rows and columns of the matrix a memory consists of; dynamic where they are not known.
int64_t rowsOf(mlir::Type memory);
int64_t columnsOf(mlir::Type memory);

} // namespace glm::kernel

#endif
