// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `program` dialect: what the runtime executes, one op for about every table of
// runtime/schema/program.fbs.

#ifndef GLM_DIALECTS_PROGRAM_PROGRAM_TD
#define GLM_DIALECTS_PROGRAM_PROGRAM_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def ProgramDialect : Dialect {
  let name = "program";
  let cppNamespace = "::glm::program";
  let summary = "what the runtime executes";
  let description = [{
    Symbols of the module say where things lie (devices, dimensions, segments, weights, banks, states,
    kernels); a `program.entry` is a flat list of commands on the buffers of one arena. Nothing here
    computes. Memory has the types of the `kernel` dialect. Sizes and offsets are `#program.expr` over
    the dimensions of the module.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 0;
  let dependentDialects = ["::glm::kernel::KernelDialect"];
  let extraClassDeclaration = [{
    // One for each chapter, defined beside its verifiers.
    void addMemoryOps();
    void addTableOps();
    void addCommandOps();
  }];
}

// --- attributes ------------------------------------------------------------------------------------

def Program_ExprAttr : AttrDef<ProgramDialect, "Expr"> {
  let mnemonic = "expr";
  let summary = "a size or an offset";
  let description = [{
    An i64 formula over the dimensions of the module: `#program.expr<align(max_rows * 256, 64) + 128>`. Operators
    `+ - *` with their usual precedence, functions `min max ceil_div align`, names of `program.dim`s.
    Kept as the postfix code of the schema: `ops` are numbers of `Expr::Kind`, `values` the constants,
    `dims` the names, one element of each for every term.
  }];
  let parameters = (ins ArrayRefParameter<"uint8_t">:$ops, ArrayRefParameter<"int64_t">:$values,
                        ArrayRefParameter<"::mlir::StringAttr">:$dims);
  let hasCustomAssemblyFormat = 1;
}

def Program_HeadRowsAttr : AttrDef<ProgramDialect, "HeadRows"> {
  let mnemonic = "head_rows";
  let summary = "a weight made of some rows of every head of another";
  let description = [{
    The packed weight `[H, N, K]` holds `y[h, n, k] = w[h * (R / H) + begin + n, k]` of a tensor
    `w: [R, C]`, or `w[h * (R / H) + begin + k, n]` when transposed: `W_UV` and `W_UK` of `kv_b_proj`.
    Example: `#program.head_rows<begin = 20, transposed = false>`.
  }];
  let parameters = (ins "int64_t":$begin, "bool":$transposed);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Program_QuantizeAttr : AttrDef<ProgramDialect, "Quantize"> {
  let mnemonic = "quantize";
  let summary = "codes, scales or numbers made of a weight";
  let description = [{
    The packed weight holds `codes` of a plain one, their `scales` or `zeros` (`[N, ceil(K / columns)]` in panels, or
    `[ceil(K / columns), N]`: those of a run of columns side by side), or the `numbers` they stand for, as `glm.quantize` and
    `glm.dequantize` define them.
    Example: `#program.quantize<part = "codes", bits = 8, columns = 64>`.
  }];
  let parameters = (ins StringRefParameter<"">:$part, "int64_t":$bits, "int64_t":$columns,
                        DefaultValuedParameter<"bool", "false">:$asymmetric);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Program_DequantizeAttr : AttrDef<ProgramDialect, "Dequantize"> {
  let mnemonic = "dequantize";
  let summary = "numbers made of codes";
  let description = [{
    The packed weight holds `code * scale` of the block of `rows` by `columns` codes, as `glm.dequantize` defines it. The
    scales are the f32 tensor `source`, `position` bytes into `file`.
  }];
  let parameters = (ins "::mlir::StringAttr":$source, "::mlir::StringAttr":$file, "int64_t":$position,
                        "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` struct(params) `>`";
}

// The numbers are those of the schema.
class Program_Enum<string name, string description, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, description, cases> {
  let cppNamespace = "::glm::program";
}

def Program_DimKind : Program_Enum<"DimKind", "when a dimension gets its value", [
    I32EnumAttrCase<"Fixed", 0, "fixed">, I32EnumAttrCase<"Session", 1, "session">,
    I32EnumAttrCase<"Step", 2, "step">]>;

def Program_DeviceKind : Program_Enum<"DeviceKind", "what a device is", [
    I32EnumAttrCase<"Cpu", 0, "cpu">, I32EnumAttrCase<"Npu", 1, "npu">,
    I32EnumAttrCase<"NpuSim", 2, "npu_sim">]>;

def Program_SegmentKind : Program_Enum<"SegmentKind", "what a segment holds", [
    I32EnumAttrCase<"Code", 0, "code">, I32EnumAttrCase<"Weights", 1, "weights">,
    I32EnumAttrCase<"Tokenizer", 2, "tokenizer">, I32EnumAttrCase<"Ledger", 3, "ledger">,
    I32EnumAttrCase<"Debug", 4, "debug">, I32EnumAttrCase<"Blob", 5, "blob">]>;

def Program_PortKind : Program_Enum<"PortKind", "the direction of a port", [
    I32EnumAttrCase<"Input", 0, "input">, I32EnumAttrCase<"Output", 1, "output">]>;

def Program_IntAttr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signed integer">;

class Program_Op<string mnemonic, list<Trait> traits = []>
    : Op<ProgramDialect, mnemonic, traits>;

#endif // GLM_DIALECTS_PROGRAM_PROGRAM_TD
