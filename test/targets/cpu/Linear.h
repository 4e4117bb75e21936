// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel of a linear in any size: panels of `n` rows of an `width x depth` weight, `block`
// columns of k at a time.
#ifndef GLM_TEST_TARGETS_CPU_LINEAR_H
#define GLM_TEST_TARGETS_CPU_LINEAR_H

#include "KernelRunner.h"

namespace glm::test {

struct Shape {
  int64_t n, width, depth, block;
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
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, 6] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<6x$nxf32>
    %acc = scf.for %k = %c0 to %depth step %block iter_args(%c = %init) -> (!kernel.tile<6x$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kx$t> -> !kernel.tile<6x$kx$t>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$t>
      %d = kernel.mma %a, %b, %c : !kernel.tile<6x$kx$t>, !kernel.tile<$nx$kx$t>, !kernel.tile<6x$nxf32>
      scf.yield %d : !kernel.tile<6x$nxf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<6x$nxf32>, !kernel.buffer<?x$Nxf32>
  }
  kernel.return
})";

template <typename T> std::string linearKernel(Shape shape) {
  bool bf16 = sizeof(T) == 2;
  return fill(linear, {{"t", bf16 ? "bf16" : "f32"},
                       {"lane", bf16 ? "2" : "1"},
                       {"n", std::to_string(shape.n)},
                       {"N", std::to_string(shape.width)},
                       {"K", std::to_string(shape.depth)},
                       {"k", std::to_string(shape.block)}});
}

} // namespace glm::test

#endif
