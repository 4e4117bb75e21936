// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sparse attention: score, select, gather, attend.

#ifndef GLM_DIALECTS_GLM_ATTENTIONOPS_TD
#define GLM_DIALECTS_GLM_ATTENTIONOPS_TD

include "dialects/glm/Glm.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_IndexScoresOp : Glm_Op<"index_scores"> {
  let summary = "scores of the lightning indexer";
  let description = [{
    `s[i, t] = scale * sum_h w[i, h] * max(0, sum_c q[i, h, c] * keys[slot_i, t, c])` for `t <= position_i`
    and minus infinity for later keys, in f32 (spec 3.5). `scale` is `H^-1/2 * D^-1/2`. With a cache of `i8` each
    query of a head becomes codes with a scale like a key, and the inner sum is one of integers.

    - C1: `q` is `[n, H, D]`, `w` is `[n, H]`, the cache has width `D`.
    - C2: the result is `[n, ?]` f32 (f64 in f64 modules).
    - C3: `scale` is positive.

    ```mlir
    %s = glm.index_scores %q, %w, %keys, %rows scale 0.0625
       : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$q, Glm_Matrix:$weights,
                       Arg<Glm_CacheType, "", [MemRead]>:$keys, Glm_RowsType:$rows, F64Attr:$scale);
  let results = (outs Glm_Matrix:$result);
  let assemblyFormat = [{
    $q `,` $weights `,` $keys `,` $rows `scale` $scale attr-dict
    `:` type($q) `,` type($weights) `,` qualified(type($keys)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_SelectTopKOp : Glm_Op<"select_top_k", [Pure]> {
  let summary = "the best keys of each row";
  let description = [{
    For row `i`, the `min(limit, position_i + 1)` keys `t <= position_i` with the largest score; equal
    scores in favour of the lower position. Result ascending by position.

    - C1: `scores` is `[n, ?]`.

    ```mlir
    %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
    ```
  }];
  let arguments = (ins Glm_Matrix:$scores, Glm_RowsType:$rows);
  let results = (outs Glm_SelectionType:$result);
  let assemblyFormat = "$scores `,` $rows attr-dict `:` type($scores) `->` qualified(type($result))";
}

def Glm_SelectionIdsOp : Glm_Op<"selection_ids", [Pure]> {
  let summary = "a selection as positions";
  let description = [{
    `y[i, :]` are the positions of row `i`, ascending, then -1.

    - C1: the result is `[n, limit]`.

    ```mlir
    %ids = glm.selection_ids %sel : !glm.selection<10> -> tensor<?x10xi32>
    ```
  }];
  let arguments = (ins Glm_SelectionType:$selection);
  let results = (outs 2DTensorOf<[I32]>:$result);
  let assemblyFormat = "$selection attr-dict `:` qualified(type($selection)) `->` type($result)";
  let hasVerifier = 1;
}

def Glm_SelectionOfIdsOp : Glm_Op<"selection_of_ids", [Pure]> {
  let summary = "positions as a selection";
  let description = [{
    The inverse of `glm.selection_ids`: row `i` selects the positions `ids[i, :]` up to the first -1. They are
    ascending and none is later than the row. How later draft steps reuse the selection of the first.

    - C1: `ids` is `[n, limit]`.

    ```mlir
    %sel = glm.selection_of_ids %ids : tensor<?x10xi32> -> !glm.selection<10>
    ```
  }];
  let arguments = (ins 2DTensorOf<[I32]>:$ids);
  let results = (outs Glm_SelectionType:$result);
  let assemblyFormat = "$ids attr-dict `:` type($ids) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Glm_GatherOp : Glm_Op<"gather"> {
  let summary = "the cached rows of a selection";
  let description = [{
    `y[i, r, :] = cache[slot_i, ids_i[r], :]` for the selected positions `ids_i` of row `i`. Rows with
    fewer keys than others end early; what lies beyond is not read by anybody.

    - C1: the result is `[n, ?, width]` with the cache's width and element type.

    ```mlir
    %g = glm.gather %cache, %sel, %rows
       : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
    ```
  }];
  let arguments = (ins Arg<Glm_CacheType, "", [MemRead]>:$cache, Glm_SelectionType:$selection,
                       Glm_RowsType:$rows);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = [{
    $cache `,` $selection `,` $rows attr-dict
    `:` qualified(type($cache)) `,` qualified(type($selection)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_AttendExpandedOp : Glm_Op<"attend_expanded", [Pure]> {
  let summary = "attention over expanded keys and values";
  let description = [{
    With latent rows `g[i, r, :] = [c_r | k_r]` (width `L + R`), `kv_b` head-major with `D` key rows then `V`
    value rows per head: `k_hr = kv_b[h, :D] c_r`, `v_hr = kv_b[h, D:] c_r`,
    `p_h = softmax_r(scale * (q_nope[i, h] . k_hr + q_rope[i, h] . k_r))`, `y[i, h] = sum_r p_hr v_hr`, over
    exactly the selected rows of row `i` (spec 3.4, 3.6).

    - C1: `q_nope` is `[n, H, D]`, `q_rope` is `[n, H, R]`, `gathered` is `[n, ?, L + R]`.
    - C2: `kv_b` is `[H * (D + V), L]`, the result `[n, H, V]`.
    - C3: `scale` is positive.

    ```mlir
    %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17677669529663687
       : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>,
         !glm.selection<10> -> tensor<?x4x28xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$q_nope, Glm_Heads:$q_rope, Glm_Heads:$gathered, Glm_Matrix:$kv_b,
                       Glm_SelectionType:$selection, F64Attr:$scale);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = [{
    $q_nope `,` $q_rope `,` $gathered `,` $kv_b `,` $selection `scale` $scale attr-dict
    `:` type($q_nope) `,` type($q_rope) `,` type($gathered) `,` type($kv_b) `,`
    qualified(type($selection)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_AttendLatentOp : Glm_Op<"attend_latent", [Pure]> {
  let summary = "attention over latent rows";
  let description = [{
    The absorbed form: `p_h = softmax_r(scale * (q[i, h] . c_r + q_rope[i, h] . k_r))`,
    `y[i, h] = sum_r p_hr c_r`, over exactly the selected rows of row `i`. Equal to `attend_expanded` with
    `W_UK` applied to the query before and `W_UV` to the result after.

    - C1: `q` is `[n, H, L]`, `q_rope` is `[n, H, R]`, `gathered` is `[n, ?, L + R]`, the result `[n, H, L]`.
    - C2: `scale` is positive.

    ```mlir
    %y = glm.attend_latent %q, %qr, %g, %sel scale 0.17677669529663687
       : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10>
         -> tensor<?x4x24xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$q, Glm_Heads:$q_rope, Glm_Heads:$gathered,
                       Glm_SelectionType:$selection, F64Attr:$scale);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = [{
    $q `,` $q_rope `,` $gathered `,` $selection `scale` $scale attr-dict
    `:` type($q) `,` type($q_rope) `,` type($gathered) `,` qualified(type($selection))
    `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_ATTENTIONOPS_TD
