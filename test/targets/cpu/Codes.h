// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linears by integer codes in any size: exact sums, and sums of groups of 32 columns with a scale
// each.
#ifndef GLM_TEST_TARGETS_CPU_CODES_H
#define GLM_TEST_TARGETS_CPU_CODES_H

#include "KernelRunner.h"
#include "Linear.h"

namespace glm::test {

inline constexpr const char *integers = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>>,
                    %y: !kernel.buffer<?x$Nxi32>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %block = arith.constant $k : index
  %zero = arith.constant 0 : i32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, $m] {
    %init = kernel.splat %zero : i32 -> !kernel.tile<$mx$nxi32>
    %acc = scf.for %k = %c0 to %depth step %block iter_args(%c = %init) -> (!kernel.tile<$mx$nxi32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx$kxi8>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$w>
      %d = kernel.mma %a, %b, %c : !kernel.tile<$mx$kxi8>, !kernel.tile<$nx$kx$w>, !kernel.tile<$mx$nxi32>
      scf.yield %d : !kernel.tile<$mx$nxi32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<$mx$nxi32>, !kernel.buffer<?x$Nxi32>
  }
  kernel.return
})";

/// As compiled models have it: a unit is a block of rows by all panels, and rows are loaded once.
/// `%s` holds the scales of groups of 32 columns in panels.
inline constexpr const char *grouped = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>>,
                    %s: !kernel.buffer<$Nx$Gxf32, #kernel.panels<$n, 1>>, %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %step = arith.constant $n : index
  %width = arith.constant $N : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%i) to (%rows) step [$m] {
    %a = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx$Kxi8>
    scf.for %j = %c0 to %width step %step {
      %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
      %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$Kx$w>
      %t = kernel.load_tile %s[%j, %c0] : !kernel.buffer<$Nx$Gxf32, #kernel.panels<$n, 1>> -> !kernel.tile<$nx$Gxf32>
      %d = kernel.mma %a, %b, %init scales %t : !kernel.tile<$nx$Gxf32> : !kernel.tile<$mx$Kxi8>, !kernel.tile<$nx$Kx$w>, !kernel.tile<$mx$nxf32>
      kernel.store_tile %d, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
    }
  }
  kernel.return
})";

/// The same with what stands for 0 in each group.
inline constexpr const char *shifted = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>>,
                    %s: !kernel.buffer<$Nx$Gxf32, #kernel.panels<$n, 1>>, %z: !kernel.buffer<$Nx$Gxi8, #kernel.panels<$n, 1>>, %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %step = arith.constant $n : index
  %width = arith.constant $N : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%i) to (%rows) step [$m] {
    %a = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx$Kxi8>
    scf.for %j = %c0 to %width step %step {
      %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
      %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$Kx$w>
      %t = kernel.load_tile %s[%j, %c0] : !kernel.buffer<$Nx$Gxf32, #kernel.panels<$n, 1>> -> !kernel.tile<$nx$Gxf32>
      %o = kernel.load_tile %z[%j, %c0] : !kernel.buffer<$Nx$Gxi8, #kernel.panels<$n, 1>> -> !kernel.tile<$nx$Gxi8>
      %d = kernel.mma %a, %b, %init scales %t : !kernel.tile<$nx$Gxf32> zeros %o : !kernel.tile<$nx$Gxi8> : !kernel.tile<$mx$Kxi8>, !kernel.tile<$nx$Kx$w>, !kernel.tile<$mx$nxf32>
      kernel.store_tile %d, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
    }
  }
  kernel.return
})";

/// The same without scales.
inline constexpr const char *summed = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>>,
                    %y: !kernel.buffer<?x$Nxi32>) {
  %c0 = arith.constant 0 : index
  %step = arith.constant $n : index
  %width = arith.constant $N : index
  %zero = arith.constant 0 : i32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%i) to (%rows) step [$m] {
    %a = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx$Kxi8>
    scf.for %j = %c0 to %width step %step {
      %init = kernel.splat %zero : i32 -> !kernel.tile<$mx$nxi32>
      %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<$Nx$Kx$w, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$Kx$w>
      %d = kernel.mma %a, %b, %init : !kernel.tile<$mx$Kxi8>, !kernel.tile<$nx$Kx$w>, !kernel.tile<$mx$nxi32>
      kernel.store_tile %d, %y[%i, %j] : !kernel.tile<$mx$nxi32>, !kernel.buffer<?x$Nxi32>
    }
  }
  kernel.return
})";

/// `bits` of a code of the weight: 8 or 4.
inline std::string codesKernel(Shape shape, int64_t bits, const char *text = integers) {
  return fill(text, {{"w", bits == 8 ? "i8" : "i4"},
                     {"lane", bits == 8 ? "4" : "8"},
                     {"m", std::to_string(shape.rows)},
                     {"n", std::to_string(shape.n)},
                     {"N", std::to_string(shape.width)},
                     {"K", std::to_string(shape.depth)},
                     {"G", std::to_string(shape.depth / 32)},
                     {"k", std::to_string(shape.block)}});
}

} // namespace glm::test

#endif
