// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The three kernels of attention over expanded keys, as passes/tile writes them, for any sizes.
#ifndef GLM_TEST_TARGETS_CPU_EXPANDED_H
#define GLM_TEST_TARGETS_CPU_EXPANDED_H

#include "KernelRunner.h"

namespace glm::test {

/// Heads, widths of a head's parts, rows and keys of a block, words of a row's bits.
struct ExpandedSizes {
  int64_t H, D, R, V, L, limit, m = 48, keys = 64, n = 64, words = 144;

  int64_t keyWidth() const { return D + R; }
  int64_t panels(int64_t columns) const { return (columns + n - 1) / n; }
  int64_t valueWidth() const { return panels(V) * n; }
};

inline std::string expandedKernels(const ExpandedSizes &s, bool bf16) {
  constexpr const char *text = R"(
kernel.func @expand(%latent: !kernel.cache<$Cx$T>, %rows: !kernel.buffer<?x4xi32>,
                    %uk: !kernel.buffer<$Hx$Dx$Lx$T, #kernel.panels<$N, $lane>>, %uv: !kernel.buffer<$Hx$Vx$Lx$T, #kernel.panels<$N, $lane>>,
                    %k: !kernel.buffer<?x$KWxf32>, %v: !kernel.buffer<?x$VWxf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %cN = arith.constant $N : index
  %cB = arith.constant $B : index
  %cH = arith.constant $H : index
  %cD = arith.constant $D : index
  %cV = arith.constant $V : index
  %cP = arith.constant $P : index
  %zero = arith.constant 0.0 : f32
  %absent = arith.constant -1 : i32
  %count = kernel.dim %k, 0 : !kernel.buffer<?x$KWxf32>
  %kb = kernel.block_rows %k by $B : !kernel.buffer<?x$KWxf32> -> !kernel.buffer<?x$Wx$Bxf32>
  %vb = kernel.block_rows %v by $B : !kernel.buffer<?x$VWxf32> -> !kernel.buffer<?x$Bx$Nxf32>
  %s32 = kernel.load_scalar %rows[%c0, %c1] : !kernel.buffer<?x4xi32> -> i32
  %slot = arith.index_cast %s32 : i32 to index
  kernel.parallel (%h, %t) to (%cH, %count) step [1, $B] {
    %left = arith.subi %count, %t : index
    %left32 = arith.index_cast %left : index to i32
    %t32 = arith.index_cast %t : index to i32
    %numbers = kernel.iota : !kernel.tile<1x$Bxi32>
    %ids = kernel.map (%numbers) : (!kernel.tile<1x$Bxi32>) -> !kernel.tile<1x$Bxi32> {
    ^bb0(%a: i32):
      %inside = arith.cmpi slt, %a, %left32 : i32
      %key = arith.addi %a, %t32 : i32
      %id = arith.select %inside, %key, %absent : i32
      kernel.yield %id : i32
    }
    %rowsOf = kernel.gather_rows %latent[%slot] by %ids : !kernel.cache<$Cx$T>, !kernel.tile<1x$Bxi32> -> !kernel.tile<$Bx$Cx$T>
    %c = kernel.slice %rowsOf from 0 : !kernel.tile<$Bx$Cx$T> -> !kernel.tile<$Bx$Lx$T>
    %kr = kernel.slice %rowsOf from $L : !kernel.tile<$Bx$Cx$T> -> !kernel.tile<$Bx$Rx$T>
    %init = kernel.splat %zero : f32 -> !kernel.tile<$Bx$Nxf32>
    %b = arith.divui %t, %cB : index
    %bh = arith.muli %b, %cH : index
    %matrix = arith.addi %bh, %h : index
    scf.for %j = %c0 to %cD step %cN {
      %w = kernel.load_tile %uk[%h, %j, %c0] : !kernel.buffer<$Hx$Dx$Lx$T, #kernel.panels<$N, $lane>> -> !kernel.tile<$Nx$Lx$T>
      %y = kernel.mma %c, %w, %init : !kernel.tile<$Bx$Lx$T>, !kernel.tile<$Nx$Lx$T>, !kernel.tile<$Bx$Nxf32>
      %yt = kernel.transpose %y : !kernel.tile<$Bx$Nxf32> -> !kernel.tile<$Nx$Bxf32>
      kernel.store_tile %yt, %kb[%matrix, %j, %c0] : !kernel.tile<$Nx$Bxf32>, !kernel.buffer<?x$Wx$Bxf32>
    }
    %wide = kernel.map (%kr) : (!kernel.tile<$Bx$Rx$T>) -> !kernel.tile<$Bx$Rxf32> {
    ^bb0(%a: $T):
      $widen
      kernel.yield %x : f32
    }
    %krt = kernel.transpose %wide : !kernel.tile<$Bx$Rxf32> -> !kernel.tile<$Rx$Bxf32>
    kernel.store_tile %krt, %kb[%matrix, %cD, %c0] : !kernel.tile<$Rx$Bxf32>, !kernel.buffer<?x$Wx$Bxf32>
    %first = arith.muli %matrix, %cP : index
    scf.for %j = %c0 to %cV step %cN {
      %w = kernel.load_tile %uv[%h, %j, %c0] : !kernel.buffer<$Hx$Vx$Lx$T, #kernel.panels<$N, $lane>> -> !kernel.tile<$Nx$Lx$T>
      %y = kernel.mma %c, %w, %init : !kernel.tile<$Bx$Lx$T>, !kernel.tile<$Nx$Lx$T>, !kernel.tile<$Bx$Nxf32>
      %jp = arith.divui %j, %cN : index
      %panel = arith.addi %first, %jp : index
      kernel.store_tile %y, %vb[%panel, %c0, %c0] : !kernel.tile<$Bx$Nxf32>, !kernel.buffer<?x$Bx$Nxf32>
    }
  }
  kernel.return
}

kernel.func @hide(%selection: !kernel.buffer<?x$Kxi32>, %hidden: !kernel.buffer<?x$Mxi32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %hidden, 0 : !kernel.buffer<?x$Mxi32>
  kernel.parallel (%i) to (%n) step [1] {
    %ids = kernel.load_tile %selection[%i, %c0] : !kernel.buffer<?x$Kxi32> -> !kernel.tile<1x$Kxi32>
    %bits = kernel.hidden_bits %ids : !kernel.tile<1x$Kxi32> -> !kernel.tile<1x$Mxi32>
    kernel.store_tile %bits, %hidden[%i, %c0] : !kernel.tile<1x$Mxi32>, !kernel.buffer<?x$Mxi32>
  }
  kernel.return
}

kernel.func @attend(%qn: !kernel.buffer<?x$HDx$T>, %qr: !kernel.buffer<?x$HRx$T>, %rows: !kernel.buffer<?x4xi32>,
                    %k: !kernel.buffer<?x$KWxf32>, %v: !kernel.buffer<?x$VWxf32>, %hidden: !kernel.buffer<?x$Mxi32>,
                    %out: !kernel.buffer<?x$HVxf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %cB = arith.constant $B : index
  %cH = arith.constant $H : index
  %cD = arith.constant $D : index
  %cR = arith.constant $R : index
  %cV = arith.constant $V : index
  %cm = arith.constant $m : index
  %zero = arith.constant 0.0 : f32
  %n = kernel.dim %out, 0 : !kernel.buffer<?x$HVxf32>
  %kb = kernel.block_rows %k by $B : !kernel.buffer<?x$KWxf32> -> !kernel.buffer<?x$Bx$Wxf32, #kernel.panels<$B, 1>>
  %vb = kernel.block_rows %v by $B : !kernel.buffer<?x$VWxf32> -> !kernel.buffer<?x$Vx$Bxf32, #kernel.panels<$N, 1>>
  kernel.parallel (%h, %i) to (%cH, %n) step [1, $m] {
    %nopeAt = arith.muli %h, %cD : index
    %ropeAt = arith.muli %h, %cR : index
    %q0 = kernel.load_tile %qn[%i, %nopeAt] : !kernel.buffer<?x$HDx$T> -> !kernel.tile<$mx$Dx$T>
    %q1 = kernel.load_tile %qr[%i, %ropeAt] : !kernel.buffer<?x$HRx$T> -> !kernel.tile<$mx$Rx$T>
    %qq = kernel.concat %q0, %q1 : !kernel.tile<$mx$Dx$T>, !kernel.tile<$mx$Rx$T> -> !kernel.tile<$mx$Wx$T>
    %q = kernel.map (%qq) : (!kernel.tile<$mx$Wx$T>) -> !kernel.tile<$mx$Wxf32> {
    ^bb0(%a: $T):
      $widen
      kernel.yield %x : f32
    }
    %places = kernel.load_tile %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> !kernel.tile<$mx1xi32>
    %end = arith.addi %i, %cm : index
    %stop = arith.minsi %end, %n : index
    %last = arith.subi %stop, %c1 : index
    %p32 = kernel.load_scalar %rows[%last, %c2] : !kernel.buffer<?x4xi32> -> i32
    %p = arith.index_cast %p32 : i32 to index
    %count = arith.addi %p, %c1 : index
    %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$Bxf32>
    %o = kernel.online_softmax (%t) to %count step $B -> !kernel.tile<$mx$Vxf32> attributes {by_columns} {
      %b = arith.divui %t, %cB : index
      %bh = arith.muli %b, %cH : index
      %matrix = arith.addi %bh, %h : index
      %keys = kernel.load_tile %kb[%matrix, %c0, %c0] : !kernel.buffer<?x$Bx$Wxf32, #kernel.panels<$B, 1>> -> !kernel.tile<$Bx$Wxf32>
      %s = kernel.mma %q, %keys, %init : !kernel.tile<$mx$Wxf32>, !kernel.tile<$Bx$Wxf32>, !kernel.tile<$mx$Bxf32>
      %word = arith.divui %t, %c32 : index
      %bits = kernel.load_tile %hidden[%i, %word] : !kernel.buffer<?x$Mxi32> -> !kernel.tile<$mx$Qxi32>
      %hides = kernel.unpack_bits %bits : !kernel.tile<$mx$Qxi32> -> !kernel.tile<$mx$Bxi32>
      %numbers = kernel.iota : !kernel.tile<1x$Bxi32>
      %t32 = arith.index_cast %t : index to i32
      %masked = kernel.map (%s, %hides, %numbers, %places) : (!kernel.tile<$mx$Bxf32>, !kernel.tile<$mx$Bxi32>, !kernel.tile<1x$Bxi32>, !kernel.tile<$mx1xi32>) -> !kernel.tile<$mx$Bxf32> {
      ^bb0(%score: f32, %hide: i32, %number: i32, %place: i32):
        %scale = arith.constant $scale : f32
        %never = arith.constant 0xFF800000 : f32
        %none = arith.constant 0 : i32
        %key = arith.addi %number, %t32 : i32
        %before = arith.cmpi sle, %key, %place : i32
        %shown = arith.cmpi eq, %hide, %none : i32
        %seen = arith.andi %before, %shown : i1
        %scaled = arith.mulf %score, %scale : f32
        %r = arith.select %seen, %scaled, %never : f32
        kernel.yield %r : f32
      }
      %values = kernel.load_tile %vb[%matrix, %c0, %c0] : !kernel.buffer<?x$Vx$Bxf32, #kernel.panels<$N, 1>> -> !kernel.tile<$Vx$Bxf32>
      kernel.yield %masked, %values : !kernel.tile<$mx$Bxf32>, !kernel.tile<$Vx$Bxf32>
    }
    %outAt = arith.muli %h, %cV : index
    kernel.store_tile %o, %out[%i, %outAt] : !kernel.tile<$mx$Vxf32>, !kernel.buffer<?x$HVxf32>
  }
  kernel.return
})";
  auto number = [](int64_t value) { return std::to_string(value); };
  // Longer names first: `$H` is the beginning of `$HD`.
  std::string filled = fill(text, {{"KW", number(s.H * s.keyWidth())},
                                   {"VW", number(s.H * s.valueWidth())},
                                   {"HD", number(s.H * s.D)},
                                   {"HR", number(s.H * s.R)},
                                   {"HV", number(s.H * s.V)},
                                   {"lane", bf16 ? "2" : "1"},
                                   {"scale", "0.25"},
                                   {"widen", bf16 ? "%x = arith.extf %a : bf16 to f32"
                                                  : "%x = arith.addf %a, %zero : f32"}});
  return fill(filled, {{"T", bf16 ? "bf16" : "f32"},
                       {"B", number(s.keys)},
                       {"C", number(s.L + s.R)},
                       {"D", number(s.D)},
                       {"H", number(s.H)},
                       {"K", number(s.limit)},
                       {"L", number(s.L)},
                       {"M", number(s.words)},
                       {"N", number(s.n)},
                       {"P", number(s.panels(s.V))},
                       {"Q", number(s.keys / 32)},
                       {"R", number(s.R)},
                       {"V", number(s.V)},
                       {"W", number(s.keyWidth())},
                       {"m", number(s.m)}});
}

} // namespace glm::test

#endif
