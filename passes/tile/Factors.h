// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What products multiply. A factor is a value by itself, or codes tied to companions by
// `glm.quantized`; then the kernel takes codes and companions as memory of their own. A sum over
// codes becomes a number in two places:
//
//   several scales a row, zeros     every run's sum is multiplied by its scale and added: of
//                                   integers inside of `mma`, of numbers behind it
//   one scale a row of integers     the i32 sum at the end: (sum + bias) * scale of the column
//
// and the scale of a row of the left factor multiplies the whole.
#ifndef GLM_PASSES_TILE_FACTORS_H
#define GLM_PASSES_TILE_FACTORS_H

#include "passes/tile/Emit.h"

namespace glm {

/// The parts of a factor; `type` is null where it is a value by itself, which then is `codes`.
struct FactorParts {
  explicit FactorParts(mlir::Value factor);

  mlir::Value codes, scales, bias, zeros;
  model::QuantizedType type;

  bool isInteger() const { return codesAreInteger; }

private:
  bool codesAreInteger = false;
};

/// Elements of one column that lie side by side in panels: as many as fill 32 bits, one of those
/// that are expanded to f32 before they are multiplied.
int64_t laneOf(mlir::Type code);

/// Columns after which the scale of a weight changes; 0 where it does not.
int64_t scaleColumns(mlir::Value weight);

/// One weight `[N, K]` of a product, or one matrix of every expert.
class WeightFactor {
public:
  /// `E` experts, 0: a single weight; panels of `n` rows.
  WeightFactor(KernelBuilder &b, mlir::Value factor, int64_t E, int64_t n);

  /// One matrix of every head, taken out of a weight when it is packed.
  static WeightFactor ofHeads(KernelBuilder &b, mlir::Value weight, int64_t N, int64_t K, int64_t n,
                              bool transposed);

  /// Takes the memory; in the order of the kernel's arguments.
  void addInputs();

  /// Where a unit works: expert or head (null of a single weight) and first row of the panel.
  void moveTo(mlir::Value expert, mlir::Value row) { e = expert, j = row; }

  /// The sum of nothing.
  mlir::Value zero(int64_t m);
  /// `sum` and the product of `a` (`m x columns`) with columns `[k, k + columns)` of the panel.
  mlir::Value add(mlir::Value sum, mlir::Value a, mlir::Value k, int64_t columns);
  /// The whole sum as f32; `rowScales` is `m x 1`, null where rows have none.
  mlir::Value finish(mlir::Value sum, mlir::Value rowScales);

private:
  mlir::Value companion(mlir::Value memory, mlir::ValueRange indices, int64_t columns);
  /// Scales are applied block by block: sums are numbers between blocks.
  bool byBlocks() const {
    return parts.type && (!parts.isInteger() || parts.zeros || parts.type.getColumns() < K);
  }

  KernelBuilder &b;
  FactorParts parts;
  int64_t E, N, K, n;
  mlir::Value panels, scales, bias, zeros, e, j;
};

/// The rows `[?, K]` of a product, or a row of each pair.
class RowFactor {
public:
  /// `topK`: experts a row, 0 of plain rows.
  RowFactor(KernelBuilder &b, mlir::Value factor, int64_t width, int64_t topK);

  mlir::Value load(mlir::Value row, mlir::Value column, int64_t rows, int64_t columns);
  mlir::Value gather(mlir::Value ids, mlir::Value column, int64_t rows, int64_t columns);
  /// The scale of each row, null where there is none.
  mlir::Value loadScales(mlir::Value row, int64_t rows);
  mlir::Value gatherScales(mlir::Value ids, int64_t rows);

  mlir::Value memory() const { return codes; }

private:
  KernelBuilder &b;
  mlir::Value codes, scales;
};

} // namespace glm

#endif
