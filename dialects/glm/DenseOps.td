// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense steps: embedding, linears, norms, rotation, arithmetic and changes of shape.

#ifndef GLM_DIALECTS_GLM_DENSEOPS_TD
#define GLM_DIALECTS_GLM_DENSEOPS_TD

include "dialects/glm/Glm.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_EmbedOp : Glm_Op<"embed", [Pure]> {
  let summary = "embedding rows of a batch";
  let description = [{
    `y[i, :] = table[token_i, :]`, widened to the result's type.

    - C1: `table` is `[V, D]`, the result `[n, D]`.

    ```mlir
    %h = glm.embed %table, %rows : tensor<761x64xbf16> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$table, Glm_RowsType:$rows);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = "$table `,` $rows attr-dict `:` type($table) `->` type($result)";
  let hasVerifier = 1;
}

def Glm_MaskStartOp : Glm_Op<"mask_start", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "rows at position 0 set to zero";
  let description = [{
    `y[i, :] = position_i == 0 ? 0 : x[i, :]`. The MTP layer sees no embedding at position 0
    (spec: vLLM's masking, which the published drafts were made with).

    ```mlir
    %1 = glm.mask_start %0, %rows : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_RowsType:$rows);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = "$x `,` $rows attr-dict `:` type($x)";
}

