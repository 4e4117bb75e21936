// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `glm` dialect: what a model means. Tensors are activations and weights, caches are typed
// state, selections and routings are values. No op says how anything is computed.

#ifndef GLM_DIALECTS_GLM_GLM_TD
#define GLM_DIALECTS_GLM_GLM_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def GlmDialect : Dialect {
  let name = "glm";
  let cppNamespace = "::glm::model";
  let summary = "the model level: weights, caches and the steps of a GLM model";
  let description = [{
    A module of this dialect is a whole model: weights and caches are symbols, entries are functions
    (`glm.entry`), one private function stands for each kind of layer and is called once a layer with
    that layer's weights. Shapes are written with letters: `n` rows of a ragged batch, `H` heads,
    `K`/`N` input and output width of a linear, `E` experts, `k` kept. A row of a batch is one token
    of one sequence. All arithmetic is f32 unless a type says otherwise; rounding to another type is
    always an explicit `glm.cast`.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 0;
  let extraClassDeclaration = [{
    // One for each chapter, defined beside its verifiers.
    void addWeightOps();
    void addDenseOps();
    void addAttentionOps();
    void addMoeOps();
    void addFusedOps();
    void addFormOps();
    void addQuantizeOps();
  }];
}

class Glm_Type<string name, string typeMnemonic> : TypeDef<GlmDialect, name> {
  let mnemonic = typeMnemonic;
}

def Glm_RowsType : Glm_Type<"Rows", "rows"> {
  let summary = "a ragged batch";
  let description = [{
    `n` rows `{token, slot, position, flags}`, all i32: which token stands at which position of which
    sequence. Prefill, decode and verification are the same batch with other rows. Rows of one slot
    have ascending positions.
  }];
}

def Glm_CacheType : Glm_Type<"Cache", "cache"> {
  let summary = "cached rows by slot and position";
  let description = [{
    One row of `width` elements for every (slot, position), for example `!glm.cache<576xbf16>`. A cache of
    `i8` holds codes, and one f32 scale for each row: an element stands for `code * scale`, where `scale` is the
    row's largest magnitude over 127 and `code` the nearest integer, halves to the even one.
    Appended once, read by later rows of the same slot, truncated by the runtime.
  }];
  let parameters = (ins "int64_t":$width, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Glm_SelectionType : Glm_Type<"Selection", "selection"> {
  let summary = "the keys that each row attends to";
  let description = [{
    For each of the `n` rows, the positions of at most `limit` cached rows of its own slot, none later
    than the row itself: `min(limit, position + 1)` of them, ascending. The type exists so that a
    layer without an indexer can only get its keys from a layer that has one.
  }];
  let parameters = (ins "int64_t":$limit);
  let assemblyFormat = "`<` $limit `>`";
  let genVerifyDecl = 1;
}

def Glm_RoutingType : Glm_Type<"Routing", "routing"> {
  let summary = "the experts that each row goes to";
  let description = [{
    For each of the `n` rows, `topK` of `experts` expert ids, ascending, and an f32 weight for each.
  }];
  let parameters = (ins "int64_t":$experts, "int64_t":$topK);
  let assemblyFormat = "`<` $experts `,` $topK `>`";
  let genVerifyDecl = 1;
}

def Glm_QuantizedType : Glm_Type<"Quantized", "quantized"> {
  let summary = "the element of a quantised tensor";
  let description = [{
    A tensor `[R, C]` of `!glm.quantized<code, rows, columns>` is a tensor of codes and its companions: one
    scale for each block of `rows` by `columns` codes, `[ceil(R / rows), ceil(C / columns)]`, and what else
    `glm.quantized` ties to them. An element stands for `code * scale`. Codes are `i8`, `i4` (both signed) or
    `f8E4M3FN`. Such a tensor is never memory: whoever reads it reads codes and companions.
  }];
  let parameters = (ins "::mlir::Type":$code, "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` $code `,` $rows `,` $columns `>`";
  let genVerifyDecl = 1;
}

def Glm_Pairing : I32EnumAttr<"Pairing", "which elements rotate together", [
    I32EnumAttrCase<"Interleaved", 0, "interleaved">,
    I32EnumAttrCase<"Half", 1, "half">
  ]> {
  let cppNamespace = "::glm::model";
  let genSpecializedAttr = 0;
}
def Glm_PairingAttr : EnumAttr<GlmDialect, Glm_Pairing, "pairing"> {
  let assemblyFormat = "$value";
}

class Glm_Op<string mnemonic, list<Trait> traits = []> : Op<GlmDialect, mnemonic, traits>;

def Glm_Float : AnyTypeOf<[F32, BF16, F64]>;
def Glm_Tensor : RankedTensorOf<[F32, BF16, F64]>;
def Glm_Matrix : 2DTensorOf<[F32, BF16, F64]>;
def Glm_Heads : 3DTensorOf<[F32, BF16, F64]>;
def Glm_Vector : 1DTensorOf<[F32, BF16, F64]>;
def Glm_Weight : RankedTensorOf<[F32, BF16, F64, I8, I<4>, I32, F8E4M3FN]>;
def Glm_Codes : RankedTensorOf<[I8, I<4>, F8E4M3FN]>;
def Glm_Quantized : RankedTensorOf<[Glm_QuantizedType]>;
// What products multiply: numbers, codes with one scale for all (`i8`), quantised numbers.
def Glm_Factors : 2DTensorOf<[F32, BF16, F64, I8, Glm_QuantizedType]>;
def Glm_FactorBank : 3DTensorOf<[F32, BF16, F64, I8, Glm_QuantizedType]>;

#endif // GLM_DIALECTS_GLM_GLM_TD
