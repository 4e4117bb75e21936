// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries and their commands.

#ifndef GLM_DIALECTS_PROGRAM_COMMANDOPS_TD
#define GLM_DIALECTS_PROGRAM_COMMANDOPS_TD

include "dialects/kernel/Kernel.td"
include "dialects/program/Program.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

class Program_CommandOp<string mnemonic, list<Trait> traits = []>
    : Program_Op<mnemonic, traits # [ParentOneOf<["EntryOp", "BranchOp"]>]>;

def Program_EntryOp : Program_Op<"entry", [Symbol, HasParent<"::mlir::ModuleOp">, IsolatedFromAbove,
    NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "what a session can run";
  let description = [{
    References to memory first, then ports, then commands in order. `arena` (a multiple of 64) is the memory that holds
    all its buffers; both it and `scratch`, which every worker needs, are bytes and are known before anything
    runs.

    - C1: the names of its ports are unique in each direction.

    ```mlir
    program.entry @step arena <max_rows * 256> scratch <0> {
      %h = program.buffer dim "rows" at <0> size <max_rows * 256> : !kernel.buffer<?x64xf32>
      program.port output "final" %h : !kernel.buffer<?x64xf32>
      program.launch @embed(%h) label "model.embed_tokens" on @host : !kernel.buffer<?x64xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<Program_ExprAttr>:$arena,
                       OptionalAttr<Program_ExprAttr>:$scratch);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name (`arena` $arena^)? (`scratch` $scratch^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Program_PortOp : Program_Op<"port", [HasParent<"EntryOp">]> {
  let summary = "a buffer that the caller fills or reads";
  let description = [{
    ```mlir
    program.port input "rows" %rows : !kernel.buffer<?x4xi32>
    ```
  }];
  let arguments = (ins Program_PortKind:$kind, StrAttr:$name, Kernel_BufferType:$buffer);
  let assemblyFormat = "$kind $name $buffer attr-dict `:` type($buffer)";
}

def Program_LaunchOp : Program_CommandOp<"launch",
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a kernel run by every worker of a device";
  let description = [{
    `label` is the path in the model, for profiles and errors. Launches between two barriers may overlap.
    `flop` and `bytes` say what it has to do at least, over counts of a step that passes/tile/Costs.h defines:
    operations of its products, bytes of weights and cached rows. Nothing that runs depends on them.

    - C1: `kernel` names a `kernel.func` or `program.kernel`. Arguments of a `kernel.func` have the types of the
      operands, except that buffers without layout may split the same rows differently (`?x128` and `?x4x32`).

    ```mlir
    program.launch @linear(%x, %w, %y) label "model.layers.0.self_attn" on @host
      : !kernel.buffer<?x64xbf16>, !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>, !kernel.buffer<?x40xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$arguments, StrAttr:$label,
                       FlatSymbolRefAttr:$device, OptionalAttr<Program_ExprAttr>:$flop,
                       OptionalAttr<Program_ExprAttr>:$bytes);
  let assemblyFormat = [{
    $kernel `(` $arguments `)` `label` $label (`flop` $flop^)? (`bytes` $bytes^)? `on` $device attr-dict
    (`:` type($arguments)^)?
  }];
}

def Program_BarrierOp : Program_CommandOp<"barrier"> {
  let summary = "the point that all workers of a device reach before any passes";
  let description = [{
    ```mlir
    program.barrier @host
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$device);
  let assemblyFormat = "$device attr-dict";
}

def Program_CopyOp : Program_CommandOp<"copy"> {
  let summary = "bytes moved within or between devices";
  let description = [{
    ```mlir
    program.copy %x to %y bytes <rows * 256> from @host to @card
      : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
    ```
  }];
  let arguments = (ins Kernel_BufferType:$source, Kernel_BufferType:$destination,
                       Program_ExprAttr:$bytes, FlatSymbolRefAttr:$source_device,
                       FlatSymbolRefAttr:$destination_device);
  let assemblyFormat = [{
    $source `to` $destination `bytes` $bytes `from` $source_device `to` $destination_device
    attr-dict `:` type($source) `,` type($destination)
  }];
}

def Program_SignalOp : Program_CommandOp<"signal"> {
  let summary = "an event set when a device gets here";
  let description = [{
    ```mlir
    program.signal 0 on @host
    ```
  }];
  let arguments = (ins Program_IntAttr:$event, FlatSymbolRefAttr:$device);
  let assemblyFormat = "$event `on` $device attr-dict";
}

def Program_WaitOp : Program_CommandOp<"wait"> {
  let summary = "an event waited for by a device";
  let description = [{
    ```mlir
    program.wait 0 on @host
    ```
  }];
  let arguments = (ins Program_IntAttr:$event, FlatSymbolRefAttr:$device);
  let assemblyFormat = "$event `on` $device attr-dict";
}

def Program_RequireOp : Program_CommandOp<"require"> {
  let summary = "residency of the experts a routing names";
  let description = [{
    Stands between the launch that routes and the first that reads the bank. `routing` is the `active` buffer
    of the routing: a count, then ids. Nothing happens when all experts are resident.

    ```mlir
    program.require %bank for %active
      : !kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>>, !kernel.buffer<13xi32>
    ```
  }];
  let arguments = (ins Kernel_BankType:$bank, Kernel_BufferType:$routing);
  let assemblyFormat = "$bank `for` $routing attr-dict `:` type($bank) `,` type($routing)";
}

def Program_CollectiveOp : Program_CommandOp<"collective"> {
  let summary = "an exchange between ranks";
  let description = [{
    `kind`: 0 sum of all, 1 gather of all, 2 exchange of all with all. `count` is in elements.

    - C1: `kind` is 0, 1 or 2.

    ```mlir
    program.collective 0 %x to %y count <rows * 64> among @tensor_parallel
      : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
    ```
  }];
  let arguments = (ins Program_IntAttr:$kind, Kernel_BufferType:$source, Kernel_BufferType:$destination,
                       Program_ExprAttr:$count, FlatSymbolRefAttr:$group);
  let assemblyFormat = [{
    $kind $source `to` $destination `count` $count `among` $group
    attr-dict `:` type($source) `,` type($destination)
  }];
  let hasVerifier = 1;
}

def Program_BranchOp : Program_Op<"branch", [NoTerminator, NoRegionArguments, SingleBlock]> {
  let summary = "one of two lists of commands";
  let description = [{
    The list `less` runs if `left < right`, else the list `otherwise`. Both sides are formulas over the dimensions of the
    step and of the session; they are evaluated once, before the first command of the entry runs. A list
    uses memory from outside and yields nothing. Before the place phase it stands in a function, where lists
    hold launches and calls on memory, and references to memory that only they need.

    - C1: it stands in a function on memory, an entry or another branch.
    - C2: lists hold commands, launches and calls without results, and references to memory.
    - C3: in an entry, references to memory stand at its head, not in lists.

    ```mlir
    program.branch <keys> less <1> {
      program.launch @gathered(%q, %y) label "model.layers.0.self_attn" on @host : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
    } otherwise {
      program.launch @expanded(%q, %y) label "model.layers.0.self_attn" on @host : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
    }
    ```
  }];
  let arguments = (ins Program_ExprAttr:$left, Program_ExprAttr:$right);
  let regions = (region SizedRegion<1>:$less, SizedRegion<1>:$otherwise);
  let assemblyFormat = [{
    $left `less` $right attr-dict-with-keyword $less `otherwise` $otherwise
  }];
  let skipDefaultBuilders = 1;
  /// Both lists are empty blocks; the builder stays behind the branch.
  let builders = [OpBuilder<(ins "const Expr &":$left, "const Expr &":$right)>];
  let hasVerifier = 1;
}

#endif // GLM_DIALECTS_PROGRAM_COMMANDOPS_TD
