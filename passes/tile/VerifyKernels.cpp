// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace glm {
#define GEN_PASS_DEF_VERIFYKERNELS
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;

namespace {

std::string toText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// The same memory: equal but for how the dimensions behind the first are split.
bool isSameMemory(Type given, Type expected) {
  if (given == expected)
    return true;
  auto left = dyn_cast<kernel::BufferType>(given), right = dyn_cast<kernel::BufferType>(expected);
  if (!left || !right || left.getLayout() || right.getLayout() ||
      left.getElementType() != right.getElementType())
    return false;
  auto product = [](ArrayRef<int64_t> sizes) {
    int64_t total = 1;
    for (int64_t size : sizes)
      total *= size;
    return total;
  };
  ArrayRef<int64_t> a = left.getShape(), b = right.getShape();
  return a.front() == b.front() && product(a.drop_front()) == product(b.drop_front());
}

bool isMemory(Type type) {
  return isa<kernel::BufferType, kernel::BankType, kernel::CacheType>(type);
}

struct VerifyKernels : glm::impl::VerifyKernelsBase<VerifyKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::DenseSet<StringRef> launched;
    for (auto function : module.getOps<func::FuncOp>())
      if (failed(check(function, symbols, launched)))
        return signalPassFailure();
    for (auto kernel : module.getOps<kernel::FuncOp>()) {
      ++kernels;
      if (!kernel.getScheduleAttr())
        return fail(kernel, kernel.getSymName(), "has no schedule");
      if (!launched.contains(kernel.getSymName()))
        return fail(kernel, kernel.getSymName(), "is never launched");
    }
    markAllAnalysesPreserved();
  }

private:
  LogicalResult check(func::FuncOp function, SymbolTable &symbols,
                      llvm::DenseSet<StringRef> &launched) {
    llvm::DenseSet<Value> written;
    for (Type type : function.getArgumentTypes())
      if (!isMemory(type))
        return report(function, function.getSymName(), "takes " + toText(type) + ", not memory");
    if (function.isExternal())
      return success();
    return checkList(function.getBody().front(), symbols, launched, written);
  }

  /// Commands in order; `written` is what earlier ones wrote and these add to.
  LogicalResult checkList(Block &list, SymbolTable &symbols, llvm::DenseSet<StringRef> &launched,
                          llvm::DenseSet<Value> &written) {
    for (Operation &op : list) {
      if (auto branch = dyn_cast<program::BranchOp>(op)) {
        if (failed(checkBranch(branch, symbols, launched, written)))
          return failure();
        continue;
      }
      StringRef name = op.getName().getStringRef();
      for (Value operand : op.getOperands())
        if (!isMemory(operand.getType()))
          return report(&op, name, "reads " + toText(operand.getType()) + ", not memory");
      if (!isa<program::ProgramDialect, func::FuncDialect>(op.getDialect()) &&
          !isa<kernel::LaunchOp>(op))
        return report(&op, name, "is neither a launch, a call nor memory");
      if (auto launch = dyn_cast<kernel::LaunchOp>(op);
          launch && failed(checkLaunch(launch, symbols, written)))
        return failure();
      else if (launch)
        launched.insert(launch.getKernel());
    }
    return success();
  }

  /// Either list may run, so both start with what was written before and end with the same.
  LogicalResult checkBranch(program::BranchOp branch, SymbolTable &symbols,
                            llvm::DenseSet<StringRef> &launched, llvm::DenseSet<Value> &written) {
    llvm::DenseSet<Value> less = written, otherwise = written;
    if (failed(checkList(branch.getLess().front(), symbols, launched, less)) ||
        failed(checkList(branch.getOtherwise().front(), symbols, launched, otherwise)))
      return failure();
    for (Value value : less)
      if (otherwise.contains(value))
        written.insert(value);
    return success();
  }

  LogicalResult checkLaunch(kernel::LaunchOp launch, SymbolTable &symbols,
                            llvm::DenseSet<Value> &written) {
    ++launches;
    auto kernel = symbols.lookup<kernel::FuncOp>(launch.getKernel());
    for (auto [index, pair] :
         llvm::enumerate(llvm::zip(launch.getOperands(), kernel.getArgumentTypes()))) {
      auto [operand, expected] = pair;
      if (!isSameMemory(operand.getType(), expected))
        return report(launch, launch.getKernel(),
                      "is given " + toText(operand.getType()) + " as argument " +
                          std::to_string(index) + ", expected " + toText(expected));
    }
    for (Value output : launch.getOutputs())
      if (!written.insert(output).second)
        return report(launch, launch.getKernel(), "writes a buffer that was written before");
    for (Value input : launch.getInputs())
      if (input.getDefiningOp<program::BufferOp>() && !written.contains(input) &&
          llvm::none_of(input.getUsers(), [&](Operation *user) {
            return isa<func::CallOp>(user) && user->isBeforeInBlock(launch);
          }))
        return report(launch, launch.getKernel(), "reads a buffer that nobody wrote");
    return success();
  }

  static LogicalResult report(Operation *op, StringRef thing, std::string what) {
    return emitCoded(op, {Code::VerificationFailed, thing.str(), std::move(what),
                          "run the tile pipeline on the module"});
  }

  void fail(Operation *op, StringRef thing, const char *what) {
    (void)report(op, thing, what);
    signalPassFailure();
  }
};

} // namespace
