// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight is read when its value, or an argument of a layer function it is passed as, is an
// operand of anything but a call. Layer functions are few and calls many, so "argument i of f is
// read" is computed once a function.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"

namespace glm {
#define GEN_PASS_DEF_VERIFYLEDGER
#include "passes/model/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

class Readers {
public:
  explicit Readers(SymbolTable &symbols) : symbols(symbols) {}

  bool isRead(Value value) {
    return llvm::any_of(value.getUses(), [&](OpOperand &use) {
      auto call = dyn_cast<func::CallOp>(use.getOwner());
      return call ? argumentIsRead(call.getCallee(), use.getOperandNumber())
                  : !isa<func::ReturnOp>(use.getOwner());
    });
  }

private:
  bool argumentIsRead(StringRef callee, unsigned index) {
    auto function = symbols.lookup<func::FuncOp>(callee);
    if (!function || function.isExternal() || index >= function.getNumArguments())
      return false;
    BlockArgument argument = function.getArgument(index);
    auto [entry, isNew] = known.try_emplace(argument, false);
    if (!isNew)
      return entry->second;
    bool read = isRead(argument);
    return known[argument] = read;
  }

  SymbolTable &symbols;
  DenseMap<Value, bool> known;
};

struct VerifyLedger : glm::impl::VerifyLedgerBase<VerifyLedger> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    Readers readers(symbols);
    llvm::StringSet<> readNames, waivedNames;
    module.walk([&](WeightValueOp op) {
      if (readers.isRead(op.getResult()))
        readNames.insert(op.getWeight());
    });
    collectWaived(module, waivedNames);
    for (Operation &op : module.getOps())
      if (isa<WeightOp, BankOp>(op) && !hasOneFate(op, readNames, waivedNames))
        return;
    markAllAnalysesPreserved();
  }

private:
  /// Names of `glm.checkpoint = {waived = [[name, reason], ...]}`.
  void collectWaived(ModuleOp module, llvm::StringSet<> &names) {
    auto checkpoint = module->getAttrOfType<DictionaryAttr>("glm.checkpoint");
    auto list = checkpoint ? checkpoint.getAs<ArrayAttr>("waived") : ArrayAttr();
    if (!list)
      return;
    for (auto row : list.getAsRange<ArrayAttr>())
      names.insert(cast<StringAttr>(row[0]).getValue());
    waived += names.size();
  }

  bool hasOneFate(Operation &op, const llvm::StringSet<> &readNames,
                  const llvm::StringSet<> &waivedNames) {
    StringRef name = SymbolTable::getSymbolName(&op).getValue();
    bool isRead = readNames.contains(name), isWaived = waivedNames.contains(name);
    read += isRead;
    if (isRead && !isWaived)
      return true;
    emitCoded(&op, {Code::LedgerBroken, name.str(),
                    isWaived ? "is declared and waived" : "is declared, but no entry reads it",
                    isWaived ? "do one of the two" : "use it, or waive it in glm.checkpoint"});
    signalPassFailure();
    return false;
  }
};

} // namespace
