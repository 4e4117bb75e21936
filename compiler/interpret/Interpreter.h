// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter: the meaning of every op of the `glm` dialect, executable. It walks a
// function op by op, computes each as its description says, follows `func.call`, and knows nothing
// of layers or models. Caches live as long as the interpreter, so that calls follow each other like
// steps of a session.
//
// Used by glm-interpret (whole checkpoints), by the pass `--glm-interpret` (tests written in IR)
// and to compare a module before and after a rewrite. One thread may use an interpreter; ops spread
// their work over all cores. Results do not depend on the number of cores.
#ifndef GLM_COMPILER_INTERPRET_INTERPRETER_H
#define GLM_COMPILER_INTERPRET_INTERPRETER_H

#include "compiler/interpret/Frame.h"
#include "compiler/interpret/WeightFiles.h"
#include "dialects/glm/Glm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace glm::interpret {

/// `T` is float or double. With double all arithmetic is f64, whatever the types say; only bf16
/// still rounds.
template <typename T> class Interpreter final : private Symbols<T> {
public:
  /// `module` outlives the interpreter and does not change; `folder` holds the files its weights
  /// name.
  Interpreter(mlir::ModuleOp module, std::filesystem::path folder);

  /// Calls a function of the module. Errors are emitted at the op that is at fault.
  mlir::FailureOr<std::vector<Datum<T>>> call(mlir::func::FuncOp function,
                                              std::vector<Datum<T>> arguments);

  mlir::func::FuncOp function(llvm::StringRef name) {
    return symbolTable.lookup<mlir::func::FuncOp>(name);
  }

  /// Ops executed so far, calls included.
  uint64_t executed() const { return steps; }

private:
  mlir::FailureOr<Datum<T>> weight(mlir::Operation *user, llvm::StringRef name) override;
  Cache<T> *state(llvm::StringRef name) override;
  mlir::LogicalResult execute(mlir::Operation *op, Frame<T> &frame);
  mlir::LogicalResult executeCall(mlir::Operation *op, llvm::StringRef callee, Frame<T> &frame);
  llvm::StringRef formOf(model::CallByKeysOp op, Frame<T> &frame) const;
  /// A fused op is the steps that define it.
  mlir::LogicalResult executeSteps(model::Decomposable op, Frame<T> &frame);

  mlir::SymbolTable symbolTable;
  WeightFiles files;
  llvm::StringMap<Cache<T>> caches;
  uint64_t steps = 0;
};

/// The value of a constant of the IR as `type`: a tensor of numbers or integers, or a batch (rows
/// of {token, slot, position} or {token, slot, position, flags}). Nothing when it does not fit.
template <typename T>
std::optional<Datum<T>> datumOf(mlir::DenseElementsAttr constant, mlir::Type type);

} // namespace glm::interpret

#endif
