// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The leading `?` of a tensor is one of three numbers: rows of the batch, rows that logits are
// asked for, or pairs of a row and an expert. Two row-wise ops can share a kernel only if it is the
// same.
#ifndef GLM_PASSES_TILE_ROWDOMAIN_H
#define GLM_PASSES_TILE_ROWDOMAIN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace glm {

struct RowDomain {
  enum Kind { None, Rows, LogitRows, Pairs };
  Kind kind = None;
  /// Experts of a row, where the rows are pairs.
  int64_t topK = 0;

  bool operator==(const RowDomain &) const = default;
};

/// The name of the dimension that `program.buffer` takes: pairs are a multiple of rows.
inline llvm::StringRef dimensionOf(RowDomain domain) {
  return domain.kind == RowDomain::LogitRows ? "logit_rows" : "rows";
}

/// Domains of all values of one function, found in one walk. Weights have none.
class RowDomains {
public:
  explicit RowDomains(mlir::func::FuncOp function);

  RowDomain of(mlir::Value value) const { return domains.lookup(value); }

private:
  void visit(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, RowDomain> domains;
};

} // namespace glm

#endif
