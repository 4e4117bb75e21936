// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Intel's AMX while code is written: eight tile registers of up to 16 rows of 64 bytes, and
// products of two of them into a third. For machines without them the same registers are memory and
// the instructions loops, so that everything around them can be run anywhere.
//
//   bf16   sum[m][n] += (a[m][0] b[0][n] + a[m][2] b[2][n] + ...) + (a[m][1] b[1][n] + ...)
//   bytes  sum[m][n] += the sum of all signed a[m][k] times unsigned b[k][n]
//
// (Intel's SDM volume 2, TDPBF16PS and TDPBSUD.) The loops round as the instruction does, but for
// numbers below the normal range, which it takes for zero.
#ifndef GLM_TARGETS_CPU_TILEREGISTERS_H
#define GLM_TARGETS_CPU_TILEREGISTERS_H

#include "targets/cpu/Code.h"

namespace glm::cpu {

class TileRegisters {
public:
  static constexpr int64_t rows = 16, rowBytes = 64, count = 8;
  /// What they need of the worker's scratch: a configuration, or the registers themselves.
  static constexpr int64_t memoryBytes = count * rows * rowBytes;

  TileRegisters(Code &code, bool asLoops, mlir::Value memory)
      : code(code), asLoops(asLoops), memory(memory) {}

  /// Valid rows of every register, at least one each. All registers become zero.
  void configure(llvm::ArrayRef<mlir::Value> validRows);
  void zero(int64_t tile);
  /// Rows `stride` bytes apart, 64 bytes each.
  void load(int64_t tile, mlir::Value address, mlir::Value stride);
  void store(int64_t tile, mlir::Value address, mlir::Value stride);
  void multiply(int64_t sum, int64_t a, int64_t b, bool bytes);
  /// Gives the registers back; behind the last use in a function.
  static void release(Code &code);

private:
  mlir::Value place(int64_t tile) { return code.at(memory, tile * rows * rowBytes); }
  void forRows(int64_t tile, llvm::function_ref<void(mlir::Value row)> body);
  void multiplyRow(int64_t sum, int64_t a, int64_t b, mlir::Value row, bool bytes);

  Code &code;
  bool asLoops;
  mlir::Value memory;
  Values valid; // of loops: rows of every register
};

} // namespace glm::cpu

#endif
