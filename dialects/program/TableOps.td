// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Symbols of a placed module: one op for each table that entries refer to.

#ifndef GLM_DIALECTS_PROGRAM_TABLEOPS_TD
#define GLM_DIALECTS_PROGRAM_TABLEOPS_TD

include "dialects/kernel/Kernel.td"
include "dialects/program/Program.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"

class Program_TableOp<string mnemonic>
    : Program_Op<mnemonic, [Symbol, HasParent<"::mlir::ModuleOp">]>;

def Program_DeviceOp : Program_TableOp<"device"> {
  let summary = "a device that runs launches";
  let description = [{
    `features` are what the code needs of the machine; `description` is the target's own, in JSON.

    ```mlir
    program.device @host cpu "znver4" needs ["avx512f", "avx512bf16"] description "{}"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Program_DeviceKind:$kind, StrAttr:$name,
                       StrArrayAttr:$features, StrAttr:$description);
  let assemblyFormat = [{
    $sym_name $kind $name `needs` $features `description` $description attr-dict
  }];
}

def Program_DimOp : Program_TableOp<"dim"> {
  let summary = "a dimension of the program";
  let description = [{
    `fixed` has the value `max`; `session` is chosen from `min` (1 if not given) to `max` when a session is created, and is
    `preset` (`max` if not given) when nobody chooses; `step` changes from step to step up to the session
    dimension `bound`.

    - C1: `max` is positive.
    - C2: a `step` dimension has a `bound`, others have none.
    - C3: only a `session` dimension has `min` and `preset`, with 0 <= `min` <= `preset` <= `max`.

    ```mlir
    program.dim @max_rows session max 2048
    program.dim @rows step max 2048 bound @max_rows
    program.dim @expanded_keys session max 202752 min 0 preset 8192
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Program_DimKind:$kind, Program_IntAttr:$max,
                       OptionalAttr<Program_IntAttr>:$min, OptionalAttr<Program_IntAttr>:$preset,
                       OptionalAttr<FlatSymbolRefAttr>:$bound);
  let assemblyFormat = [{
    $sym_name $kind `max` $max (`min` $min^)? (`preset` $preset^)? (`bound` $bound^)? attr-dict
  }];
  let extraClassDeclaration = [{
    int64_t least() { return getMin().value_or(1); }
    int64_t usual() { return getPreset().value_or(int64_t(getMax())); }
  }];
  let hasVerifier = 1;
}

def Program_SegmentOp : Program_TableOp<"segment"> {
  let summary = "a run of bytes of the artifact";
  let description = [{
    Where in the file it lies is decided when the artifact is written; `size` is known earlier for segments
    that are planned.

    - C1: `alignment` is a power of two, at least 64.

    ```mlir
    program.segment @weights weights align 2097152 size 167936 on @host
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Program_SegmentKind:$kind, Program_IntAttr:$alignment,
                       OptionalAttr<Program_IntAttr>:$size, FlatSymbolRefAttr:$device);
  let assemblyFormat = [{
    $sym_name $kind `align` $alignment (`size` $size^)? `on` $device attr-dict
  }];
  let hasVerifier = 1;
}

def Program_GroupOp : Program_TableOp<"group"> {
  let summary = "weights that come and go together";
  let description = [{
    `entries` need the weights of the group; none means all do.

    ```mlir
    program.group @draft for [@draft, @draft_shared]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypedArrayAttrBase<FlatSymbolRefAttr, "entries">:$entries);
  let assemblyFormat = "$sym_name `for` $entries attr-dict";
}

def Program_WeightOp : Program_TableOp<"weight"> {
  let summary = "a packed weight";
  let description = [{
    `type` says how it lies `at` an offset of its segment, `size` bytes long. It is made from the tensor
    `source` of the checkpoint, `position` bytes into `file`, of type `from`.

    - C1: `type` and `from` are static.
    - C2: `at` is a multiple of 64 and not negative.
    - C3: `size` is what the type takes in its layout.
    - C4: without `derive` and `quantize` the shapes of `type` and `from` are equal, of a row-major one but for
      dimensions of one.

    ```mlir
    program.weight @model.norm.weight : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @model
      from "model.norm.weight" tensor<64xbf16> file "model.safetensors" position 4096
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kernel_BufferType>:$type,
                       FlatSymbolRefAttr:$segment, Program_IntAttr:$offset, Program_IntAttr:$size,
                       FlatSymbolRefAttr:$group, StrAttr:$source, TypeAttrOf<AnyRankedTensor>:$from,
                       StrAttr:$file, Program_IntAttr:$position, OptionalAttr<Program_HeadRowsAttr>:$derive,
                       OptionalAttr<Program_DequantizeAttr>:$dequantize,
                       OptionalAttr<Program_QuantizeAttr>:$quantize);
  let assemblyFormat = [{
    $sym_name `:` $type `in` $segment `at` $offset `size` $size `group` $group
    `from` $source $from `file` $file `position` $position (`derive` $derive^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Program_BankOp : Program_TableOp<"bank"> {
  let summary = "a packed expert bank";
  let description = [{
    Expert `e` is one slab of `slab` bytes `at` offset `offsets[e]` of the segment, made from tensor `source` (with
    `{}` replaced by `e`), `positions[e]` bytes into `files[file_of[e]]`, of one expert's shape of `from`.

    - C1: the type has three dimensions, expert first, and without `quantize` `from` has the same shape, of a
      row-major one but for dimensions of one.
    - C2: `offsets`, `file_of` and `positions` have one element for each expert.
    - C3: every offset is a multiple of 4096.
    - C4: `slab` is what one expert takes in its layout, rounded up to 4096.

    ```mlir
    program.bank @model.layers.1.mlp.experts.up_proj : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
      in @weights at [0, 8192] slab 8192 group @model
      from "model.layers.1.mlp.experts.{}.up_proj.weight" tensor<2x36x64xbf16>
      files ["model.safetensors"] [0, 0] positions [8192, 12800]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kernel_BankType>:$type,
                       FlatSymbolRefAttr:$segment, DenseI64ArrayAttr:$offsets, Program_IntAttr:$slab,
                       FlatSymbolRefAttr:$group, StrAttr:$source, TypeAttrOf<AnyRankedTensor>:$from,
                       StrArrayAttr:$files, DenseI32ArrayAttr:$file_of,
                       DenseI64ArrayAttr:$positions, OptionalAttr<Program_QuantizeAttr>:$quantize);
  let assemblyFormat = [{
    $sym_name `:` $type `in` $segment `at` $offsets `slab` $slab `group` $group
    `from` $source $from `files` $files $file_of `positions` $positions attr-dict
  }];
  let hasVerifier = 1;
}

def Program_StateOp : Program_TableOp<"state"> {
  let summary = "a paged cache";
  let description = [{
    Pages of `page_rows` rows (kernel_abi.h says how a row is found). `entries` of a session share it.

    - C1: `page_rows` is positive; with lines of `r` rows it is a multiple of `r`.

    ```mlir
    program.state @layer0.latent : !kernel.cache<36xbf16> page_rows 1024 on @host
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kernel_CacheType>:$type,
                       Program_IntAttr:$page_rows, FlatSymbolRefAttr:$device);
  let assemblyFormat = "$sym_name `:` $type `page_rows` $page_rows `on` $device attr-dict";
  let hasVerifier = 1;
}

def Program_KernelOp : Program_TableOp<"kernel"> {
  let summary = "machine code of a kernel";
  let description = [{
    Replaces the `kernel.func` of the same name once the target has linked it: `entry` is its address in the
    loaded image of the segment, `scratch` the bytes every worker needs.

    - C1: `entry` is not negative.

    ```mlir
    program.kernel @linear in @code entry 4160 scratch <0>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$segment, Program_IntAttr:$entry,
                       Program_ExprAttr:$scratch);
  let assemblyFormat = "$sym_name `in` $segment `entry` $entry `scratch` $scratch attr-dict";
  let hasVerifier = 1;
}

def Program_LevelOp : Program_TableOp<"level"> {
  let summary = "the kernels once more, for better processors";
  let description = [{
    Code of all kernels for processors with more features than the device `@host` asks for: `entries` and `scratch`
    are what `program.kernel` says, in the order of the kernels. Levels stand best first; a loader takes the first
    whose features it finds, or else the device and the kernels themselves.

    - C1: `entries` and `scratch` have a number for each kernel, none negative.

    ```mlir
    program.level @level0 "znver4" needs ["avx512f"] description "{}" in @code.znver4 entries [4160] scratch [0]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$name, StrArrayAttr:$features, StrAttr:$description,
                       FlatSymbolRefAttr:$segment, DenseI64ArrayAttr:$entries, DenseI64ArrayAttr:$scratch);
  let assemblyFormat = [{
    $sym_name $name `needs` $features `description` $description `in` $segment `entries` $entries
    `scratch` $scratch attr-dict
  }];
  let hasVerifier = 1;
}

def Program_CommunicationOp : Program_TableOp<"communication"> {
  let summary = "ranks that exchange data";
  let description = [{
    - C1: there are at least two ranks.

    ```mlir
    program.communication @tensor_parallel ranks 2
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Program_IntAttr:$ranks);
  let assemblyFormat = "$sym_name `ranks` $ranks attr-dict";
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_PROGRAM_TABLEOPS_TD
