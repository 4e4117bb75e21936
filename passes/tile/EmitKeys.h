// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What search and attention share: the columns of a row of the batch, products of a row with keys,
// and the region of an op that owns a loop over keys.
#ifndef GLM_PASSES_TILE_EMITKEYS_H
#define GLM_PASSES_TILE_EMITKEYS_H

#include "passes/tile/KernelBuilder.h"

namespace glm {

/// The columns of a row of a batch that attention needs.
struct RowInfo {
  mlir::Value slot, position;

  RowInfo(KernelBuilder &b, mlir::Value rows, mlir::Value i)
      : slot(b.position(rows, {i, b.index(1)})), position(b.position(rows, {i, b.index(2)})) {}

  /// Keys that the row sees.
  mlir::Value visible(KernelBuilder &b) const {
    return mlir::arith::AddIOp::create(b.body, b.loc, position, b.index(1));
  }
};

/// Every row of `left` with every row of `right`, f32.
inline mlir::Value product(KernelBuilder &b, mlir::Value left, mlir::Value right) {
  mlir::Value zero = b.zeros(tileOf(left).getRows(), tileOf(right).getRows());
  return kernel::MmaOp::create(b.body, b.loc, left, right, zero);
}

inline mlir::Value scaled(KernelBuilder &b, mlir::Value tile, double factor) {
  return b.map(tile, tileOf(tile).getRows(), tileOf(tile).getColumns(), b.f32,
               [&](mlir::OpBuilder &s, mlir::Location loc, mlir::ValueRange x) -> mlir::Value {
                 mlir::Value scale =
                     mlir::arith::ConstantOp::create(s, loc, s.getF32FloatAttr(factor));
                 return mlir::arith::MulFOp::create(s, loc, x[0], scale);
               });
}

/// Gives the region of `op` its block, and `body` a place in it, for as long as the guard lives.
struct KeyLoop {
  KeyLoop(KernelBuilder &b, mlir::Operation *op) : guard(b.body) {
    mlir::Block &block = op->getRegion(0).emplaceBlock();
    key = block.addArgument(b.body.getIndexType(), b.loc);
    b.body.setInsertionPointToStart(&block);
  }

  mlir::OpBuilder::InsertionGuard guard;
  mlir::Value key;
};

} // namespace glm

#endif