def Glm_TakeRowsOp : Glm_Op<"take_rows", [Pure]> {
  let summary = "some rows of a tensor";
  let description = [{
    `y[i, :] = x[indices[i], :]`.

    - C1: `x` and the result have the same width and element type.

    ```mlir
    %1 = glm.take_rows %0, %indices : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, 1DTensorOf<[I32]>:$indices);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $indices attr-dict `:` type($x) `,` type($indices) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_LinearOp : Glm_Op<"linear", [Pure]> {
  let summary = "a linear map of rows";
  let description = [{
    `y[i, o] = sum_c x[i, c] * w[o, c]`, products and sum in f32 in ascending order of `c`. Weights are
    `[N, K]`, as in the checkpoint. There is no bias.

    With a quantised weight the sum is taken block by block of its columns, `y = sum_b scale[o, b] * sum_{c in b}
    x[i, c] * code[o, c]`. Where both sides are integers the inner sum is one of integers, exact in i32, to which a
    `bias` of the weight is added, and the scale of row `i` multiplies the whole.

    - C1: `x` is `[n, K]`, `w` is `[N, K]`, the result `[n, N]`.
    - C2: the result is f32 (f64 in f64 modules).
    - C3: numbers meet numbers or codes of numbers (`f8E4M3FN`); integer codes meet integer codes, those of
      `x` with one scale a row or none.

    ```mlir
    %y = glm.linear %x, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins Glm_Factors:$x, Glm_Factors:$weight);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $weight attr-dict `:` type($x) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_HeadLinearOp : Glm_Op<"head_linear", [Pure]> {
  let summary = "a linear map of every head";
  let description = [{
    `y[i, h, o] = sum_c x[i, h, c] * w[h, o, c]`, or `w[h, c, o]` when `transposed`. The absorbed forms of
    `W_UK` (transposed) and `W_UV`.

    - C1: `x` is `[n, H, K]`, `w` is `[H, N, K]` (`[H, K, N]` when transposed), the result `[n, H, N]`.
    - C2: the result is f32 (f64 in f64 modules).

    ```mlir
    %y = glm.head_linear %x, %w transposed
       : tensor<?x4x20xf32>, tensor<4x20x24xbf16> -> tensor<?x4x24xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$x, Glm_Heads:$weight, UnitAttr:$transposed);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = [{
    $x `,` $weight (`transposed` $transposed^)? attr-dict
    `:` type($x) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_RmsNormOp : Glm_Op<"rms_norm", [Pure]> {
  let summary = "root-mean-square normalisation";
  let description = [{
    `y[i, c] = x[i, c] / sqrt(mean_c(x[i, c]^2) + eps) * gain[c]`, in f32.

    - C1: `x` and the result are `[n, D]`, `gain` is `[D]`.
    - C2: `eps` is positive.

    ```mlir
    %y = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Vector:$gain, F64Attr:$eps);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $gain `eps` $eps attr-dict `:` type($x) `,` type($gain) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_LayerNormOp : Glm_Op<"layer_norm", [Pure]> {
  let summary = "layer normalisation with gain and bias";
  let description = [{
    `y[i, c] = (x[i, c] - m_i) / sqrt(v_i + eps) * gain[c] + bias[c]` with mean `m_i` and biased variance
    `v_i` of the row, in f32.

    - C1: `x` and the result are `[n, D]`, `gain` and `bias` are `[D]`.
    - C2: `eps` is positive.

    ```mlir
    %y = glm.layer_norm %x, %g, %b eps 1.0e-06
       : tensor<?x32xf32>, tensor<32xbf16>, tensor<32xbf16> -> tensor<?x32xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Vector:$gain, Glm_Vector:$bias, F64Attr:$eps);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $gain `,` $bias `eps` $eps attr-dict
    `:` type($x) `,` type($gain) `,` type($bias) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_RopeAnglesOp : Glm_Op<"rope_angles", [Pure]> {
  let summary = "cosines and sines of a batch's positions";
  let description = [{
    `y[i, j] = cos(phi_ij)`, `y[i, D/2 + j] = sin(phi_ij)` for `j < D/2`, with
    `phi_ij = f32(position_i) * f32(theta^(-2j/D))` multiplied in f32: at long context the f32 product is
    part of the model's function (spec 3.3).

    - C1: the result is `[n, D]` with `D` even.
    - C2: `theta` is greater than 1.

    ```mlir
    %angles = glm.rope_angles %rows theta 1.0e+06 : tensor<?x12xf32>
    ```
  }];
  let arguments = (ins Glm_RowsType:$rows, F64Attr:$theta);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = "$rows `theta` $theta attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Glm_RopeOp : Glm_Op<"rope", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "rotary position embedding";
  let description = [{
    With `c = angles[i, j]`, `s = angles[i, D/2 + j]`, for `j < D/2`:
    interleaved `y[2j] = x[2j] c - x[2j+1] s`, `y[2j+1] = x[2j+1] c + x[2j] s`;
    half `y[j] = x[j] c - x[j+D/2] s`, `y[j+D/2] = x[j+D/2] c + x[j] s`. The result stays in place order.
    The pairing is required: a wrong one goes unnoticed on short sequences.

    - C1: `x` is `[n, D]` or `[n, H, D]` with `D` even, the result the same; `angles` is `[n, D]`.

    ```mlir
    %y = glm.rope %x, %angles interleaved : tensor<?x4x12xf32>, tensor<?x12xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, Glm_Matrix:$angles, Glm_PairingAttr:$pairing);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x `,` $angles $pairing attr-dict `:` type($x) `,` type($angles)";
  let hasVerifier = 1;
}

def Glm_AddOp : Glm_Op<"add", [Pure, Commutative, SameOperandsAndResultType]> {
  let summary = "an elementwise sum";
  let description = [{
    `z = x + y`.

    ```mlir
    %z = glm.add %x, %y : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, Glm_Tensor:$y);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def Glm_MultiplyOp : Glm_Op<"multiply", [Pure, Commutative, SameOperandsAndResultType]> {
  let summary = "an elementwise product";
  let description = [{
    `z = x * y`.

    ```mlir
    %z = glm.multiply %x, %y : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, Glm_Tensor:$y);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def Glm_SiluOp : Glm_Op<"silu", [Pure, SameOperandsAndResultType]> {
  let summary = "the sigmoid linear unit";
  let description = [{
    `y = x / (1 + exp(-x))`.

    ```mlir
    %y = glm.silu %x : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Glm_CastOp : Glm_Op<"cast", [Pure, SameOperandsAndResultShape]> {
  let summary = "a rounding to another element type";
  let description = [{
    Round to nearest, ties to even, when the result is narrower; exact when it is wider. The only place
    where a value loses bits.

    ```mlir
    %y = glm.cast %x : tensor<?x64xf32> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasFolder = 1;
}

def Glm_SliceOp : Glm_Op<"slice", [Pure]> {
  let summary = "some columns of a tensor";
  let description = [{
    `y[..., c] = x[..., begin + c]`.

    - C1: all dimensions but the last are equal and `begin + width(y) <= width(x)`.

    ```mlir
    %y = glm.slice %x begin 24 : tensor<?x36xf32> -> tensor<?x12xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, I64Attr:$begin);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x `begin` $begin attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Glm_ConcatOp : Glm_Op<"concat", [Pure]> {
  let summary = "columns of two tensors side by side";
  let description = [{
    `z[..., :] = [x[..., :], y[..., :]]` along the last dimension.

    - C1: all dimensions but the last are equal; the result's last is the sum.

    ```mlir
    %z = glm.concat %x, %y : tensor<?x24xf32>, tensor<?x12xf32> -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins Glm_Tensor:$x, Glm_Tensor:$y);
  let results = (outs Glm_Tensor:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x) `,` type($y) `->` type($result)";
  let hasVerifier = 1;
}

def Glm_SplitHeadsOp : Glm_Op<"split_heads", [Pure]> {
  let summary = "columns grouped by head";
  let description = [{
    `y[i, h, c] = x[i, h * D + c]`.

    - C1: `x` is `[n, H * D]`, the result `[n, H, D]`.

    ```mlir
    %y = glm.split_heads %x : tensor<?x128xf32> -> tensor<?x4x32xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Glm_MergeHeadsOp : Glm_Op<"merge_heads", [Pure]> {
  let summary = "heads laid side by side";
  let description = [{
    `y[i, h * D + c] = x[i, h, c]`.

    - C1: `x` is `[n, H, D]`, the result `[n, H * D]`.

    ```mlir
    %y = glm.merge_heads %x : tensor<?x4x28xf32> -> tensor<?x112xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$x);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // GLM_DIALECTS_GLM_DENSEOPS_TD
