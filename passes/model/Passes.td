// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model phase: what the importer wrote becomes what is going to be compiled.

#ifndef GLM_PASSES_MODEL_PASSES_TD
#define GLM_PASSES_MODEL_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyLedger : Pass<"glm-verify-ledger", "::mlir::ModuleOp"> {
  let summary = "check that every tensor of the checkpoint is read or waived";
  let description = [{
    Every `glm.weight` and `glm.bank` must be read by an entry, through the layer functions it is passed to. A
    tensor the model does not need is waived by name in the module attribute `glm.checkpoint` and is not
    declared. The module is not changed.

    ```mlir
    module attributes {glm.checkpoint = {waived = [["model.layers.4.embed_tokens.weight", "equal to model.embed_tokens.weight"]]}} {
      glm.weight @model.norm.weight : tensor<64xbf16> from "a.safetensors" at 0   // error unless somebody reads it
    ```
  }];
  let statistics = [
    Statistic<"read", "tensors-read", "weights and banks that an entry reads">,
    Statistic<"waived", "tensors-waived", "tensors that glm.checkpoint waives">
  ];
}

def ApplyRecipe : Pass<"glm-apply-recipe", "::mlir::ModuleOp"> {
  let summary = "quantise the weights that a recipe names";
  let description = [{
    `rules` are `PATTERN:FORMAT`, the first that matches a weight's name counts (`*` stands for any characters). Formats:
    `int8` and `int4` codes with a scale a row, `int4/32` with a scale for each 32 columns, `int4/32-zeros` with a zero beside each
    scale; rows become int8 codes with a scale each.
    `int8-weights`: the weight is rounded to what codes can say and multiplied as numbers. `keep`: nothing.
    Chosen are weights of linears in layers only; those of router and indexer weights are not. A rule that matches
    nothing, or nothing that an earlier rule left, is an error. Layers whose weights get different formats get functions of
    their own.

    ```mlir
    %y = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    // =>  "*:int8"
    %c, %s = glm.quantize %w columns 64 : tensor<40x64xbf16> -> tensor<40x64xi8>, tensor<40x1xf32>
    %q = glm.quantized %c, %s : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
    %d, %t = glm.quantize %x columns 64 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
    %r = glm.quantized %d, %t : …
    %y = glm.linear %r, %q : …
    ```
  }];
  let options = [
    ListOption<"rules", "rules", "std::string", "PATTERN:FORMAT, the first that matches counts">
  ];
  let statistics = [
    Statistic<"quantized", "weights-quantized", "weights of layer functions that became codes">
  ];
  let dependentDialects = ["::glm::model::GlmDialect"];
}

def ApplyPrecision : Pass<"glm-apply-precision", "::mlir::ModuleOp"> {
  let summary = "put rounding points where the target multiplies";
  let description = [{
    `bf16`: the inputs of linears, expert and head linears are rounded to bf16, so are the queries of attention
    and indexer; caches hold bf16. Two linears stay exact, because their results are compared and not
    summed up: the router's and the one that weighs indexer heads; their weights are widened instead. So is that of a
    linear whose rows become integer codes for others: nothing else would round them. Products of integer codes are the
    same in both.
    With `index-keys` the caches of indexer keys hold codes instead (`i8`, one scale a key), in both precisions.
    `f32`: nothing is rounded, weights are widened. A widened weight is a `glm.cast` of the weight, which
    packing carries out. Writes `glm.precision` on the module.

    ```mlir
    %y = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    // =>  bf16
    %0 = glm.cast %x : tensor<?x64xf32> -> tensor<?x64xbf16>
    %y = glm.linear %0, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    // =>  f32
    %0 = glm.cast %w : tensor<40x64xbf16> -> tensor<40x64xf32>
    %y = glm.linear %x, %0 : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
    ```
  }];
  let options = [
    Option<"precision", "precision", "std::string", "\"bf16\"",
           "element type that products are taken in: bf16 or f32">,
    Option<"indexKeys", "index-keys", "std::string", "\"bf16\"",
           "what indexers keep of a key: bf16 (as `precision` says), or int8 codes with a scale">
  ];
  let statistics = [
    Statistic<"rounded", "values-rounded", "activations that are rounded">,
    Statistic<"widened", "weights-widened", "weights that are packed with a wider element type">,
    Statistic<"caches", "caches-narrowed", "caches whose element type changed">
  ];
  let dependentDialects = ["::glm::model::GlmDialect"];
}

def VerifyModel : Pass<"glm-verify-model", "::mlir::ModuleOp"> {
  let summary = "check the rules of a module that is ready to be fused";
  let description = [{
    - both operands of every product have one element type, which `glm.precision` allows;
    - entries are public, have a body, and each of their arguments and results has a `glm.name` of its own;
    - `step` takes no selection: a layer without an indexer then comes after one that has it, by SSA;
    - every private function is called, and none calls itself.

    The module is not changed.
  }];
  let statistics = [
    Statistic<"entries", "entries", "functions a session can run">,
    Statistic<"kinds", "layer-kinds", "functions that stand for a kind of layer">
  ];
}

#endif // GLM_PASSES_MODEL_PASSES_TD
