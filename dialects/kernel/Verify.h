// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the verifiers of all chapters ask of tiles, memories and regions.
#ifndef GLM_DIALECTS_KERNEL_VERIFY_H
#define GLM_DIALECTS_KERNEL_VERIFY_H

#include "dialects/kernel/Kernel.h"

namespace glm::kernel {

/// Stands for a size that does not matter.
inline constexpr int64_t anySize = mlir::ShapedType::kDynamic;

/// Error `<name> is 6x64, expected 6x32` unless the sizes agree.
mlir::LogicalResult checkTile(mlir::Operation *op, llvm::StringRef name, TileType tile,
                              int64_t rows, int64_t columns);

/// Error `<name> holds bf16, expected f32` unless elements of tile or memory are of that type.
mlir::LogicalResult checkElement(mlir::Operation *op, llvm::StringRef name, mlir::Type type,
                                 mlir::Type expected);

/// Error unless there are as many indices as `memory` has dimensions (2 for a cache).
mlir::LogicalResult checkIndices(mlir::Operation *op, mlir::Type memory, size_t indices);

/// Error unless the region of `op` takes exactly `types` and yields `results` values.
mlir::LogicalResult checkRegion(mlir::Operation *op, mlir::TypeRange types, size_t results);

/// What the region's terminator yields as `index`-th value.
mlir::Type yielded(mlir::Operation *op, unsigned index);

} // namespace glm::kernel

#endif
