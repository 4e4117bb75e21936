// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fused ops have in common: a definition in the model's own steps.

#ifndef GLM_DIALECTS_GLM_FUSEDINTERFACES_TD
#define GLM_DIALECTS_GLM_FUSEDINTERFACES_TD

include "mlir/IR/OpBase.td"

def Glm_Decomposable : OpInterface<"Decomposable"> {
  let cppNamespace = "::glm::model";
  let description = [{
    An op that stands for several others. They are its definition: the interpreter runs nothing else, and a
    fusion is right when they compute what it replaced.
  }];
  let methods = [
    InterfaceMethod<[{
      Creates the steps that define the op at the builder's insertion point, reading the op's own operands,
      and returns what the op's results are equal to, bit for bit. The op itself does not change.
    }], "::llvm::SmallVector<::mlir::Value>", "decompose", (ins "::mlir::OpBuilder &":$builder)>
  ];
}

#endif // GLM_DIALECTS_GLM_FUSEDINTERFACES_TD
