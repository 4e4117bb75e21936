// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory as values: what a launch takes.

#ifndef GLM_DIALECTS_PROGRAM_MEMORYOPS_TD
#define GLM_DIALECTS_PROGRAM_MEMORYOPS_TD

include "dialects/kernel/Kernel.td"
include "dialects/program/Program.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Program_BufferOp : Program_Op<"buffer", [MemoryEffects<[MemAlloc]>]> {
  let summary = "memory of one entry";
  let description = [{
    Holds intermediate values and ports for as long as they are used. `dim` names the dimension of the
    module that the dynamic first dimension of the type is (`rows`, `logit_rows` or `keys`). `plan-memory` adds where it
    lies in the entry's arena: `at` a byte offset that is a multiple of 64, `size` in bytes.

    - C1: `dim` is given if and only if the type's first dimension is dynamic.
    - C2: the type has no layout.
    - C3: `at` and `size` come together.

    ```mlir
    %0 = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
    %1 = program.buffer dim "rows" at <max_rows * 256> size <max_rows * 256> : !kernel.buffer<?x64xf32>
    ```
  }];
  let arguments = (ins OptionalAttr<StrAttr>:$dim, OptionalAttr<Program_ExprAttr>:$offset,
                       OptionalAttr<Program_ExprAttr>:$size);
  let results = (outs Kernel_BufferType:$result);
  let assemblyFormat = [{
    (`dim` $dim^)? (`at` $offset^)? (`size` $size^)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def Program_WeightRefOp : Program_Op<"weight_ref", [Pure]> {
  let summary = "a weight as memory";
  let description = [{
    Before `pack-weights` the symbol is a `glm.weight` and the type says how kernels read it: its layout, a
    wider element type (bf16 weights stored as f32), or, with `derive`, some rows of every head. Afterwards
    it is a `program.weight` of exactly this type.

    `scales` names the companion of codes that are wanted as numbers, one for each `block` of rows and columns;
    `quantize` makes codes or scales of a plain weight.

    - C1: the type is static.
    - C2: with `derive` the type has three dimensions, heads first.

    ```mlir
    %w = program.weight_ref @model.layers.0.self_attn.q_a_proj.weight
       : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>
    %u = program.weight_ref @model.layers.0.self_attn.kv_b_proj.weight derive <begin = 0, transposed = true>
       : !kernel.buffer<4x24x20xbf16, #kernel.panels<64, 2>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, OptionalAttr<Program_HeadRowsAttr>:$derive,
                       OptionalAttr<FlatSymbolRefAttr>:$scales,
                       OptionalAttr<DenseI64ArrayAttr>:$block,
                       OptionalAttr<Program_QuantizeAttr>:$quantize);
  let results = (outs Kernel_BufferType:$result);
  let assemblyFormat = "$weight (`derive` $derive^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Program_BankRefOp : Program_Op<"bank_ref", [Pure]> {
  let summary = "an expert bank as memory";
  let description = [{
    Before `pack-weights` the symbol is a `glm.bank`, afterwards a `program.bank` of exactly this type.

    ```mlir
    %b = program.bank_ref @model.layers.1.mlp.experts.up_proj
       : !kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$bank, OptionalAttr<Program_QuantizeAttr>:$quantize);
  let results = (outs Kernel_BankType:$result);
  let assemblyFormat = "$bank attr-dict `:` type($result)";
}

def Program_StateRefOp : Program_Op<"state_ref", [Pure]> {
  let summary = "a cache as memory";
  let description = [{
    Before `pack-weights` the symbol is a `glm.state`, afterwards a `program.state` of exactly this type.

    ```mlir
    %c = program.state_ref @layer0.index : !kernel.cache<32xbf16, #kernel.lines<16>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Kernel_CacheType:$result);
  let assemblyFormat = "$state attr-dict `:` type($result)";
}

def Program_PackOp : Program_Op<"pack", [Pure]> {
  let summary = "a weight or bank in another layout";
  let description = [{
    What a layer function writes that gets its weights as arguments: the operand is the weight as the
    caller passes it, the result what a kernel reads. Nothing is moved at run time: once layers are
    inlined the operand is a `weight_ref` or `bank_ref` and takes over the result's type and `derive`.

    - C1: operand and result are both buffers or both banks, and static.
    - C2: without `derive` and `quantize` the shapes are equal, of a row-major result but for dimensions of one;
      with `derive` the operand has two dimensions and the result three.
    - C3: `scales` and `block` come together.

    ```mlir
    %p = program.pack %w : !kernel.buffer<40x64xbf16> -> !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Kernel_BufferType, Kernel_BankType]>:$weight,
                       OptionalAttr<Program_HeadRowsAttr>:$derive, Optional<Kernel_BufferType>:$scales,
                       OptionalAttr<DenseI64ArrayAttr>:$block,
                       OptionalAttr<Program_QuantizeAttr>:$quantize);
  let results = (outs AnyTypeOf<[Kernel_BufferType, Kernel_BankType]>:$result);
  let assemblyFormat = [{
    $weight (`derive` $derive^)? (`scales` $scales^ `:` type($scales))? attr-dict `:` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

#endif // GLM_DIALECTS_PROGRAM_MEMORYOPS_TD
