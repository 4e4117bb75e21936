// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a launch does to memory.
//
// A kernel's body is the only source: an argument is read or written where an op with such an
// effect reaches it, perhaps through `kernel.flatten`. A kernel whose body is gone
// (`program.kernel`) reads and writes everything.
#ifndef GLM_PASSES_PLACE_ACCESS_H
#define GLM_PASSES_PLACE_ACCESS_H

#include "dialects/program/Program.h"

#include "llvm/ADT/DenseMap.h"

namespace glm::place {

struct ArgumentAccess {
  bool reads = false, writes = false;
  /// Every access is to row `i` of the buffer in unit `i` of a grid of single rows.
  bool rowwise = false;
};

struct KernelAccess {
  llvm::SmallVector<ArgumentAccess> arguments;
  /// Position in the body of the last read of an argument and of the first write of another: an
  /// output may take an operand's place if all reads of the row come before all writes.
  llvm::SmallVector<int64_t> lastRead, firstWrite;
  /// The argument whose rows are the units of the grid; -1 for grids of another form.
  int64_t gridArgument = -1;

  /// Whether argument `output` may lie exactly where argument `input` lies.
  bool mayOverwrite(unsigned input, unsigned output) const;
};

/// Looks at kernels once each. Valid while no kernel changes.
class AccessTable {
public:
  const KernelAccess &of(program::LaunchOp launch);

private:
  llvm::DenseMap<mlir::Operation *, KernelAccess> known;
  mlir::SymbolTableCollection symbols;
};

/// What identifies the memory of an operand: the buffer's value, or the symbol of a state. Null for
/// weights and banks, which nobody writes.
using Memory = llvm::PointerUnion<mlir::Value, mlir::Attribute>;
Memory memoryOf(mlir::Value operand);

/// One operand of a command that touches memory somebody writes.
struct Touch {
  Memory memory;
  bool reads, writes;
  /// Row `i` is touched in unit `i` only, of as many units as this dimension says; null: anything
  /// may be.
  mlir::StringAttr rows;
  bool operator==(const Touch &) const = default;
};

/// What a command touches; nothing for barriers and events, nor for a branch, whose lists are
/// looked at one by one.
llvm::SmallVector<Touch> touches(mlir::Operation *command, AccessTable &table);

/// Whether a command that touches `later` must not overlap one that touches `earlier`. Two launches
/// that work on the same rows unit by unit never meet: the units of a grid go to workers by their
/// number alone, and a worker keeps the order.
bool conflict(llvm::ArrayRef<Touch> earlier, llvm::ArrayRef<Touch> later);

} // namespace glm::place

#endif
