// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that select, and what they must select.
#ifndef GLM_TEST_TARGETS_CPU_SELECTION_H
#define GLM_TEST_TARGETS_CPU_SELECTION_H

#include "KernelRunner.h"

#include <algorithm>

namespace glm::test {

/// Positions of the `kept` largest scores, equal ones in favour of the lower, ascending, then -1.
inline std::vector<int32_t> best(const std::vector<float> &scores, size_t kept) {
  std::vector<int32_t> ids(scores.size());
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = int32_t(i);
  std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  });
  ids.resize(std::min(kept, ids.size()));
  std::sort(ids.begin(), ids.end());
  ids.resize(kept, -1);
  return ids;
}

/// `top(x [n, T], ids [n, K])`: the K best of T scores in memory, one row a unit.
inline std::string topOfGiven(int64_t T, int64_t K) {
  constexpr const char *text = R"(
kernel.func @top(%x: !kernel.buffer<?x$Txf32>, %ids: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %count = arith.constant $T : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x$Txf32>
  kernel.parallel (%i) to (%n) step [1] {
    %best = kernel.top_k (%t) from %c0 to %count step 16 -> !kernel.tile<1x$Kxi32> {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x$Txf32> -> !kernel.tile<1x16xf32>
      kernel.yield %s : !kernel.tile<1x16xf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<1x$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
})";
  return fill(text, {{"T", std::to_string(T)}, {"K", std::to_string(K)}});
}

/// `ranges(x [n, T], scores, ids)`: the K best of each of P ranges of L scores, lists `n` apart;
/// `merge(scores, ids, best [n, K])`: the K best of those.
inline std::string topOfRanges(int64_t T, int64_t K, int64_t P, int64_t L) {
  constexpr const char *text = R"(
kernel.func @ranges(%x: !kernel.buffer<?x$Txf32>, %scores: !kernel.buffer<?x$Kxf32>, %ids: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %count = arith.constant $T : index
  %parts = arith.constant $P : index
  %length = arith.constant $L : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x$Txf32>
  kernel.parallel (%i, %p) to (%n, %parts) step [1, 1] {
    %begin = arith.muli %p, %length : index
    %next = arith.addi %begin, %length : index
    %end = arith.minsi %next, %count : index
    %best, %kept = kernel.top_k (%t) from %begin to %end step 16 -> (!kernel.tile<1x$Kxi32>, !kernel.tile<1x$Kxf32>) {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x$Txf32> -> !kernel.tile<1x16xf32>
      kernel.yield %s : !kernel.tile<1x16xf32>
    }
    %before = arith.muli %p, %n : index
    %list = arith.addi %before, %i : index
    kernel.store_tile %kept, %scores[%list, %c0] : !kernel.tile<1x$Kxf32>, !kernel.buffer<?x$Kxf32>
    kernel.store_tile %best, %ids[%list, %c0] : !kernel.tile<1x$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
}
kernel.func @merge(%scores: !kernel.buffer<?x$Kxf32>, %ids: !kernel.buffer<?x$Kxi32>, %out: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %kept = arith.constant $K : index
  %none = arith.constant -1 : i32
  %whole = arith.constant $W : index
  %end = arith.constant $E : index
  %n = kernel.dim %out, 0 : !kernel.buffer<?x$Kxi32>
  kernel.parallel (%i) to (%n) step [1] {
    %best = kernel.top_k (%t) from %c0 to %end step 16 -> !kernel.tile<1x$Kxi32> {
      %p = arith.divui %t, %whole : index
      %c = arith.remui %t, %whole : index
      %before = arith.muli %p, %n : index
      %list = arith.addi %before, %i : index
      %s = kernel.load_tile %scores[%list, %c] : !kernel.buffer<?x$Kxf32> -> !kernel.tile<1x16xf32>
      %id = kernel.load_tile %ids[%list, %c] : !kernel.buffer<?x$Kxi32> -> !kernel.tile<1x16xi32>
      %left = arith.subi %kept, %c : index
      %bound = arith.index_cast %left : index to i32
      %column = kernel.iota : !kernel.tile<1x16xi32>
      %number = kernel.map (%id, %column) : (!kernel.tile<1x16xi32>, !kernel.tile<1x16xi32>) -> !kernel.tile<1x16xi32> {
      ^bb0(%a: i32, %b: i32):
        %inside = arith.cmpi slt, %b, %bound : i32
        %0 = arith.select %inside, %a, %none : i32
        kernel.yield %0 : i32
      }
      kernel.yield %s, %number : !kernel.tile<1x16xf32>, !kernel.tile<1x16xi32>
    }
    kernel.store_tile %best, %out[%i, %c0] : !kernel.tile<1x$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
})";
  int64_t whole = (K + 15) / 16 * 16;
  return fill(text, {{"T", std::to_string(T)},
                     {"K", std::to_string(K)},
                     {"P", std::to_string(P)},
                     {"L", std::to_string(L)},
                     {"W", std::to_string(whole)},
                     {"E", std::to_string(whole * P)}});
}

/// `rows(x [n, T], ends [n, 1], ids [n, K])`: four rows share a stream from position 16 on, each
/// up to its own end.
inline std::string topOfRows(int64_t T, int64_t K) {
  constexpr const char *text = R"(
kernel.func @rows(%x: !kernel.buffer<?x$Txf32>, %ends: !kernel.buffer<?x1xi32>, %ids: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %begin = arith.constant 16 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x$Txf32>
  kernel.parallel (%i) to (%n) step [4] {
    %i1 = arith.addi %i, %c1 : index
    %i2 = arith.addi %i, %c2 : index
    %i3 = arith.addi %i, %c3 : index
    %e0 = kernel.load_scalar %ends[%i, %c0] : !kernel.buffer<?x1xi32> -> i32
    %e1 = kernel.load_scalar %ends[%i1, %c0] : !kernel.buffer<?x1xi32> -> i32
    %e2 = kernel.load_scalar %ends[%i2, %c0] : !kernel.buffer<?x1xi32> -> i32
    %e3 = kernel.load_scalar %ends[%i3, %c0] : !kernel.buffer<?x1xi32> -> i32
    %0 = arith.index_cast %e0 : i32 to index
    %1 = arith.index_cast %e1 : i32 to index
    %2 = arith.index_cast %e2 : i32 to index
    %3 = arith.index_cast %e3 : i32 to index
    %best = kernel.top_k (%t) from %begin to %0, %1, %2, %3 step 16 -> !kernel.tile<4x$Kxi32> {
      %s = kernel.load_tile %x[%i, %t] inside : !kernel.buffer<?x$Txf32> -> !kernel.tile<4x16xf32>
      kernel.yield %s : !kernel.tile<4x16xf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<4x$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
})";
  return fill(text, {{"T", std::to_string(T)}, {"K", std::to_string(K)}});
}

/// `search(q [n, H, D], w [n, H, 1], rows, keys, ids [n, K])`, bf16 keys in lines: R rows of one
/// slot a unit, all of which see as many keys as the last.
inline std::string searchOfKeys(int64_t H, int64_t D, int64_t R, int64_t K,
                                int64_t step = 16) {
  constexpr const char *text = R"(
kernel.func @search(%q: !kernel.buffer<?x$Hx$Dxbf16>, %w: !kernel.buffer<?x$Hx1xf32>, %rows: !kernel.buffer<?x4xi32>,
    %keys: !kernel.cache<$Dxbf16, #kernel.lines<16>>, %ids: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %heads = arith.constant $H : index
  %zero = arith.constant 0.0 : f32
  %init = kernel.splat %zero : f32 -> !kernel.tile<$Ax$Sxf32>
  %n = kernel.dim %q, 0 : !kernel.buffer<?x$Hx$Dxbf16>
  %fq = kernel.flatten %q : !kernel.buffer<?x$Hx$Dxbf16> -> !kernel.buffer<?x$Dxbf16>
  %fw = kernel.flatten %w : !kernel.buffer<?x$Hx1xf32> -> !kernel.buffer<?x1xf32>
  kernel.parallel (%i) to (%n) step [$R] {
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %position = arith.index_cast %p32 : i32 to index
    %count = arith.addi %position, %c1 : index
    %first = arith.muli %i, %heads : index
    %query = kernel.load_tile %fq[%first, %c0] inside : !kernel.buffer<?x$Dxbf16> -> !kernel.tile<$Ax$Dxbf16>
    %weight = kernel.load_tile %fw[%first, %c0] inside : !kernel.buffer<?x1xf32> -> !kernel.tile<$Ax1xf32>
    %best = kernel.top_k (%t) from %c0 to $N step $S -> !kernel.tile<$Rx$Kxi32> {
      %some = kernel.load_tile %keys[%slot, %t] : !kernel.cache<$Dxbf16, #kernel.lines<16>> -> !kernel.tile<$Sx$Dxbf16>
      %s = kernel.mma %query, %some, %init : !kernel.tile<$Ax$Dxbf16>, !kernel.tile<$Sx$Dxbf16>, !kernel.tile<$Ax$Sxf32>
      %r = kernel.map (%s, %weight) : (!kernel.tile<$Ax$Sxf32>, !kernel.tile<$Ax1xf32>) -> !kernel.tile<$Ax$Sxf32> {
      ^bb0(%a: f32, %b: f32):
        %above = arith.cmpf ogt, %a, %zero : f32
        %0 = arith.select %above, %a, %zero : f32
        %1 = arith.mulf %0, %b : f32
        kernel.yield %1 : f32
      }
      %sum = kernel.reduce sum %r along 0 : !kernel.tile<$Ax$Sxf32> -> !kernel.tile<$Rx$Sxf32>
      kernel.yield %sum : !kernel.tile<$Rx$Sxf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<$Rx$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
})";
  std::string ends = "%count";
  for (int64_t row = 1; row < R; ++row)
    ends += ", %count";
  return fill(text, {{"H", std::to_string(H)},
                     {"D", std::to_string(D)},
                     {"R", std::to_string(R)},
                     {"K", std::to_string(K)},
                     {"A", std::to_string(R * H)},
                     {"S", std::to_string(step)},
                     {"N", ends}});
}

} // namespace glm::test

#endif
