// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef GLM_COMPILER_INTERPRET_PASSES_TD
#define GLM_COMPILER_INTERPRET_PASSES_TD

include "mlir/Pass/PassBase.td"

def InterpretPass : Pass<"glm-interpret", "::mlir::ModuleOp"> {
  let summary = "run functions of the module with the reference interpreter";
  let description = [{
    Runs every public function all of whose arguments carry a `glm.value`, in the order of the module, with
    the caches of `glm.state` kept from one to the next. A result with `glm.expected` must be equal to it up
    to `glm.tolerance` (default 1e-5, absolute), which is an error otherwise; any other result is reported
    in a remark. This is how the meaning of an op is tested in IR. The module is not changed.

    Values are dense constants; that of a batch has rows `[token, slot, position]` or
    `[token, slot, position, flags]`. What an op refuses is an error at the op.

    ```mlir
    func.func @silu(%x: tensor<2xf32> {glm.value = dense<[0.0, 1.0]> : tensor<2xf32>})
        -> (tensor<2xf32> {glm.expected = dense<[0.0, 0.731059]> : tensor<2xf32>}) {
      %y = glm.silu %x : tensor<2xf32>
      return %y : tensor<2xf32>
    }
    ```
  }];
  let options = [
    Option<"folder", "folder", "std::string", "\".\"", "Folder of the files that weights name">,
    Option<"f64", "f64", "bool", "false", "Compute everything in f64">
  ];
  let statistics = [
    Statistic<"functionsRun", "functions-run", "Number of functions run">,
    Statistic<"opsExecuted", "ops-executed", "Number of ops executed, in called functions too">
  ];
}

#endif // GLM_COMPILER_INTERPRET_PASSES_TD
