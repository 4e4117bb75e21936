// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the workers share a product. Rows are cut into equal blocks of at most `m`, so that a block
// of a weight, once read and expanded, meets many rows; the panels of the weight are cut into
// groups, so that rows, once gathered and widened, meet several panels. A unit is a group by a
// block:
//
//              blocks of rows
//   groups     | 0 1 2 3 |      groups outside: a worker streams its part of the weight,
//   of panels  | 4 5 6 7 |      with few rows from its beginning to its end
#ifndef GLM_PASSES_TILE_PRODUCTGRID_H
#define GLM_PASSES_TILE_PRODUCTGRID_H

#include "passes/tile/KernelBuilder.h"

namespace glm {

struct Span {
  mlir::Value begin, end;
};

/// Part `number` of `parts` equal parts of `[0, total)`.
Span partOfRange(KernelBuilder &b, mlir::Value total, mlir::Value number, mlir::Value parts);

/// Equal blocks of at most `m` of `rows` rows, none where there is no row. `at`: where numbers are
/// needed, in front of the grid or in it. With many workers and few panels blocks are smaller.
mlir::Value countBlocks(mlir::OpBuilder &at, KernelBuilder &b, mlir::Value rows, int64_t m,
                        int64_t panels);

/// Into how many groups `panels` panels are cut, so that with `others` as many units beside each
/// other every worker gets the same: the fewest that do, all panels where none does. `equal`: the
/// others cost the same, so that it is enough to count them.
mlir::Value countGroups(KernelBuilder &b, int64_t panels, mlir::Value others, bool equal);

/// Rows of a unit, and how many.
struct RowBlock {
  mlir::Value first, count;
};
RowBlock rowBlock(KernelBuilder &b, mlir::Value rows, mlir::Value number, mlir::Value blocks);

/// The columns of a group of panels of `n` columns each, panel by panel.
void forPanels(KernelBuilder &b, int64_t panels, int64_t n, mlir::Value group, mlir::Value groups,
               llvm::function_ref<void(mlir::Value column)> body);

} // namespace glm

#endif
