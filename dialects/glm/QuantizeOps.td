// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codes and scales: how numbers become them, how they are tied together, and back.

#ifndef GLM_DIALECTS_GLM_QUANTIZEOPS_TD
#define GLM_DIALECTS_GLM_QUANTIZEOPS_TD

include "dialects/glm/Glm.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_Scales : RankedTensorOf<[F32, F16]>;

def Glm_QuantizedOp : Glm_Op<"quantized", [Pure, AttrSizedOperandSegments]> {
  let summary = "codes and their companions as one tensor";
  let description = [{
    An element `[r, c]` of the result stands for `(codes[r, c] - zeros[b]) * scales[b]`, where `b` is the block it lies
    in: `[r / rows, c / columns]` of the element type. A product adds `bias[o]` to its integer sum, before
    any scale: how static checkpoints correct for the offset of their inputs.

    - C1: codes have the result's shape and code type.
    - C2: scales and zeros are `[ceil(R / rows), ceil(C / columns)]`, behind the experts of a bank.
    - C3: a bias has one i32 for each row of integer codes.

    ```mlir
    %w = glm.quantized %codes, %scales : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
    ```
  }];
  let arguments = (ins Glm_Codes:$codes, Glm_Scales:$scales, Optional<1DTensorOf<[I32]>>:$bias,
                       Optional<RankedTensorOf<[I8]>>:$zeros);
  let results = (outs Glm_Quantized:$result);
  let assemblyFormat = [{
    $codes `,` $scales (`bias` $bias^ `:` type($bias))? (`zeros` $zeros^ `:` type($zeros))? attr-dict
    `:` type($codes) `,` type($scales) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_QuantizeOp : Glm_Op<"quantize", [Pure]> {
  let summary = "numbers as codes with a scale for each run of columns";
  let description = [{
    For every row and every run of `columns` columns (the last may be shorter), with `m` the largest magnitude in it
    and `q` the largest code (127 of i8, 7 of i4): `scale = m / q` rounded to the scales' type, `code = rint(x / scale)`
    within `[-q - 1, q]`, all zero where `m` is. `rint` rounds ties to even. Of an activation the codes are those of
    "dynamic" checkpoints, one run a row; of a weight they are made while weights are packed.

    With `asymmetric` the codes use the whole range of an i4: with `l <= 0 <= h` the least and largest number of the run,
    `scale = (h - l) / 15`, `zero = rint(-8 - l / scale)` within `[-8, 7]`, `code = rint(x / scale) + zero` within `[-8, 7]`.

    - C1: codes have the shape of `x`; scales and zeros have one column for each run.
    - C2: codes are i8 or i4; zeros belong to asymmetric i4.

    ```mlir
    %codes, %scales = glm.quantize %x columns 64 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, I64Attr:$columns, UnitAttr:$asymmetric);
  let results = (outs Glm_Codes:$codes, Glm_Scales:$scales, Variadic<RankedTensorOf<[I8]>>:$zeros);
  let assemblyFormat = [{
    $x `columns` $columns (`asymmetric` $asymmetric^)? attr-dict
    `:` type($x) `->` type($codes) `,` type($scales) (`,` type($zeros)^)?
  }];
  let hasVerifier = 1;
}

def Glm_QuantizeStaticOp : Glm_Op<"quantize_static", [Pure]> {
  let summary = "numbers as codes with a scale and offset that are given";
  let description = [{
    `code = clamp(rint(x / scale[0]) + offset[0], -128, 127)`, rounding ties to even: the inputs of "static" linears.
    Their weights' scales contain `scale`, their biases correct for `offset`.

    - C1: codes have the shape of `x`; scale and offset have one element.

    ```mlir
    %codes = glm.quantize_static %x, %scale, %offset : tensor<?x64xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<?x64xi8>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, 1DTensorOf<[F32]>:$scale, 1DTensorOf<[F32]>:$offset);
  let results = (outs 2DTensorOf<[I8]>:$codes);
  let assemblyFormat = [{
    $x `,` $scale `,` $offset attr-dict
    `:` type($x) `,` type($scale) `,` type($offset) `->` type($codes)
  }];
  let hasVerifier = 1;
}

def Glm_DequantizeOp : Glm_Op<"dequantize", [Pure]> {
  let summary = "the numbers that a quantised weight stands for";
  let description = [{
    `y[r, c] = (codes[r, c] - zeros[b]) * scales[b]` in f32, `b` the block of `[r, c]`. A derived weight: computed when weights
    are packed, for what is multiplied in parts whose blocks would not be whole (rows of heads), and for weights that a recipe
    only rounds.

    - C1: the result has the shape of `x`, which has no bias.

    ```mlir
    %w = glm.dequantize %q : tensor<288x136x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<288x136xf32>
    ```
  }];
  let arguments = (ins Glm_Quantized:$x);
  let results = (outs RankedTensorOf<[F32, F64]>:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_QUANTIZEOPS_TD
