// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `kernel` dialect: target-neutral kernels on tile values. What is on a chip, in a register or
// in a cache is the target's business; here a tile is a value.

#ifndef GLM_DIALECTS_KERNEL_KERNEL_TD
#define GLM_DIALECTS_KERNEL_KERNEL_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def KernelDialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::glm::kernel";
  let summary = "kernels on tile values";
  let description = [{
    A `kernel.func` is run by every worker of a device; its `kernel.parallel` says which units there
    are, and each worker takes a contiguous share. Memory is reached only through `load_tile`,
    `gather_rows`, `load_scalar` and `store_tile`; between them everything is a value.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 0;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    // One for types, attributes and each chapter of ops, defined beside the verifiers.
    void registerTypes();
    void registerAttributes();
    void addStructureOps();
    void addTileOps();
    void addSelectionOps();
    void addBlockOps();
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

// --- attributes ------------------------------------------------------------------------------------

class Kernel_Attr<string name, string attrMnemonic> : AttrDef<KernelDialect, name> {
  let mnemonic = attrMnemonic;
}

def Kernel_PanelsAttr : Kernel_Attr<"Panels", "panels"> {
  let summary = "a matrix packed in panels of rows";
  let description = [{
    A logical `[N, K]` matrix stored as `[ceil(N/n)][ceil(K/k)][n][k]`, zero beyond `N` and `K`: one
    sequential stream, in which `n` rows of the matrix lie side by side for `k` columns at a time. `k`
    is how many elements one dot-product lane consumes (1 for f32, 2 for bf16, 4 for int8, 8 for int4; 1 for f8E4M3FN,
    which is expanded to f32). With a leading dimension (heads, experts) each matrix is packed by itself.

    Integer codes lie in offset binary, `code + 128` or `code + 8`: the unsigned side of dot products of bytes, and what
    a mask leaves of a nibble. Of 8 codes in a word the first four are the low nibbles of its bytes, the others the high ones.
  }];
  let parameters = (ins "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` $n `,` $k `>`";
  let genVerifyDecl = 1;
}

def Kernel_LinesAttr : Kernel_Attr<"Lines", "lines"> {
  let summary = "a cache packed in lines of rows";
  let description = [{
    `rows` consecutive cached rows lie side by side for `4 / element size` columns at a time, so that
    one 64-byte line is the operand of one dot-product instruction over 16 keys.
  }];
  let parameters = (ins "int64_t":$rows);
  let assemblyFormat = "`<` $rows `>`";
  let genVerifyDecl = 1;
}

def Kernel_ScheduleAttr : Kernel_Attr<"Schedule", "schedule"> {
  let summary = "the tuning choices of one kernel";
  let description = [{
    Tile of `m` rows by `n` columns, reduced in blocks of `k`: the only place where a tuning choice is
    written down.
  }];
  let parameters = (ins "int64_t":$m, "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` `m` `=` $m `,` `n` `=` $n `,` `k` `=` $k `>`";
}

def Kernel_MachineAttr : Kernel_Attr<"Machine", "machine"> {
  let summary = "what passes may know of a target";
  let description = [{
    Written on the module (`kernel.machine`) by the target's `describe`. `vector_bytes` is the width of
    a vector register, `registers` their number, caches are in bytes per core (`l3` in all),
    `bf16_dot` says that the target multiplies pairs of bf16 into f32, `cache_line_rows` how many cached
    keys one packed line holds, `page_rows` how many rows a cache page holds, `prefetch` how many bytes
    ahead of a stream it pays to ask for memory (0: never), `int8_dot` that the target multiplies fours of bytes into i32,
    `matrix` which instructions multiply small matrices: none, `amx` (`amx-loops`: loops of the same meaning in
    their place) or `mmla`.
  }];
  let parameters = (ins StringRefParameter<"">:$target, "int64_t":$vector_bytes,
                        "int64_t":$registers, "int64_t":$l1, "int64_t":$l2, "int64_t":$l3,
                        "bool":$bf16_dot, "int64_t":$cache_line_rows, "int64_t":$page_rows,
                        DefaultValuedParameter<"int64_t", "0">:$prefetch,
                        DefaultValuedParameter<"bool", "false">:$int8_dot,
                        StringRefParameter<"", "\"\"">:$matrix);
  let assemblyFormat = "`<` struct(params) `>`";
}

// --- types -----------------------------------------------------------------------------------------

class Kernel_Type<string name, string typeMnemonic> : TypeDef<KernelDialect, name> {
  let mnemonic = typeMnemonic;
}

class Kernel_ShapedType<string name, string typeMnemonic> : Kernel_Type<name, typeMnemonic> {
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        OptionalParameter<"::mlir::Attribute">:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Kernel_BufferType : Kernel_ShapedType<"Buffer", "buffer"> {
  let summary = "global memory";
  let description = [{
    `!kernel.buffer<?x64xf32>`: row-major, without gaps, only the first dimension may be dynamic.
    `!kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>`: a packed weight with its logical shape.
    `!kernel.buffer<?x64x32xf32, #kernel.panels<64, 1>>`: a number of packed matrices (`kernel.block_rows`).
  }];
}

def Kernel_BankType : Kernel_ShapedType<"Bank", "bank"> {
  let summary = "one matrix of every expert";
  let description = [{
    `!kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>>`: logical `[E, N, K]`, reached through a table of
    one address per expert.
  }];
}

def Kernel_CacheType : Kernel_Type<"Cache", "cache"> {
  let summary = "cached rows by slot and position";
  let description = [{
    `!kernel.cache<36xf32>` stores rows one after the other, `!kernel.cache<32xf32, #kernel.lines<16>>` packed in
    lines. Paging is hidden behind the coordinates `[slot, position]`.
  }];
  let parameters = (ins "int64_t":$width, "::mlir::Type":$elementType,
                        OptionalParameter<"::mlir::Attribute">:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Kernel_TileType : Kernel_Type<"Tile", "tile"> {
  let summary = "a 2-D block of values";
  let description = [{
    `!kernel.tile<6x64xf32>`, always static. At the edge of what was loaded a tile is zero; what lies beyond
    the edge of a buffer is not stored.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

class Kernel_Op<string mnemonic, list<Trait> traits = []> : Op<KernelDialect, mnemonic, traits>;

def Kernel_Memory : AnyTypeOf<[Kernel_BufferType, Kernel_BankType, Kernel_CacheType]>;

def Kernel_Pairing : I32EnumAttr<"Pairing", "which columns rotate together", [
    I32EnumAttrCase<"Interleaved", 0, "interleaved">, I32EnumAttrCase<"Half", 1, "half">]> {
  let cppNamespace = "::glm::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_PairingAttr : EnumAttr<KernelDialect, Kernel_Pairing, "pairing"> {
  let assemblyFormat = "$value";
}

def Kernel_Reduction : I32EnumAttr<"Reduction", "how values are combined", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::glm::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_ReductionAttr : EnumAttr<KernelDialect, Kernel_Reduction, "reduction"> {
  let assemblyFormat = "$value";
}

#endif // GLM_DIALECTS_KERNEL_KERNEL_TD
