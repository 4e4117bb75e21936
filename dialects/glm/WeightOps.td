// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and caches: symbols of the module and the values that stand for them.

#ifndef GLM_DIALECTS_GLM_WEIGHTOPS_TD
#define GLM_DIALECTS_GLM_WEIGHTOPS_TD

include "dialects/glm/Glm.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Glm_WeightOp : Glm_Op<"weight", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "a tensor of the checkpoint";
  let description = [{
    Names `offset` bytes into `file` of the checkpoint folder; the data is never in the IR. The symbol
    is the tensor's name in the checkpoint.

    - C1: the type is static.
    - C2: `offset` is not negative and `file` is not empty.

    ```mlir
    glm.weight @model.norm.weight : tensor<64xbf16> from "model-00001-of-00003.safetensors" at 4096
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Glm_Weight>:$type, StrAttr:$file,
                       I64Attr:$offset);
  let assemblyFormat = "$sym_name `:` $type `from` $file `at` $offset attr-dict";
  let hasVerifier = 1;
}

def Glm_BankOp : Glm_Op<"bank", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "one matrix of every expert";
  let description = [{
    An expert bank `[E, N, K]` is one symbol that lists where the matrix of each expert lies: expert
    `e` is `offsets[e]` bytes into `files[file_of[e]]` and is called `tensors` with `{}` replaced by
    `e`. A stacked checkpoint tensor has the same name for every expert and ascending offsets.

    - C1: the type is static with rank 3.
    - C2: `file_of` and `offsets` have one element per expert, every `file_of` is an index of `files`.

    ```mlir
    glm.bank @model.layers.1.mlp.experts.up_proj : tensor<2x36x64xbf16>
      tensors "model.layers.1.mlp.experts.{}.up_proj.weight"
      from ["model-00001-of-00003.safetensors"] [0, 0] at [8192, 12800]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Glm_Weight>:$type, StrAttr:$tensors,
                       StrArrayAttr:$files, DenseI32ArrayAttr:$file_of, DenseI64ArrayAttr:$offsets);
  let assemblyFormat = [{
    $sym_name `:` $type `tensors` $tensors `from` $files $file_of `at` $offsets attr-dict
  }];
  let hasVerifier = 1;
}

def Glm_WeightValueOp : Glm_Op<"weight_value",
    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a weight or bank as a value";
  let description = [{
    - C1: `weight` names a `glm.weight` or `glm.bank` of the module with the result's type.

    ```mlir
    %0 = glm.weight_value @model.norm.weight : tensor<64xbf16>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs Glm_Weight:$result);
  let assemblyFormat = "$weight attr-dict `:` type($result)";
}

def Glm_HeadRowsOp : Glm_Op<"head_rows", [Pure]> {
  let summary = "some rows of every head of a projection";
  let description = [{
    `y[h, r, c] = w[h * (R / H) + begin + r, c]` for a projection `w: [R, C]` whose rows are head-major:
    how `W_UK` and `W_UV` are taken out of `kv_b_proj`. A derived weight: it is laid out when weights are
    packed, never computed at run time.

    - C1: `heads` divides `R`.
    - C2: `begin + D <= R / heads` for a result `[heads, D, C]`.

    ```mlir
    %uk = glm.head_rows %kv_b begin 0 : tensor<192x24xbf16> -> tensor<4x20x24xbf16>
    ```
  }];
  let arguments = (ins Glm_Weight:$weight, I64Attr:$begin);
  let results = (outs Glm_Weight:$result);
  let assemblyFormat = [{
    $weight `begin` $begin attr-dict `:` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Glm_StateOp : Glm_Op<"state", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "a cache of the session";
  let description = [{
    ```mlir
    glm.state @layer0.latent : !glm.cache<36xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Glm_CacheType>:$type);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
}

def Glm_StateValueOp : Glm_Op<"state_value",
    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a cache as a value";
  let description = [{
    - C1: `state` names a `glm.state` of the module with the result's type.

    ```mlir
    %0 = glm.state_value @layer0.latent : !glm.cache<36xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Glm_CacheType:$result);
  let assemblyFormat = "$state attr-dict `:` qualified(type($result))";
}

def Glm_AppendOp : Glm_Op<"append"> {
  let summary = "rows written to a cache";
  let description = [{
    `cache[slot_i, position_i, :] = values[i, :]` for every row `i`, rounded to the cache's element type
    where `values` is wider, as codes with a scale where it is `i8`. Later ops of the same entry see the rows.

    - C1: `values` is `[n, width]` with the cache's width.

    ```mlir
    glm.append %values, %cache, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
    ```
  }];
  let arguments = (ins Glm_Matrix:$values, Arg<Glm_CacheType, "", [MemWrite]>:$cache,
                       Glm_RowsType:$rows);
  let assemblyFormat = [{
    $values `,` $cache `,` $rows attr-dict `:` type($values) `,` qualified(type($cache))
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_GLM_WEIGHTOPS_TD
