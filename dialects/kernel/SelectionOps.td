// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choosing: top-k over a stream of scores, softmax over a stream of keys, experts, groups of rows.

#ifndef GLM_DIALECTS_KERNEL_SELECTIONOPS_TD
#define GLM_DIALECTS_KERNEL_SELECTIONOPS_TD

include "dialects/kernel/Kernel.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_TopKOp : Kernel_Op<"top_k", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "the best positions of a stream of scores, for several rows at once";
  let description = [{
    The region yields scores `s` (`R x step`, f32) of the positions from its argument on, which is `begin`,
    `begin + step` …; for row `r` positions from `ends[r]` on do not exist. Of those of a row that exist, the
    `K` with the largest score (all, if there are fewer), equal scores in favour of the lower position,
    ascending; the rest of the row is -1. The second result, if there is one, holds their scores; behind
    them it is not defined. With a second yielded tile (`1 x step`, i32) positions have numbers, which ascend
    with them: the result holds numbers, and a position with a negative number does not exist.

    The best of a set are the best of the best of its parts, without any rounding: a stream may be split
    into ranges by `begin` and `ends`, and the ranges' results be merged by another `top_k` that takes their scores
    and, as numbers, their positions.

    One op, because targets differ most here: a CPU keeps what beats the K-th best so far and cuts it
    back when the place is full, an NPU sorts blocks and merges them.

    - C1: the region has one index argument and yields an `R x step` f32 tile, then at most a `1 x step` i32 tile.
    - C2: the result is `R x K` i32, the second one `R x K` f32, and there are `R` ends.

    ```mlir
    %ids = kernel.top_k (%t) from %c0 to %count step 16 -> !kernel.tile<1x10xi32> {
      ...
      kernel.yield %scores : !kernel.tile<1x16xf32>
    }
    ```
  }];
  let arguments = (ins Index:$begin, Variadic<Index>:$ends, I64Attr:$step);
  let results = (outs Kernel_TileType:$result, Optional<Kernel_TileType>:$scores);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Kernel_OnlineSoftmaxOp : Kernel_Op<"online_softmax", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "attention over a stream of keys";
  let description = [{
    The region yields scores `s` (`H x step`, f32) and rows `r` (`step x W`) of the keys from its argument on;
    keys from `count` on do not exist. `y[h, c] = sum_t softmax_t(s[h, t]) * r[t, c]` for the first `C` columns,
    accumulated in f32 block after block with a running maximum. Keys whose score is minus infinity weigh nothing; where
    there is no other key the result is zero.

    With `by_columns` the second tile is `W x step`, one row for each column of the result, as `kernel.mma` wants its right
    operand: many `H` meet many keys. Its columns from `count` on are read, and must be finite.

    - C1: the region has one index argument and yields an `H x step` f32 tile and a `step x W` tile (`W x step` f32
      with `by_columns`).
    - C2: the result is `H x C` f32 with `C <= W`.

    ```mlir
    %y = kernel.online_softmax (%t) to %count step 16 -> !kernel.tile<4x24xf32> {
      ...
      kernel.yield %scores, %keys : !kernel.tile<4x16xf32>, !kernel.tile<16x36xf32>
    }
    ```
  }];
  let arguments = (ins Index:$count, I64Attr:$step, UnitAttr:$by_columns);
  let results = (outs Kernel_TileType:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Kernel_SelectExpertsOp : Kernel_Op<"select_experts", [Pure]> {
  let summary = "the best experts of the best groups";
  let description = [{
    Columns fall into `groups` equal runs; a group's score is the sum of its two largest values (its only one
    where a run has one column); outside the `kept` best groups nothing is chosen. The `K` columns with the
    largest values, equal values in favour of the lower one, ascending.

    - C1: `groups` divides the columns, `1 <= kept <= groups`, the kept groups have `K` columns.
    - C2: `values` is `1xE` f32, the result `1xK` i32.

    ```mlir
    %ids = kernel.select_experts %b groups 4 kept 2 : !kernel.tile<1x16xf32> -> !kernel.tile<1x4xi32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$values, I64Attr:$groups, I64Attr:$kept);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $values `groups` $groups `kept` $kept attr-dict `:` type($values) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_TakeColumnsOp : Kernel_Op<"take_columns", [Pure]> {
  let summary = "some columns by number";
  let description = [{
    `y[0, j] = x[0, ids[0, j]]`.

    - C1: `x`, `ids` and the result have one row; `ids` is i32 and as wide as the result.

    ```mlir
    %y = kernel.take_columns %x, %ids : !kernel.tile<1x16xf32>, !kernel.tile<1x4xi32> -> !kernel.tile<1x4xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x, Kernel_TileType:$ids);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $x `,` $ids attr-dict `:` type($x) `,` type($ids) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_GroupRowsOp : Kernel_Op<"group_rows"> {
  let summary = "pairs of row and expert, laid out by expert";
  let description = [{
    From `ids` (`[n, k]`, the experts of each row) a counting sort of the `n * k` pairs by expert, then row:
    `order[p] = row * k + column` of the pair at place `p`, `inverse[row * k + column] = p`, the pairs of expert
    `e` at places `[offsets[e], offsets[e + 1])`, and `active = [number of experts with rows, their ids
    ascending]`. One unit of work.

    - C1: all buffers are i32: `ids` `[n, k]`, `order` and `inverse` `[n, k]`, `offsets` and `active` `[E + 1]`.

    ```mlir
    kernel.group_rows %ids into %order, %inverse, %offsets, %active
      : !kernel.buffer<?x3xi32>, !kernel.buffer<?x3xi32>, !kernel.buffer<?x3xi32>,
        !kernel.buffer<13xi32>, !kernel.buffer<13xi32>
    ```
  }];
  let arguments = (ins Arg<Kernel_BufferType, "", [MemRead]>:$ids,
                       Arg<Kernel_BufferType, "", [MemWrite]>:$order,
                       Arg<Kernel_BufferType, "", [MemWrite]>:$inverse,
                       Arg<Kernel_BufferType, "", [MemWrite]>:$offsets,
                       Arg<Kernel_BufferType, "", [MemWrite]>:$active);
  let assemblyFormat = [{
    $ids `into` $order `,` $inverse `,` $offsets `,` $active attr-dict `:` type($ids) `,` type($order)
    `,` type($inverse) `,` type($offsets) `,` type($active)
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_KERNEL_SELECTIONOPS_TD
