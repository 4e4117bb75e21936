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

    ```mlir
    %y = glm.gated_linear %x, %gate, %up
       : tensor<?x64xbf16>, tensor<40x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Matrix:$gate, Glm_Matrix:$up);
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

    ```mlir
    %y = glm.expert_gated_linear %x, %gates, %ups, %r
       : tensor<?x64xbf16>, tensor<12x36x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3>
         -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_Heads:$gates, Glm_Heads:$ups, Glm_RoutingType:$routing);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $gates `,` $ups `,` $routing attr-dict
    `:` type($x) `,` type($gates) `,` type($ups) `,` qualified(type($routing)) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_FUSEDOPS_TD
