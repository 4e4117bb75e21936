// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Movement between memory and tiles, and arithmetic on tiles.

#ifndef GLM_DIALECTS_KERNEL_TILEOPS_TD
#define GLM_DIALECTS_KERNEL_TILEOPS_TD

include "dialects/kernel/Kernel.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_DimOp : Kernel_Op<"dim", [Pure]> {
  let summary = "a dimension of a buffer";
  let description = [{
    - C1: the buffer has that dimension.

    ```mlir
    %n = kernel.dim %x, 0 : !kernel.buffer<?x64xf32>
    ```
  }];
  let arguments = (ins Kernel_BufferType:$buffer, I64Attr:$dimension);
  let results = (outs Index:$result);
  let assemblyFormat = "$buffer `,` $dimension attr-dict `:` type($buffer)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Kernel_FlattenOp : Kernel_Op<"flatten", [Pure]> {
  let summary = "a buffer with its first two dimensions as one";
  let description = [{
    The same memory, `[a, b, ...]` seen as `[a * b, ...]`: pairs of (row, expert) or (row, head) as rows.

    - C1: the buffer has no layout and at least two dimensions; the result's first is dynamic.

    ```mlir
    %pairs = kernel.flatten %x : !kernel.buffer<?x3x36xf32> -> !kernel.buffer<?x36xf32>
    ```
  }];
  let arguments = (ins Kernel_BufferType:$buffer);
  let results = (outs Kernel_BufferType:$result);
  let assemblyFormat = "$buffer attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_LoadScalarOp : Kernel_Op<"load_scalar"> {
  let summary = "one element of a buffer";
  let description = [{
    - C1: as many indices as the buffer has dimensions, no layout.

    ```mlir
    %slot = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    ```
  }];
  let arguments = (ins Arg<Kernel_BufferType, "", [MemRead]>:$buffer, Variadic<Index>:$indices);
  let results = (outs AnyTypeOf<[I32, F32, BF16]>:$result);
  let assemblyFormat = "$buffer `[` $indices `]` attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_LoadTileOp : Kernel_Op<"load_tile"> {
  let summary = "a block of memory as a tile";
  let description = [{
    The last two indices are the row and column of the tile's corner; what lies beyond the memory's
    extent is zero. From a `buffer` `[a, b]` of rank 2, `[h, a, b]` of rank 3; from a packed buffer or
    a bank the indices are those of the logical matrix; from a cache `[slot, position]` and the tile holds whole
    rows of consecutive positions. A rank-1 buffer is one row: `[b]`. With `inside` the kernel knows that the
    whole tile lies in the memory, so that nothing asks again.

    - C1: as many indices as the memory has dimensions (2 for a cache).
    - C2: element types are equal; a cache's tile has the cache's width.

    ```mlir
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x64xf32> -> !kernel.tile<6x64xf32>
    ```
  }];
  let arguments = (ins Arg<Kernel_Memory, "", [MemRead]>:$source, Variadic<Index>:$indices,
                       UnitAttr:$inside);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` (`inside` $inside^)? attr-dict `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_GatherRowsOp : Kernel_Op<"gather_rows"> {
  let summary = "rows of memory by a list of row numbers";
  let description = [{
    Row `r` of the result is row `ids[0, r]` of the source: of a buffer `[n, D]` starting at column
    `column`, of a cache the row at `[slot, ids[0, r]]`. A negative id gives a row of zeros. Targets fold it
    into a view where they can.

    - C1: `ids` is `1xR` i32, the result has `R` rows and the source's element type.
    - C2: one index: the column of a buffer, the slot of a cache.

    ```mlir
    %g = kernel.gather_rows %cache[%slot] by %ids
       : !kernel.cache<36xf32>, !kernel.tile<1x16xi32> -> !kernel.tile<16x36xf32>
    ```
  }];
  let arguments = (ins Arg<Kernel_Memory, "", [MemRead]>:$source, Index:$index,
                       Kernel_TileType:$ids);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $source `[` $index `]` `by` $ids attr-dict `:` type($source) `,` type($ids) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_StoreTileOp : Kernel_Op<"store_tile", [AttrSizedOperandSegments]> {
  let summary = "a tile written to memory";
  let description = [{
    The mirror of `load_tile`: what lies beyond the memory's extent, and rows from `valid` on where it
    is given, is dropped. Into a cache `[slot, position]` a tile of one row.

    - C1: as many indices as the memory has dimensions (2 for a cache).
    - C2: element types are equal.

    ```mlir
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<6x64xf32>, !kernel.buffer<?x64xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$tile, Arg<Kernel_Memory, "", [MemWrite]>:$destination,
                       Variadic<Index>:$indices, Optional<Index>:$valid);
  let assemblyFormat = [{
    $tile `,` $destination `[` $indices `]` (`valid` $valid^)? attr-dict
    `:` type($tile) `,` type($destination)
  }];
  let hasVerifier = 1;
}

def Kernel_SplatOp : Kernel_Op<"splat", [Pure]> {
  let summary = "a tile of one value";
  let description = [{
    - C1: the value is of the tile's element type.

    ```mlir
    %zero = kernel.splat %c : f32 -> !kernel.tile<6x64xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[F32, BF16, I32, F64]>:$value);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_MmaOp
    : Kernel_Op<"mma", [Pure, AllTypesMatch<["c", "result"]>, AttrSizedOperandSegments]> {
  let summary = "a product of tiles added to an accumulator";
  let description = [{
    `d[m, n] = c[m, n] + sum_k a[m, k] * b[n, k]`, in f32, in ascending order of `k` (pairs of bf16 as one step
    where the target has such an instruction). Integer codes are multiplied and added exactly, in i32; codes of
    numbers (f8E4M3FN) are the numbers they stand for. `b` lies as weights do: one row for each column of the result.

    - C1: `a` is `MxK`, `b` is `NxK`, `c` and the result are `MxN`.
    - C2: `a` is f32 or bf16 and `b` the same or f8E4M3FN, `c` f32; or `a` is i8, `b` i8 or i4, `c` i32.
    - C3: with `scales` integers are summed into f32: `scales` is `NxR` f32, `K` is `R` runs of equal length, and
      `d = c + sum_r scales[n, r] * sum_(k in run r) a[m, k] * b[n, k]`, in ascending order of `r`, each step one fused multiplication
      and addition. With `zeros`, `NxR` i8, `b[n, k] - zeros[n, r]` stands in place of `b[n, k]`.

    ```mlir
    %d = kernel.mma %a, %b, %c : !kernel.tile<6x64xbf16>, !kernel.tile<64x64xbf16>, !kernel.tile<6x64xf32>
    %e = kernel.mma %i, %j, %c scales %s : !kernel.tile<64x2xf32> : !kernel.tile<6x64xi8>, !kernel.tile<64x64xi4>, !kernel.tile<6x64xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$a, Kernel_TileType:$b, Kernel_TileType:$c,
                       Optional<Kernel_TileType>:$scales, Optional<Kernel_TileType>:$zeros);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $c (`scales` $scales^ `:` type($scales))? (`zeros` $zeros^ `:` type($zeros))? attr-dict
    `:` type($a) `,` type($b) `,` type($result)
  }];
  let builders = [OpBuilder<(ins "mlir::Value":$a, "mlir::Value":$b, "mlir::Value":$c), [{
    build($_builder, $_state, c.getType(), a, b, c, /*scales=*/{}, /*zeros=*/{});
  }]>];
  let extraClassDeclaration = [{
    /// Columns of one scale; 0 without scales.
    int64_t runLength();
  }];
  let hasVerifier = 1;
}

def Kernel_MapOp : Kernel_Op<"map", [Pure, SingleBlock]> {
  let summary = "an elementwise function of tiles";
  let description = [{
    The region, on scalars of `arith` and `math`, is applied to every element. An operand with one row or
    one column is repeated along it.

    - C1: every operand's dimensions equal the result's or are 1.
    - C2: the block's arguments are the operands' element types, it yields the result's.

    ```mlir
    %z = kernel.map (%x, %y) : (!kernel.tile<1x64xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x64xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.mulf %a, %b : f32
      kernel.yield %0 : f32
    }
    ```
  }];
  let arguments = (ins Variadic<Kernel_TileType>:$inputs);
  let results = (outs Kernel_TileType:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $inputs `)` attr-dict `:` functional-type($inputs, $result) $body
  }];
  let hasVerifier = 1;
}

def Kernel_ReduceOp : Kernel_Op<"reduce", [Pure]> {
  let summary = "a sum or maximum along one dimension";
  let description = [{
    Along `columns` (dimension 1) the result has one column. Along `rows` (0) a result of `R` rows takes as many
    equal runs of rows, one after the other: one row of the result is everything. f32. The order of a sum
    is the target's but depends on the tile's shape only.

    - C1: `dimension` is 0 or 1; along columns the result has one, along rows its rows divide the tile's; the
      other dimension is kept.

    ```mlir
    %s = kernel.reduce sum %x along 1 : !kernel.tile<1x64xf32> -> !kernel.tile<1x1xf32>
    ```
  }];
  let arguments = (ins Kernel_ReductionAttr:$kind, Kernel_TileType:$x, I64Attr:$dimension);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $kind $x `along` $dimension attr-dict `:` type($x) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_SliceOp : Kernel_Op<"slice", [Pure]> {
  let summary = "some columns of a tile";
  let description = [{
    - C1: the result lies inside the tile and has its rows.

    ```mlir
    %y = kernel.slice %x from 24 : !kernel.tile<1x36xf32> -> !kernel.tile<1x12xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x, I64Attr:$begin);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$x `from` $begin attr-dict `:` type($x) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Kernel_WordColumnOp : Kernel_Op<"word_column", [Pure]> {
  let summary = "four bytes of every row as the numbers of one row";
  let description = [{
    `y[0, r]` is the 32-bit number whose bytes are `x[r, at]` to `x[r, at + 3]`, the lowest first: the scales that lie
    behind the codes of cached rows.

    - C1: `x` holds i8, the result `1 x R` numbers of 32 bits, where `R` are the rows of `x`.
    - C2: `at` is a multiple of 4, and the word lies inside the row.

    ```mlir
    %scales = kernel.word_column %keys at 128 : !kernel.tile<16x132xi8> -> !kernel.tile<1x16xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x, I64Attr:$at);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$x `at` $at attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_ConcatOp : Kernel_Op<"concat", [Pure]> {
  let summary = "columns of two tiles side by side";
  let description = [{
    - C1: rows and element types are equal, the result's columns are the sum.

    ```mlir
    %z = kernel.concat %x, %y : !kernel.tile<1x24xf32>, !kernel.tile<1x12xf32> -> !kernel.tile<1x36xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x, Kernel_TileType:$y);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x) `,` type($y) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_RotateOp : Kernel_Op<"rotate", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "a rotation of pairs of columns";
  let description = [{
    With `c = angles[., j]`, `s = angles[., D/2 + j]`: interleaved pairs columns `2j, 2j+1`, half pairs
    `j, j + D/2`; `(a, b)` becomes `(a c - b s, b c + a s)`, f32.

    - C1: `x` and the result are `RxD`, `angles` is `RxD` or `1xD`, `D` even.

    ```mlir
    %y = kernel.rotate %x, %angles interleaved : !kernel.tile<4x12xf32>, !kernel.tile<1x12xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x, Kernel_TileType:$angles, Kernel_PairingAttr:$pairing);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = [{
    $x `,` $angles $pairing attr-dict `:` type($x) `,` type($angles)
  }];
  let hasVerifier = 1;
}

def Kernel_IotaOp : Kernel_Op<"iota", [Pure]> {
  let summary = "column numbers";
  let description = [{
    `y[0, c] = c` as i32 or f32.

    - C1: the result has one row of i32 or f32.

    ```mlir
    %c = kernel.iota : !kernel.tile<1x6xf32>
    ```
  }];
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Kernel_StackRowsOp : Kernel_Op<"stack_rows", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "a tile made row by row";
  let description = [{
    Row `r` of the result is what the region yields for `r`, for the rows below `count`; there are no others, and
    they count as zero. Before the grid it is what every worker computes for itself: rows that all units read.

    - C1: the region has one index argument and yields a tile of one row.
    - C2: that row is as wide as the result and of its element type.

    ```mlir
    %x = kernel.stack_rows (%r) to %n -> !kernel.tile<8x64xbf16> {
      %row = kernel.load_tile %m[%r, %c0] : !kernel.buffer<?x64xbf16> -> !kernel.tile<1x64xbf16>
      kernel.yield %row : !kernel.tile<1x64xbf16>
    }
    ```
  }];
  let arguments = (ins Index:$count);
  let results = (outs Kernel_TileType:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_KERNEL_TILEOPS_TD
