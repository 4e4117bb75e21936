// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels, launches and the units that workers share.

#ifndef GLM_DIALECTS_KERNEL_STRUCTUREOPS_TD
#define GLM_DIALECTS_KERNEL_STRUCTUREOPS_TD

include "dialects/kernel/Kernel.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_FuncOp : Kernel_Op<"func", [FunctionOpInterface, IsolatedFromAbove, Symbol,
    AutomaticAllocationScope, SingleBlock]> {
  let summary = "a kernel";
  let description = [{
    Arguments are memory (`buffer`, `bank`, `cache`) and scalars (`index`, `i32`), inputs before
    outputs. The body is scalar code and one `kernel.parallel`; there are no results.

    - C1: arguments are memory or integer scalars, there are no results.
    - C2: the body has at most one `kernel.parallel` and it is the last op before `kernel.return`.

    ```mlir
    kernel.func @double(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>)
        attributes {schedule = #kernel.schedule<m = 1, n = 64, k = 0>} {
      %c0 = arith.constant 0 : index
      %n = kernel.dim %x, 0 : !kernel.buffer<?x64xf32>
      kernel.parallel (%i) to (%n) step [1] {
        %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x64xf32> -> !kernel.tile<1x64xf32>
        %d = kernel.map (%t) : (!kernel.tile<1x64xf32>) -> !kernel.tile<1x64xf32> {
        ^bb0(%a: f32):
          %s = arith.addf %a, %a : f32
          kernel.yield %s : f32
        }
        kernel.store_tile %d, %y[%i, %c0] : !kernel.tile<1x64xf32>, !kernel.buffer<?x64xf32>
      }
      kernel.return
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<Kernel_ScheduleAttr>:$schedule,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Kernel_ReturnOp : Kernel_Op<"return", [Pure, HasParent<"FuncOp">, Terminator]> {
  let summary = "the end of a kernel";
  let description = [{
    ```mlir
    kernel.return
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Kernel_ParallelOp : Kernel_Op<"parallel", [HasParent<"FuncOp">, SingleBlock,
    SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "the units that workers share";
  let description = [{
    Units are the points `0, step, 2 step … < bound` of every dimension, numbered with the last dimension
    running fastest. Of `U` units worker `w` of `W` runs `[U w / W, U (w + 1) / W)` in order. Units are
    independent of each other.

    - C1: as many steps as bounds, all positive; one block argument of type index for each.

    ```mlir
    kernel.parallel (%j, %i) to (%c40, %n) step [64, 6] { ... }
    ```
  }];
  let arguments = (ins Variadic<Index>:$bounds, DenseI64ArrayAttr:$steps);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Kernel_WorkersOp : Kernel_Op<"workers", [Pure]> {
  let summary = "the number of workers that run the launch";
  let description = [{
    For grids that are cut finer the fewer units there would be. At least 1. What a kernel computes must not
    depend on it, only how the work is divided; every launch of a step sees the same number.

    ```mlir
    %w = kernel.workers
    ```
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Kernel_YieldOp : Kernel_Op<"yield", [Pure, ReturnLike, Terminator]> {
  let summary = "the result of a region";
  let description = [{
    ```mlir
    kernel.yield %0 : f32
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), [{ /* no values */ }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Kernel_LaunchOp : Kernel_Op<"launch", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a kernel run by every worker";
  let description = [{
    On values (before `bufferize-boundaries`) the kernel's trailing arguments are the results; on memory
    every argument is an operand and there are no results. Types correspond by shape: a tensor or
    packed weight to a `buffer` or `bank`, a `!glm.cache` to a `cache`, `!glm.rows` to a `buffer<?x4xi32>`,
    a selection to a `buffer<?xKxi32>`. A launch has effects on its caches and outputs. An argument that the
    kernel marks as `kernel.updated` is an operand of which some rows are written; on values the launch has a
    result more for it, behind the others, which is the same memory.

    - C1: `kernel` names a `kernel.func`; operands and results are as many as its arguments and updates.

    ```mlir
    %y = kernel.launch @linear(%x, %w) : (tensor<?x64xf32>, tensor<40x64xf32>) -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$inputs,
                       Variadic<AnyType>:$outputs);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`outs` `(` $outputs^ `:` type($outputs) `)`)? attr-dict
    `:` functional-type($inputs, $results)
  }];
}

def Kernel_GroupOp : Kernel_Op<"group", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "model ops that become one kernel";
  let description = [{
    What `form-kernels` decided: the ops of the region, and nothing else, are computed by one kernel.
    `kind` says which shape of kernel (`rows`, `linear`, `gated_linear`, `head_linear`, `expert_linear`,
    `expert_gated_linear`, `linear_group`, `norm_linear`, `index`, `attend`, `route`, `router`, `combine`); `choose-tiles` adds the schedule; `tile-and-fuse` replaces the group by a
    `kernel.func` and a `kernel.launch`.

    - C1: the region yields the results.

    ```mlir
    %y = kernel.group "linear" -> (tensor<?x40xf32>) {
      %0 = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
      kernel.yield %0 : tensor<?x40xf32>
    }
    ```
  }];
  let arguments = (ins StrAttr:$kind, OptionalAttr<Kernel_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $kind (`schedule` $schedule^)? (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Kernel_ByRowsOp : Kernel_Op<"by_rows", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "two forms of the same step, chosen by the number of rows";
  let description = [{
    Few rows want few launches, many rows want work for everybody. Both regions compute the same results; the first
    runs when the step has fewer than `bound` rows, the other when it has as many or more. `form-kernels` writes
    it, with groups in its regions; `bufferize-boundaries` makes it a `program.branch`.

    - C1: `bound` is positive; both regions yield the results.

    ```mlir
    %y = kernel.by_rows less 9 -> (tensor<?x40xf32>) {
      %0 = kernel.launch @norm_linear(%x, %g, %w) : (tensor<?x64xf32>, tensor<64xbf16>, tensor<40x64xbf16>) -> tensor<?x40xf32>
      kernel.yield %0 : tensor<?x40xf32>
    } otherwise {
      %1 = kernel.launch @norm(%x, %g) : (tensor<?x64xf32>, tensor<64xbf16>) -> tensor<?x64xbf16>
      %2 = kernel.launch @linear(%1, %w) : (tensor<?x64xbf16>, tensor<40x64xbf16>) -> tensor<?x40xf32>
      kernel.yield %2 : tensor<?x40xf32>
    }
    ```
  }];
  let arguments = (ins I64Attr:$bound);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$few, SizedRegion<1>:$many);
  let assemblyFormat = [{
    `less` $bound (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $few `otherwise` $many
  }];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_KERNEL_STRUCTUREOPS_TD
