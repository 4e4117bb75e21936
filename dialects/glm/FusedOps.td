// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fused steps: ops that passes/fuse writes and no importer. Each stands for ops of the other chapters.

#ifndef GLM_DIALECTS_GLM_FUSEDOPS_TD
#define GLM_DIALECTS_GLM_FUSEDOPS_TD

include "dialects/glm/FusedInterfaces.td"
include "dialects/glm/Glm.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Glm_FusedOp<string mnemonic, list<Trait> traits = []>
    : Glm_Op<mnemonic, !listconcat(traits, [DeclareOpInterfaceMethods<Glm_Decomposable>])>;

def Glm_GatedLinearOp : Glm_FusedOp<"gated_linear", [Pure]> {
  let summary = "a linear map of rows gated by another";
  let description = [{
    `y[i, o] = silu(sum_c x[i, c] * gate[o, c]) * sum_c x[i, c] * up[o, c]`: SwiGLU up to its last linear
    (spec 3.7), with the sums of `glm.linear` and the arithmetic of `glm.silu` and `glm.multiply`.

    - C1: `x` is `[n, K]`, `gate` and `up` are `[N, K]`, the result `[n, N]`.
    - C2: `gate` and `up` have the same element type.
    - C3: the result is f32 (f64 in f64 modules).
    - C4: the factors are of kinds that `glm.linear` multiplies.

    ```mlir
    %y = glm.gated_linear %x, %gate, %up
       : tensor<?x64xbf16>, tensor<40x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins Glm_Factors:$x, Glm_Factors:$gate, Glm_Factors:$up);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $gate `,` $up attr-dict `:` type($x) `,` type($gate) `,` type($up) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_ExpertGatedLinearOp : Glm_FusedOp<"expert_gated_linear", [Pure]> {
  let summary = "a gated linear map of every row by each of its experts";
  let description = [{
    `y[r, o] = silu(sum_c x[i, c] * gates[e, o, c]) * sum_c x[i, c] * ups[e, o, c]` for every pair `r` of a row
    `i` and an expert `e` that the routing chose for it, ordered by expert, then by row, as `glm.dispatch`
    orders them. Rows are not copied for their experts.

    - C1: `x` is `[n, K]`, `gates` and `ups` are `[E, N, K]` with the routing's `E`, the result `[n * topK, N]`.
    - C2: `gates` and `ups` have the same element type.
    - C3: the result is f32 (f64 in f64 modules).
    - C4: the factors are of kinds that `glm.linear` multiplies.

    ```mlir
    %y = glm.expert_gated_linear %x, %gates, %ups, %r
       : tensor<?x64xbf16>, tensor<12x36x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3>
         -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins Glm_Factors:$x, Glm_FactorBank:$gates, Glm_FactorBank:$ups,
                       Glm_RoutingType:$routing);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $gates `,` $ups `,` $routing attr-dict
    `:` type($x) `,` type($gates) `,` type($ups) `,` qualified(type($routing)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_LinearGroupOp : Glm_FusedOp<"linear_group", [Pure, SameVariadicOperandSize]> {
  let summary = "several linear maps of the same rows";
  let description = [{
    `y_j[i, o] = sum_c x_j[i, c] * w_j[o, c]` for every weight `j`: `glm.linear`s that read the same rows, each in
    the element type it wants, as one piece of work. The field calls it a grouped GEMM.

    - C1: two weights at least, as many results as weights.
    - C2: `x_j` is `[n, K]` with one `n` and `K` for all, `w_j` is `[N_j, K]`, result `j` is `[n, N_j]`.
    - C3: results are f32 (f64 in f64 modules).

    ```mlir
    %q, %s = glm.linear_group %xb, %x by %q_a, %wp
       : tensor<?x64xbf16>, tensor<?x64xf32> by tensor<40x64xbf16>, tensor<8x64xf32>
         -> tensor<?x40xf32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Variadic<Glm_Matrix>:$rows, Variadic<Glm_Matrix>:$weights);
  let results = (outs Variadic<Glm_Matrix>:$results);
  let assemblyFormat = [{
    $rows `by` $weights attr-dict `:` type($rows) `by` type($weights) `->` type($results)
  }];
  let hasVerifier = 1;
}

def Glm_NormLinearOp : Glm_FusedOp<"norm_linear", [Pure]> {
  let summary = "linear maps of rows that are normalised first";
  let description = [{
    `y_j = linear(round_j(rms_norm(x, gain)), w_j)` for every weight `j`, where `round_j` rounds to the element
    type of `w_j`: `glm.rms_norm`, `glm.cast` and `glm.linear` of rows that nobody else reads.

    - C1: one weight at least, as many results as weights.
    - C2: `x` is `[n, K]`, `gain` is `[K]`, `w_j` is `[N_j, K]`, result `j` is `[n, N_j]`.
    - C3: results are f32 (f64 in f64 modules).
    - C4: `eps` is positive.

    ```mlir
    %q, %i = glm.norm_linear %x, %gain eps 1.0e-05 by %q_b, %wq_b
       : tensor<?x64xf32>, tensor<64xbf16> by tensor<40x64xbf16>, tensor<8x64xbf16>
         -> tensor<?x40xf32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Vector:$gain, F64Attr:$eps, Variadic<Glm_Matrix>:$weights);
  let results = (outs Variadic<Glm_Matrix>:$results);
  let assemblyFormat = [{
    $x `,` $gain `eps` $eps `by` $weights attr-dict
    `:` type($x) `,` type($gain) `by` type($weights) `->` type($results)
  }];
  let hasVerifier = 1;
}

def Glm_RouterOp : Glm_FusedOp<"router", [Pure]> {
  let summary = "the choice of experts from rows";
  let description = [{
    `glm.route` of the logits `glm.linear(x, weight)`, with its attributes (spec 3.8).

    - C1: `x` is `[n, K]`, `weight` is `[E, K]`, `bias` is `[E]`, the result routes among `E` experts.
    - C2: `groups` divides `E`, `1 <= kept_groups <= groups`.
    - C3: the kept groups have at least `topK` experts.

    ```mlir
    %r = glm.router %x, %w, %bias groups 4 kept 2 scale 2.5 normalize
       : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Matrix:$weight, Glm_Vector:$bias, I64Attr:$groups,
                       I64Attr:$kept_groups, F64Attr:$scale, UnitAttr:$normalize);
  let results = (outs Glm_RoutingType:$result);
  let assemblyFormat = [{
    $x `,` $weight `,` $bias `groups` $groups `kept` $kept_groups `scale` $scale
    (`normalize` $normalize^)? attr-dict
    `:` type($x) `,` type($weight) `,` type($bias) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_FUSEDOPS_TD
