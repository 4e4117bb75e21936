// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixture of experts: route, dispatch, expert matmul, combine.

#ifndef GLM_DIALECTS_GLM_MOEOPS_TD
#define GLM_DIALECTS_GLM_MOEOPS_TD

include "dialects/glm/Glm.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_RouteOp : Glm_Op<"route", [Pure]> {
  let summary = "the choice of experts";
  let description = [{
    `s = sigmoid(logits)`, `b = s + bias`; experts fall into `groups` equal runs of ids, a group's score is
    the sum of its two largest `b` (its only one where groups have one expert), all but the
    `kept_groups` best groups are dropped, and the `topK` experts with the largest `b` of the kept groups
    are chosen. Equal values go to the lower id. Weights are `scale * s_e / sum of chosen s` when
    `normalize`, else `scale * s_e`: the bias takes part in the choice, never in the weight (spec 3.8). f32.

    - C1: `logits` is `[n, E]`, `bias` is `[E]`, the result routes among `E` experts.
    - C2: `groups` divides `E`, `1 <= kept_groups <= groups`.
    - C3: the kept groups have at least `topK` experts.

    ```mlir
    %r = glm.route %logits, %bias groups 4 kept 2 scale 2.5 normalize
       : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
    ```
  }];
  let arguments = (ins Glm_Matrix:$logits, Glm_Vector:$bias, I64Attr:$groups, I64Attr:$kept_groups,
                       F64Attr:$scale, UnitAttr:$normalize);
  let results = (outs Glm_RoutingType:$result);
  let assemblyFormat = [{
    $logits `,` $bias `groups` $groups `kept` $kept_groups `scale` $scale
    (`normalize` $normalize^)? attr-dict
    `:` type($logits) `,` type($bias) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Glm_DispatchOp : Glm_Op<"dispatch", [Pure]> {
  let summary = "rows laid out by expert";
  let description = [{
    One row for each (row, chosen expert) pair, `n * topK` in all, ordered by expert id, then by row:
    `y[r, :] = x[row of pair r, :]`.

    - C1: `x` and the result have the same width and element type.

    ```mlir
    %d = glm.dispatch %x, %r : tensor<?x64xbf16>, !glm.routing<12, 3> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Glm_Factors:$x, Glm_RoutingType:$routing);
  let results = (outs Glm_Factors:$result);
  let assemblyFormat = [{
    $x `,` $routing attr-dict `:` type($x) `,` qualified(type($routing)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_ExpertLinearOp : Glm_Op<"expert_linear", [Pure]> {
  let summary = "a linear map of every dispatched row by its expert";
  let description = [{
    `y[r, o] = sum_c x[r, c] * bank[expert of pair r, o, c]`, products and sum as in `glm.linear`.

    - C1: `x` is `[p, K]`, `bank` is `[E, N, K]`, the result `[p, N]`, with the routing's `E`.
    - C2: the result is f32 (f64 in f64 modules).
    - C3: the factors are of kinds that `glm.linear` multiplies.

    ```mlir
    %y = glm.expert_linear %d, %bank, %r
       : tensor<?x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
    ```
  }];
  let arguments = (ins Glm_Factors:$x, Glm_FactorBank:$bank, Glm_RoutingType:$routing);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $bank `,` $routing attr-dict
    `:` type($x) `,` type($bank) `,` qualified(type($routing)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_CombineOp : Glm_Op<"combine", [Pure]> {
  let summary = "the weighted sum of each row's experts";
  let description = [{
    `y[i, :] = sum over the chosen experts e of row i, ascending, of weight_ie * x[pair (i, e), :]`, f32.

    - C1: `x` and the result have the same width.

    ```mlir
    %y = glm.combine %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$x, Glm_RoutingType:$routing);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $x `,` $routing attr-dict `:` type($x) `,` qualified(type($routing)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_RoutingIdsOp : Glm_Op<"routing_ids", [Pure]> {
  let summary = "the chosen experts as ids";
  let description = [{
    - C1: the result is `[n, topK]`, ascending in each row.

    ```mlir
    %ids = glm.routing_ids %r : !glm.routing<12, 3> -> tensor<?x3xi32>
    ```
  }];
  let arguments = (ins Glm_RoutingType:$routing);
  let results = (outs 2DTensorOf<[I32]>:$result);
  let assemblyFormat = "$routing attr-dict `:` qualified(type($routing)) `->` type($result)";
  let hasVerifier = 1;
}

def Glm_RoutingWeightsOp : Glm_Op<"routing_weights", [Pure]> {
  let summary = "the weights of the chosen experts";
  let description = [{
    - C1: the result is `[n, topK]` f32, in the order of `glm.routing_ids`.

    ```mlir
    %w = glm.routing_weights %r : !glm.routing<12, 3> -> tensor<?x3xf32>
    ```
  }];
  let arguments = (ins Glm_RoutingType:$routing);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = "$routing attr-dict `:` qualified(type($routing)) `->` type($result)";
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_MOEOPS_TD
