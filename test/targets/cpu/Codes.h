// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linears by integer codes in any size: exact sums, and sums of groups of 32 columns with a scale
// each, as compiled models have them.
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

/// `%s` holds the scales of a group side by side, `[K / 32, N]`; `%z` what stands for 0.
inline constexpr const char *shifted = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kxi4, #kernel.panels<$n, 8>>,
                    %s: !kernel.buffer<$Gx$Nxf32>, %z: !kernel.buffer<$Gx$Nxi8>, %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %none = arith.constant 0 : i32
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, $m] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
    %acc = scf.for %k = %c0 to %depth step %c32 iter_args(%c = %init) -> (!kernel.tile<$mx$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx32xi8>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kxi4, #kernel.panels<$n, 8>> -> !kernel.tile<$nx32xi4>
      %o = kernel.reduce sum %a along 1 : !kernel.tile<$mx32xi8> -> !kernel.tile<$mx1xi32>
      %e = kernel.splat %none : i32 -> !kernel.tile<$mx$nxi32>
      %d = kernel.mma %a, %b, %e : !kernel.tile<$mx32xi8>, !kernel.tile<$nx32xi4>, !kernel.tile<$mx$nxi32>
      %g = arith.divui %k, %c32 : index
      %t = kernel.load_tile %s[%g, %j] : !kernel.buffer<$Gx$Nxf32> -> !kernel.tile<1x$nxf32>
      %u = kernel.load_tile %z[%g, %j] : !kernel.buffer<$Gx$Nxi8> -> !kernel.tile<1x$nxi8>
      %f = kernel.map (%c, %d, %t, %o, %u) : (!kernel.tile<$mx$nxf32>, !kernel.tile<$mx$nxi32>, !kernel.tile<1x$nxf32>,
                                              !kernel.tile<$mx1xi32>, !kernel.tile<1x$nxi8>) -> !kernel.tile<$mx$nxf32> {
      ^bb0(%p: f32, %q: i32, %r: f32, %v: i32, %h: i8):
        %wide = arith.extsi %h : i8 to i32
        %shift = arith.muli %wide, %v : i32
        %exact = arith.subi %q, %shift : i32
        %number = arith.sitofp %exact : i32 to f32
        %scaled = arith.mulf %number, %r : f32
        %sum = arith.addf %p, %scaled : f32
        kernel.yield %sum : f32
      }
      scf.yield %f : !kernel.tile<$mx$nxf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
  }
  kernel.return
})";

/// The same without zeros.
inline constexpr const char *grouped = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kxi8>, %w: !kernel.buffer<$Nx$Kxi4, #kernel.panels<$n, 8>>,
                    %s: !kernel.buffer<$Gx$Nxf32>, %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %none = arith.constant 0 : i32
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kxi8>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, $m] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
    %acc = scf.for %k = %c0 to %depth step %c32 iter_args(%c = %init) -> (!kernel.tile<$mx$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kxi8> -> !kernel.tile<$mx32xi8>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kxi4, #kernel.panels<$n, 8>> -> !kernel.tile<$nx32xi4>
      %e = kernel.splat %none : i32 -> !kernel.tile<$mx$nxi32>
      %d = kernel.mma %a, %b, %e : !kernel.tile<$mx32xi8>, !kernel.tile<$nx32xi4>, !kernel.tile<$mx$nxi32>
      %g = arith.divui %k, %c32 : index
      %t = kernel.load_tile %s[%g, %j] : !kernel.buffer<$Gx$Nxf32> -> !kernel.tile<1x$nxf32>
      %f = kernel.map (%c, %d, %t) : (!kernel.tile<$mx$nxf32>, !kernel.tile<$mx$nxi32>, !kernel.tile<1x$nxf32>) -> !kernel.tile<$mx$nxf32> {
      ^bb0(%p: f32, %q: i32, %r: f32):
        %number = arith.sitofp %q : i32 to f32
        %scaled = arith.mulf %number, %r : f32
        %sum = arith.addf %p, %scaled : f32
        kernel.yield %sum : f32
      }
      scf.yield %f : !kernel.tile<$mx$nxf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
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
