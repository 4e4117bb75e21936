// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forms of attention: one meaning, computed in different ways for few rows and for many.

#ifndef GLM_DIALECTS_GLM_FORMOPS_TD
#define GLM_DIALECTS_GLM_FORMOPS_TD

include "dialects/glm/FusedInterfaces.td"
include "dialects/glm/Glm.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_SparseAttentionOp : Glm_Op<"sparse_attention", [DeclareOpInterfaceMethods<Glm_Decomposable>]> {
  let summary = "attention over the selected rows of a cache";
  let description = [{
    `glm.attend_expanded` of what `glm.gather` takes from `latent` (spec 3.4, 3.6): with `[c_t | k_t]` the cached row at
    position `t` and `kv_b` head-major with `D` key rows then `V` value rows a head, `y[i, h]` is the mean of
    `kv_b[h, D:] c_t` over the selected positions `t` of row `i`, weighted by the softmax of
    `scale * (q_nope[i, h] . kv_b[h, :D] c_t + q_rope[i, h] . k_t)`. How keys come to rows is open.

    - C1: `q_nope` is `[n, H, D]`, `q_rope` is `[n, H, R]`, the cache is `L + R` wide.
    - C2: `kv_b` is `[H * (D + V), L]`, the result `[n, H, V]`.
    - C3: `scale` is positive.

    ```mlir
    %y = glm.sparse_attention %qn, %qr, %latent, %sel, %kv_b, %rows scale 0.17677669529663687
       : tensor<?x4x20xf32>, tensor<?x4x12xf32>, !glm.cache<36xf32>, !glm.selection<10>, tensor<192x24xf32>
         -> tensor<?x4x28xf32>
    ```
  }];
  let arguments = (ins Glm_Heads:$q_nope, Glm_Heads:$q_rope, Arg<Glm_CacheType, "", [MemRead]>:$latent,
                       Glm_SelectionType:$selection, Glm_Matrix:$kv_b, Glm_RowsType:$rows,
                       F64Attr:$scale);
  let results = (outs Glm_Heads:$result);
  let assemblyFormat = [{
    $q_nope `,` $q_rope `,` $latent `,` $selection `,` $kv_b `,` $rows `scale` $scale attr-dict
    `:` type($q_nope) `,` type($q_rope) `,` qualified(type($latent)) `,` qualified(type($selection)) `,`
    type($kv_b) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Sizes by their letters.
    int64_t heads() { return getQNope().getType().getDimSize(1); }
    int64_t keyWidth() { return getQNope().getType().getDimSize(2); }
    int64_t ropeWidth() { return getQRope().getType().getDimSize(2); }
    int64_t valueWidth() { return getResult().getType().getDimSize(2); }
    int64_t latentWidth() { return getKvB().getType().getDimSize(1); }
  }];
}

def Glm_SelectVisibleOp : Glm_Op<"select_visible", [Pure]> {
  let summary = "all keys that each row sees";
  let description = [{
    For row `i` the positions `0 … position_i`, whatever their number: the selection of a model without one, and
    that of every model as long as no row sees more keys than its indexer keeps. Used with `limit` positions
    at most.

    ```mlir
    %sel = glm.select_visible %rows : !glm.selection<8192>
    ```
  }];
  let arguments = (ins Glm_RowsType:$rows);
  let results = (outs Glm_SelectionType:$result);
  let assemblyFormat = "$rows attr-dict `:` qualified(type($result))";
}

def Glm_CallByKeysOp : Glm_Op<"call_by_keys", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a call of one of three functions, by how many keys a step has";
  let description = [{
    `keys` is a number that the runtime gives to every step: the last position + 1 where all rows are of one slot, at
    consecutive positions, and many enough for expanding the keys to pay; else 0 (dialects/program, `program.dim`).
    Calls `gathered` if it is 0, `causal` if it is at most `unmasked_keys`, which is the number of keys that a selection
    holds, else `masked`. All three compute the same, up to rounding.

    - C1: the three functions take the operands and give the results.

    ```mlir
    %y = glm.call_by_keys gathered @attend_gathered masked @attend_masked causal @attend_causal (%q, %rows)
       : (tensor<?x4x20xf32>, !glm.rows) -> tensor<?x4x28xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$gathered, FlatSymbolRefAttr:$masked, FlatSymbolRefAttr:$causal,
                       Variadic<AnyType>:$arguments);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    `gathered` $gathered `masked` $masked `causal` $causal `(` $arguments `)` attr-dict
    `:` functional-type($arguments, $results)
  }];
}

#endif // GLM_DIALECTS_GLM_FORMOPS_TD
