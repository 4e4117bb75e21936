// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile phase: steps of a model become kernels on tiles, and tensors become memory.

#ifndef GLM_PASSES_TILE_PASSES_TD
#define GLM_PASSES_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormKernels : Pass<"glm-form-kernels", "::mlir::ModuleOp"> {
  let summary = "decide which ops become one kernel";
  let description = [{
    Every op of a function goes into one `kernel.group`. What multiplies matrices, searches or attends is a
    kernel of its own; all row-wise ops that stand between two of them and run over the same rows are one
    kernel, whether they depend on each other or not. A cast of a product's result is rounded where the
    result is written, a slice of a product's input is read at an offset, and changes of shape cost
    nothing, so they stay outside. An op for which there is no kernel is an error.
    Normalised linears and routers have a form for few rows, one launch, and one for many (`kernel.by_rows`).

    ```mlir
    %1 = glm.rms_norm %0, %g eps 1.0e-05
    %2 = glm.cast %1
    %3 = glm.linear %2, %w
    // =>
    %2 = kernel.group "rows" -> (tensor<?x64xbf16>) { glm.rms_norm ; glm.cast ; kernel.yield }
    %3 = kernel.group "linear" -> (tensor<?x40xf32>) { glm.linear ; kernel.yield }
    ```
  }];
  let options = [
    Option<"fewRows", "few-rows", "int64_t", "9",
           "rows from which on the rows of linears are normalised by a launch of their own">,
    Option<"routeRows", "route-rows", "int64_t", "5",
           "rows from which on experts are chosen by all workers">
  ];
  let statistics = [
    Statistic<"groups", "groups-formed", "kernels that were formed">,
    Statistic<"fused", "ops-fused", "row-wise ops that share a kernel with another">,
    Statistic<"folded", "ops-folded", "casts, slices and gathers that became part of a product">
  ];
  let dependentDialects = ["::glm::kernel::KernelDialect"];
}

def ChooseTiles : Pass<"glm-choose-tiles", "::mlir::ModuleOp"> {
  let summary = "give every kernel its tile";
  let description = [{
    Writes `#kernel.schedule` on every group, from `kernel.machine` and the shapes alone, so that a weight which
    several kernels read is packed once. A product's tile of `n` columns fills the registers with several
    rows (6 x 64 with 32 registers of 64 bytes, 6 x 16 with 16 of 32 or 32 of 16); `n` shrinks where a narrow
    weight would give the workers less than `units` pieces; `k` is the largest divisor of the
    reduced width up to `block`; `m`, the rows of a unit, are as many register tiles as half of the second cache
    holds when they are widened. The reason is kept as `reason`, for reports.

    ```mlir
    kernel.group "linear" -> (tensor<?x1024xf32>) { glm.linear }
    // =>
    kernel.group "linear" schedule #kernel.schedule<m = 60, n = 64, k = 2048> -> (tensor<?x1024xf32>)
        attributes {reason = "60 rows in tiles of 6x64 accumulators in 32 registers of 64 bytes, 16 panels of 64 columns, 1 blocks of 2048"} { glm.linear }
    ```
  }];
  let options = [
    Option<"block", "block", "int64_t", "8192", "largest block of the reduced dimension, in elements">,
    Option<"units", "units", "int64_t", "8", "pieces that a narrow weight should have for the workers">,
    Option<"expandedRows", "expanded-rows", "int64_t", "48",
           "most rows of a unit that attends to expanded keys">,
    Option<"heads", "heads", "int64_t", "16",
           "most heads that share gathered rows; a row has two units at least">,
    Option<"queries", "queries", "int64_t", "64",
           "most queries of an indexer, over heads and rows, that share a line of keys">
  ];
  let statistics = [
    Statistic<"scheduled", "groups-scheduled", "kernels that got a tile">,
    Statistic<"narrowed", "tiles-narrowed", "products with fewer columns a tile than registers allow">
  ];
  let dependentDialects = ["::glm::kernel::KernelDialect"];
}

