// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of rows: what lets many rows of a batch meet many cached keys at once. Rows of a buffer seen
// as matrices, tiles turned around, and one bit for each key that a row must not see.

#ifndef GLM_DIALECTS_KERNEL_BLOCKOPS_TD
#define GLM_DIALECTS_KERNEL_BLOCKOPS_TD

include "dialects/kernel/Kernel.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_BlockRowsOp : Kernel_Op<"block_rows", [Pure]> {
  let summary = "a buffer with some rows at a time as matrices";
  let description = [{
    The same memory, `[n, w]` seen as `[m * ceil(n / rows), N, K]`: each block of `rows` rows holds `m` matrices, packed or
    row-major. Memory is as long as whole blocks are, so the last block is complete.

    - C1: the buffer is row-major with two dimensions, the result has three, the first one dynamic, and
      the buffer's element type.
    - C2: a block of `rows` rows is a whole number of matrices, with what their layout adds.

    ```mlir
    %k = kernel.block_rows %keys by 64 : !kernel.buffer<?x128xf32> -> !kernel.buffer<?x64x32xf32, #kernel.panels<64, 1>>
    ```
  }];
  let arguments = (ins Kernel_BufferType:$buffer, I64Attr:$rows);
  let results = (outs Kernel_BufferType:$result);
  let assemblyFormat = "$buffer `by` $rows attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Matrices in one block.
    int64_t matrices();
  }];
}

def Kernel_TransposeOp : Kernel_Op<"transpose", [Pure]> {
  let summary = "a tile with rows as columns";
  let description = [{
    `y[c, r] = x[r, c]`.

    - C1: the result has the tile's sizes exchanged and its element type, which has 32 bits.

    ```mlir
    %y = kernel.transpose %x : !kernel.tile<64x20xf32> -> !kernel.tile<20x64xf32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_HiddenBitsOp : Kernel_Op<"hidden_bits", [Pure]> {
  let summary = "one bit for each position that is not in a list";
  let description = [{
    Bit `t mod 32` of `y[0, t / 32]` is 0 if `t` is one of the leading `ids` that are not negative, else 1. The ids
    that count are below 32 times the result's columns.

    - C1: `ids` and the result have one row of i32.

    ```mlir
    %bits = kernel.hidden_bits %ids : !kernel.tile<1x10xi32> -> !kernel.tile<1x4xi32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$ids);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$ids attr-dict `:` type($ids) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_UnpackBitsOp : Kernel_Op<"unpack_bits", [Pure]> {
  let summary = "bits as a tile of zeros and ones";
  let description = [{
    `y[r, c]` is bit `c mod 32` of `x[r, c / 32]`, as an i32.

    - C1: both are i32 with as many rows; the result has 32 columns for each one of `x`.

    ```mlir
    %hidden = kernel.unpack_bits %bits : !kernel.tile<6x2xi32> -> !kernel.tile<6x64xi32>
    ```
  }];
  let arguments = (ins Kernel_TileType:$x);
  let results = (outs Kernel_TileType:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_KERNEL_BLOCKOPS_TD
