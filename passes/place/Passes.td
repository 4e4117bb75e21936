// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The place phase: functions on memory become entries with addresses.

#ifndef GLM_PASSES_PLACE_PASSES_TD
#define GLM_PASSES_PLACE_PASSES_TD

include "mlir/Pass/PassBase.td"

def InlineLayersPass : Pass<"glm-inline-layers", "::mlir::ModuleOp"> {
  let summary = "Turn entries and the layers they call into flat lists of commands";
  let description = [{
    Every `func.func` with `glm.entry` becomes a `program.entry`; calls are replaced by what the callee launches,
    `program.pack` by a reference to the packed weight, arguments and results by ports. A branch stays one; what its lists
    call is inlined into them, and the memory they name moves to the head of the entry. The device and the
    dimensions of the program are added: `rows`, `logit_rows` and their bounds always (room for the logits of 64 rows, or
    for what a session asks for); `keys`, `expanded_keys`,
    `expanded_rows`, `full_rows` and `unmasked_keys` where the module attribute `program.presets` gives estimates for them and
    `max_keys`, the bound of `expanded_keys`. Each launch is labelled with its path in the model, taken from the
    weights it reads, else from its call.

    ```mlir
    func.call @layer(%h, %w, %y) : ...            ⇒   program.launch @linear(%h, %w0, %y) label "model.layers.0.mlp.up_proj" on @host
    func.func private @layer(...) {
      %p = program.pack %w ; kernel.launch @linear(%h, %p) outs(%y)
    ```
  }];
  let options = [
    Option<"maxRows", "max-rows", "int64_t", "2048", "most rows of one step">,
    Option<"maxSlots", "max-slots", "int64_t", "64", "most sequences of a session">,
    Option<"maxContext", "max-context", "int64_t", "0",
           "most positions of a sequence; 0: what glm.model says">
  ];
  let statistics = [
    Statistic<"calls", "calls", "Calls inlined">,
    Statistic<"launches", "launches", "Launches in all entries">
  ];
  let dependentDialects = ["::glm::program::ProgramDialect"];
}

def InsertBarriersPass : Pass<"glm-insert-barriers", "::glm::program::EntryOp"> {
  let summary = "Separate launches that touch the same memory";
  let description = [{
    A launch gets a barrier before it if it reads or overwrites what a launch since the last barrier wrote, or writes
    what such a launch read. What a kernel does to its arguments is read from its body. Launches that
    do not depend on each other stay together in one interval and may overlap. So do two launches on the same
    rows if each works on row `i` in unit `i`: that unit is the same worker's in both. All workers take the same way
    through a branch, so it is no barrier: both its lists begin with what runs in front of it, and what either leaves
    running runs on behind it.

    ```mlir
    launch @norm(%h, %x) ; launch @q(%x, %wq, %q) ; launch @kv(%x, %wkv, %kv)
      ⇒  launch @norm(%h, %x) ; barrier ; launch @q(%x, %wq, %q) ; launch @kv(%x, %wkv, %kv)
    ```
  }];
  let statistics = [
    Statistic<"barriers", "barriers", "Barriers inserted">,
    Statistic<"overlapping", "overlapping-launches", "Launches that share an interval with the one before">
  ];
}

def PlanMemoryPass : Pass<"glm-plan-memory", "::glm::program::EntryOp"> {
  let summary = "Give every buffer of an entry its place in the arena";
  let description = [{
    A buffer lives from the interval between barriers that writes it first to the one that uses it last; input ports
    live from the start, output ports to the end. Buffers whose lives do not meet share memory: the largest is
    placed first, each at the lowest free offset. A kernel that works row by row may write its result over
    an operand that dies there. Buffers that only one list of a branch uses share memory with those that only the
    other uses. Constant sizes come first in the arena, then one region for each session
    dimension; offsets in a region are multiples of that dimension, so they hold for every session.

    ```mlir
    %x = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
      ⇒  %x = program.buffer dim "rows" at <max_rows * 256> size <max_rows * 256> : !kernel.buffer<?x64xf32>
    ```
  }];
  let options = [
    Option<"inPlace", "in-place", "bool", "true", "let row-wise kernels overwrite an operand that dies">
  ];
  let statistics = [
    Statistic<"buffers", "buffers", "Buffers placed">,
    Statistic<"inPlaceBuffers", "in-place-buffers", "Buffers written over an operand">,
    Statistic<"rowBytes", "bytes-per-row", "Bytes of the arena for one row of a step, largest entry">,
    Statistic<"rowBytesUnshared", "bytes-per-row-unshared", "The same if no two buffers shared memory">
  ];
}

def PackWeightsPass : Pass<"glm-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Give every weight, bank and cache its layout and place";
  let description = [{
    Each form (layout, element type, derivation) in which entries refer to a `glm.weight` becomes one `program.weight`
    in the segment `weights`, in the order of first use, so that a step reads the file from front to back; a bank gets one
    slab of whole 4 KiB pages for each expert. Weights that only some entries use form groups of their own and lie behind the
    others. `glm.state`s become `program.state`s with the layout their readers want. No data is read.

    ```mlir
    glm.weight @w : tensor<40x64xbf16> from "model.safetensors" at 4096
    %0 = program.weight_ref @w : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>
      ⇒  program.weight @w : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>> in @weights at 0 size 8192 ...
    ```
  }];
  let statistics = [
    Statistic<"weights", "weights", "Packed weights">,
    Statistic<"banks", "banks", "Packed banks">,
    Statistic<"bytes", "bytes", "Bytes of the weight segment">,
    Statistic<"unused", "unused", "Weights and banks that no entry refers to">
  ];
  let dependentDialects = ["::glm::program::ProgramDialect"];
}

def VerifyPlacementPass : Pass<"glm-verify-placement", "::mlir::ModuleOp"> {
  let summary = "Check that a placed module can run as it is";
  let description = [{
    Nothing is changed. Checked are: no function and no op of the model level is left; every symbol referred to has the kind and type
    the reference states; every buffer lies in its arena at a multiple of 64; buffers in use at the same time do not overlap;
    a barrier stands between any two launches that touch the same memory with a write, whichever way leads through branches; weights and slabs do
    not overlap and lie in their segment. Sizes are checked with every dimension at 1 and at its bound.
  }];
  let statistics = [Statistic<"checked", "commands", "Commands checked">];
}

#endif // GLM_PASSES_PLACE_PASSES_TD
