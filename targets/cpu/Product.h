// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product while its code is written: `result = scale * c + a * b`, in register tiles of
// `tileRows` rows by `tileVectors` vectors of columns.
#ifndef GLM_TARGETS_CPU_PRODUCT_H
#define GLM_TARGETS_CPU_PRODUCT_H

#include "targets/cpu/Emitter.h"

namespace glm::cpu {

struct Emitter::Product {
  Tile a, b, c, result;
  mlir::Value validRows; // of a; null: all
  mlir::Value stored;    // rows of the result that are read later; null: all
  mlir::Value scale;     // address of one f32 for each row of c; null: all 1
  bool dot = false;
  bool integer = false;
  int64_t offset = 0;  // of integers: what a code of 0 is
  mlir::Value offsets; // of integers: address of what sums start with; null: they have it
  int64_t run = 0;     // of integers: columns of one scale, 0: sums are integers
  int64_t runs = 1;    // scales of a row of b, and offsets of a row of a
  Tile scales, zeros;  // `runs` lines of a panel
  bool hasZeros = false;
  mlir::Value skip;       // bytes to skip in every row of a; null: none
  mlir::Value ahead;      // address that is fetched meanwhile, a line for each turn; null: none
  int64_t linesAhead = 1; // in each turn
  int64_t prefetch = 0;   // bytes ahead in a weight; few rows are bound by memory
  int64_t depth = 0, tileRows = 0, tileVectors = 0;

  int64_t steps() const { return depth / b.lane; }
  int64_t lineBytes() const {
    return b.groupRows * b.lane * b.element().getIntOrFloatBitWidth() / 8;
  }
};

/// The accumulator is updated in place when it is a carried tile that only this product reads and
/// that carries its result.
bool isInPlace(kernel::MmaOp op);

} // namespace glm::cpu

#endif
