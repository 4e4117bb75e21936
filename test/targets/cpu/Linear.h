// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel of a linear in any size: panels of `n` rows of an `width x depth` weight, `block`
// columns of k and `rows` rows of x at a time.
#ifndef GLM_TEST_TARGETS_CPU_LINEAR_H
#define GLM_TEST_TARGETS_CPU_LINEAR_H

#include "KernelRunner.h"

namespace glm::test {

struct Shape {
  int64_t n, width, depth, block, rows = 6;
};

inline constexpr const char *linear = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kx$t>, %w: !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>>,
                    %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %block = arith.constant $k : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kx$t>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, $m] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
    %acc = scf.for %k = %c0 to %depth step %block iter_args(%c = %init) -> (!kernel.tile<$mx$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kx$t> -> !kernel.tile<$mx$kx$t>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$t>
      %d = kernel.mma %a, %b, %c : !kernel.tile<$mx$kx$t>, !kernel.tile<$nx$kx$t>, !kernel.tile<$mx$nxf32>
      scf.yield %d : !kernel.tile<$mx$nxf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
  }
  kernel.return
})";

/// The same as compiled models have it: a unit is a block of rows by all panels, and rows are
/// loaded once for all of them.
inline constexpr const char *blocked = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kx$t>, %w: !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>>,
                    %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %width = arith.constant $N : index
  %step = arith.constant $n : index
  %most = arith.constant $m : index
  %rounding = arith.constant $r : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kx$t>
  %rounded = arith.addi %rows, %rounding : index
  %blocks = arith.divui %rounded, %most : index
  kernel.parallel (%block) to (%blocks) step [1] {
    %next = arith.addi %block, %c1 : index
    %below = arith.muli %rows, %block : index
    %first = arith.divui %below, %blocks : index
    %above = arith.muli %rows, %next : index
    %last = arith.divui %above, %blocks : index
    %valid = arith.subi %last, %first : index
    %a = kernel.load_tile %x[%first, %c0] : !kernel.buffer<?x$Kx$t> -> !kernel.tile<$mx$Kx$t>
    scf.for %j = %c0 to %width step %step {
      %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
      %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$Kx$t>
      %d = kernel.mma %a, %b, %init : !kernel.tile<$mx$Kx$t>, !kernel.tile<$nx$Kx$t>, !kernel.tile<$mx$nxf32>
      kernel.store_tile %d, %y[%first, %j] valid %valid : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
    }
  }
  kernel.return
})";

template <typename T> std::string linearKernel(Shape shape, const char *text = linear) {
  bool bf16 = sizeof(T) == 2;
  return fill(text, {{"t", bf16 ? "bf16" : "f32"},
                     {"lane", bf16 ? "2" : "1"},
                     {"m", std::to_string(shape.rows)},
                     {"r", std::to_string(shape.rows - 1)},
                     {"n", std::to_string(shape.n)},
                     {"N", std::to_string(shape.width)},
                     {"K", std::to_string(shape.depth)},
                     {"k", std::to_string(shape.block)}});
}

} // namespace glm::test

#endif
