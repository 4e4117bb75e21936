// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kinds of kernel. Each function writes the kernel of one group into the module, launches it in
// front of the group and returns what the group's results become; the group itself is left to the
// caller.
#ifndef GLM_PASSES_TILE_EMIT_H
#define GLM_PASSES_TILE_EMIT_H

#include "passes/tile/KernelBuilder.h"

namespace glm {

using Results = llvm::SmallVector<mlir::Value>;

/// How the caches of a function lie in memory; those that are not in it lie in rows.
using CacheLayouts = llvm::DenseMap<mlir::Value, mlir::Attribute>;

Results emitRows(kernel::GroupOp group, mlir::SymbolTable &symbols, const CacheLayouts &layouts);
/// Linears and gated ones: two products by the same rows.
Results emitLinear(kernel::GroupOp group, mlir::SymbolTable &symbols);
/// Several linears of the same rows, which may have to be normalised first.
Results emitLinearGroup(kernel::GroupOp group, mlir::SymbolTable &symbols);
Results emitHeadLinear(kernel::GroupOp group, mlir::SymbolTable &symbols);
Results emitExpertLinear(kernel::GroupOp group, mlir::SymbolTable &symbols);
Results emitIndex(kernel::GroupOp group, mlir::SymbolTable &symbols, const CacheLayouts &layouts);
Results emitAttend(kernel::GroupOp group, mlir::SymbolTable &symbols);
/// Attention over expanded keys: three launches.
Results emitAttendExpanded(kernel::GroupOp group, mlir::SymbolTable &symbols);
Results emitRoute(kernel::GroupOp group, mlir::SymbolTable &symbols);
/// The same for few rows: one unit does all of it.
Results emitRouter(kernel::GroupOp group, mlir::SymbolTable &symbols);

/// `x / (1 + exp(-x))` of scalars.
mlir::Value silu(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

/// A row over its root mean square, times `gain`; all tiles are `1 x K` f32.
mlir::Value rmsNorm(KernelBuilder &b, mlir::Value x, mlir::Value gain, double eps);

/// Makes chains of elementwise maps one map each; returns how many maps are gone.
unsigned fuseMaps(kernel::FuncOp function);

//===--- What the kinds share -----------------------------------------------------------------===//

/// The six parts of a routing, and where each is among them.
enum RoutingPart { Ids, Weights, Order, Inverse, Offsets, Active };

/// Types of the parts as tensors: `[n, k]` ids, weights, order, inverse; `[E + 1]` offsets and
/// active.
llvm::SmallVector<mlir::Type> partTypes(model::RoutingType routing);

/// One part as a value; `before` is where it may be taken out.
mlir::Value partOf(mlir::Value routing, RoutingPart part, mlir::Operation *before);

/// A row-major buffer, or a packed one.
kernel::BufferType bufferOf(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                            mlir::Attribute layout = {});

/// The row-major buffer of a tensor of that type, of a part of a routing, of rows or of a
/// selection.
kernel::BufferType bufferOf(mlir::Type value);

/// How a cache of the model lies in memory: behind the codes of a row comes their scale, 4 bytes.
kernel::CacheType cacheOf(model::CacheType cache, mlir::Attribute layout);

/// A row (or more) as codes of 8 bits: `codes` i8, and `scale` for each row, `R x 1` f32, so that a
/// number is about `code * scale`.
struct Codes {
  mlir::Value codes, scale;
};
Codes encodeRows(KernelBuilder &b, mlir::Value tile);

/// The only op of type `T` of a group, or null.
template <typename T> T only(kernel::GroupOp group) {
  auto range = group.getBody().front().getOps<T>();
  return range.empty() ? T() : *range.begin();
}

/// `f32` or `bf16`, for names.
std::string elementName(mlir::Type tensorOrElement);

inline int64_t sizeAt(mlir::Value tensor, unsigned index) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getDimSize(index);
}
inline mlir::Type elementAt(mlir::Value tensor) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getElementType();
}

} // namespace glm

#endif
