// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function for each kind of layer. Two layers are of one kind when they do the same steps on
// operands of the same types; then they are two calls of one function.
#ifndef GLM_COMPILER_IMPORT_GLM5LAYER_H
#define GLM_COMPILER_IMPORT_GLM5LAYER_H

#include "compiler/import/Ledger.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace glm {

/// What a layer is made of, apart from its weights' types.
struct LayerShape {
  /// Experts instead of a dense feed-forward.
  bool sparse;
  /// Has an indexer, and hands its selection on.
  bool owner;
  double latentEps;

  /// "dense_full", "moe_shared", …
  std::string kind() const;
};

/// Operands of a layer function before its weights: hidden, rows, angles, latent cache, then the
/// index cache of an owner or the selection of a shared layer.
inline constexpr unsigned layerOperands = 5;

/// Results: hidden, then the selection of an owner, then the routing of a sparse layer.
/// The weights of a layer function: rows of layerRows() it takes, in order.
bool takesWeight(const LayerShape &shape, WeightKind kind);

/// Writes the private function `name` at the insertion point of `builder`. `weights` are the
/// sources of its weights, in order; their types and relative names become those of the arguments,
/// each with its companions behind it.
mlir::func::FuncOp buildLayerFunction(mlir::OpBuilder &builder, const std::string &name,
                                      const Glm5Config &config, const LayerShape &shape,
                                      llvm::ArrayRef<const WeightSource *> weights);

/// The type of a weight or bank value: its numbers, or its codes.
mlir::RankedTensorType typeOf(mlir::MLIRContext *context, const WeightSource &source);

/// The type of what stands beside codes: `[N, 1]` for one scale a row, behind the experts of a
/// bank.
mlir::RankedTensorType typeOf(mlir::MLIRContext *context, const WeightSource &source,
                              const Companion &companion);

/// The symbol of what stands beside codes: a tensor's name, or a bank's with the suffix behind it.
std::string symbolOf(const WeightSource &source, const Companion &companion);

/// `[sizes] x f32`; a negative size is dynamic.
mlir::RankedTensorType f32Tensor(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> sizes);

} // namespace glm

#endif
