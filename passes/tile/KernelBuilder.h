// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One `kernel.func` under construction, together with the launch that will stand for it. Arguments
// come into being when something asks for an operand's memory, so a kernel has exactly the
// arguments it reads.
//
//   prologue   constants, sizes, flattened buffers          `top`
//   parallel   the units; everything else                   `body`
//
// A builder lives for one kernel; `finish` ends it.
#ifndef GLM_PASSES_TILE_KERNELBUILDER_H
#define GLM_PASSES_TILE_KERNELBUILDER_H

#include "passes/tile/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace glm {

/// Scalar code of a `kernel.map`.
using MapBody =
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

class KernelBuilder {
public:
  KernelBuilder(mlir::Location loc, kernel::ScheduleAttr schedule);
  ~KernelBuilder();

  //===--- Arguments --------------------------------------------------------------------------===//

  /// The memory of `operand`; the same argument for the same operand and type. `transposed`: a
  /// weight that lies with its last two dimensions exchanged.
  mlir::Value input(mlir::Value operand, mlir::Type memory, bool transposed = false);

  /// The memory of an operand of the launch that the kernel writes some rows of: the launch has a
  /// result that is the same memory from then on (`kernel.updated`).
  mlir::Value update(mlir::Value operand, mlir::Type memory);

  /// The memory of the next result. Results are in the order of these calls.
  mlir::Value output(mlir::Type memory);

  //===--- Prologue ---------------------------------------------------------------------------===//

  mlir::Value index(int64_t value);
  mlir::Value dim(mlir::Value buffer);
  /// The buffer with its first two dimensions as one.
  mlir::Value flatten(mlir::Value buffer);

  /// Opens the grid and moves `body` into it; returns the unit's coordinates.
  mlir::ValueRange parallel(mlir::ValueRange bounds, llvm::ArrayRef<int64_t> steps);

  //===--- Tiles ------------------------------------------------------------------------------===//

  mlir::Value load(mlir::Value memory, mlir::ValueRange indices, int64_t rows, int64_t columns);
  void store(mlir::Value tile, mlir::Value memory, mlir::ValueRange indices,
             mlir::Value valid = {});
  mlir::Value splat(mlir::Value scalar, int64_t rows = 1, int64_t columns = 1);
  mlir::Value zeros(int64_t rows, int64_t columns);
  mlir::Value map(mlir::ValueRange tiles, int64_t rows, int64_t columns, mlir::Type element,
                  MapBody scalars);
  /// The tile with another element type, the value rounded or widened.
  mlir::Value convert(mlir::Value tile, mlir::Type element);
  mlir::Value sum(mlir::Value tile, int64_t dimension);
  mlir::Value slice(mlir::Value tile, int64_t begin, int64_t columns);
  mlir::Value concat(mlir::Value left, mlir::Value right);

  /// A tile whose row `r` is what `row(r)` makes, for each of `count` rows; only before the grid.
  mlir::Value stackRows(mlir::Value count, int64_t rows, int64_t columns, mlir::Type element,
                        llvm::function_ref<mlir::Value(mlir::Value)> row);

  //===--- Scalars ----------------------------------------------------------------------------===//

  /// An i32 of memory, as it is and as an index.
  mlir::Value scalar(mlir::Value buffer, mlir::ValueRange indices);
  mlir::Value position(mlir::Value buffer, mlir::ValueRange indices);

  //===--- The end ----------------------------------------------------------------------------===//

  /// Names the kernel, adds it to the module and launches it at `before` with results of `types`.
  kernel::LaunchOp finish(mlir::SymbolTable &symbols, llvm::StringRef name, mlir::Operation *before,
                          mlir::TypeRange types);

  kernel::FuncOp getFunction() const { return function; }
  kernel::ScheduleAttr getSchedule() { return function.getScheduleAttr(); }

  mlir::OpBuilder top, body;
  mlir::Location loc;
  mlir::Type f32, i32;

private:
  kernel::FuncOp function;
  llvm::SmallVector<mlir::Value> operands;
  llvm::SmallVector<bool> isTransposed;
  llvm::SmallVector<unsigned> updated;
  llvm::DenseMap<int64_t, mlir::Value> constants;
};

/// `tile` as its type; rows and columns of it.
inline kernel::TileType tileOf(mlir::Value tile) {
  return mlir::cast<kernel::TileType>(tile.getType());
}

} // namespace glm

#endif