def TileAndFuse : Pass<"glm-tile-and-fuse", "::mlir::ModuleOp"> {
  let summary = "write the kernels on tiles";
  let description = [{
    Replaces each `kernel.group` by a `kernel.func`, which computes the ops of the group on tiles, and a
    `kernel.launch` on values. A chain of elementwise ops is one `kernel.map`. A routing becomes six tensors
    (ids, weights, order, inverse, offsets, active), held together by `builtin.unrealized_conversion_cast` until memory is assigned.
    A launch is told what it has to compute and to move (`flop`, `bytes`; Costs.h), for measurements.
    dialects/kernel/RATIONALE.md shows every kind of kernel.

    ```mlir
    %y = kernel.group "linear" schedule #kernel.schedule<m = 6, n = 64, k = 64> -> (tensor<?x40xf32>) { glm.linear %x, %w }
    // =>
    kernel.func @linear_64x40_bf16(%x: …, %w: …, %y: …) { … kernel.mma … }
    %y = kernel.launch @linear_64x40_bf16(%x, %w) {bytes = #program.expr<5120>, flop = #program.expr<rows * 5120>, …}
       : (tensor<?x64xbf16>, tensor<40x64xbf16>) -> tensor<?x40xf32>
    ```
  }];
  let statistics = [
    Statistic<"kernels", "kernels-written", "kernel functions written">,
    Statistic<"maps", "maps-fused", "elementwise steps fused into another">
  ];
  let dependentDialects = ["::glm::kernel::KernelDialect", "::glm::program::ProgramDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def DeduplicateKernels : Pass<"glm-deduplicate-kernels", "::mlir::ModuleOp"> {
  let summary = "keep one of equal kernels";
  let description = [{
    Kernels whose text is equal but for the name are one kernel; launches are redirected to the first. The
    names that stay are numbered anew, in the order of the module.

    ```mlir
    kernel.func @linear_64x40_bf16 … ; kernel.func @linear_64x40_bf16_0 …   // equal
    kernel.launch @linear_64x40_bf16_0(…)
    // =>
    kernel.func @linear_64x40_bf16 …
    kernel.launch @linear_64x40_bf16(…)
    ```
  }];
  let statistics = [
    Statistic<"removed", "kernels-removed", "kernels that were equal to another">,
    Statistic<"kept", "kernels-kept", "kernels that are compiled">
  ];
}

def BufferizeBoundaries : Pass<"glm-bufferize-boundaries", "::mlir::ModuleOp"> {
  let summary = "turn values between kernels into memory";
  let description = [{
    Results of launches become `program.buffer`s, weights `program.weight_ref` and `program.bank_ref`, with a
    `program.pack` where a kernel reads them in another form, caches `program.state_ref`. Layer functions
    take their results as trailing arguments; entries return buffers. Changes of shape disappear: they are the same memory.
    The index keys of a cache that an indexer reads are packed in lines, all other caches in rows.

    ```mlir
    func.func private @moe(%h: tensor<?x64xf32>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
      %y = kernel.launch @linear_64x40_bf16(%h, %w) : … ; return %y
    // =>
    func.func private @moe(%h: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<40x64xbf16>, %y: !kernel.buffer<?x40xf32>) {
      %p = program.pack %w : !kernel.buffer<40x64xbf16> -> !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>
      kernel.launch @linear_64x40_bf16(%h, %p) outs(%y : …) ; return
    ```
  }];
  let statistics = [
    Statistic<"buffers", "buffers-made", "intermediate values that got memory">,
    Statistic<"packs", "weights-packed", "weights that a kernel reads in another form than the checkpoint's">
  ];
  let dependentDialects = ["::glm::kernel::KernelDialect", "::glm::program::ProgramDialect"];
}

def VerifyKernels : Pass<"glm-verify-kernels", "::mlir::ModuleOp"> {
  let summary = "check the rules of a module that is ready to be placed";
  let description = [{
    - functions hold memory only: no tensor, no op of `glm`, no group, no cast is left in them;
    - an operand of a launch differs from the kernel's argument at most by how its trailing dimensions are
      split, and never in element type or layout;
    - a buffer is written by one launch or call, and read after that;
    - every kernel has a schedule and is launched.

    The module is not changed.
  }];
  let statistics = [
    Statistic<"launches", "launches", "launches in layer functions and entries">,
    Statistic<"kernels", "kernels", "kernels that are launched">
  ];
}

#endif // GLM_PASSES_TILE_PASSES_TD
