// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace glm {
#define GEN_PASS_DEF_VERIFYMODEL
#include "passes/model/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

std::string toText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

struct VerifyModel : glm::impl::VerifyModelBase<VerifyModel> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!module->hasAttrOfType<StringAttr>("glm.precision"))
      return fail(module, "module", "has no glm.precision", "run glm-apply-precision first");
    WalkResult result = module.walk([&](Operation *op) {
      return succeeded(checkProduct(op)) ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted() || failed(checkFunctions(module)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  //===--- Products ---------------------------------------------------------------------------===//

  LogicalResult checkProduct(Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op))
      return checkFactors(op, linear.getX(), linear.getWeight());
    if (auto linear = dyn_cast<HeadLinearOp>(op))
      return checkFactors(op, linear.getX(), linear.getWeight());
    if (auto linear = dyn_cast<ExpertLinearOp>(op))
      return checkFactors(op, linear.getX(), linear.getBank());
    if (auto attend = dyn_cast<AttendExpandedOp>(op))
      return success(succeeded(checkFactors(op, attend.getQNope(), attend.getKvB())) &&
                     succeeded(checkFactors(op, attend.getQRope(), attend.getGathered())));
    if (auto attend = dyn_cast<AttendLatentOp>(op))
      return success(succeeded(checkFactors(op, attend.getQ(), attend.getGathered())) &&
                     succeeded(checkFactors(op, attend.getQRope(), attend.getGathered())));
    if (auto scores = dyn_cast<IndexScoresOp>(op))
      return scores.getKeys().getType().getElementType().isInteger(8)
                 ? success() // queries become codes too
                 : checkFactors(op, scores.getQ(), scores.getKeys());
    return success();
  }

  static Type elementOf(Type type) {
    if (auto cache = dyn_cast<CacheType>(type))
      return cache.getElementType();
    return cast<RankedTensorType>(type).getElementType();
  }

  LogicalResult checkFactors(Operation *op, Value a, Value b) {
    Type left = elementOf(a.getType()), right = elementOf(b.getType());
    // Integers meet integers by the rules of their ops; numbers meet codes in their own type.
    if (auto codes = dyn_cast<QuantizedType>(right)) {
      if (codes.getCode().isInteger())
        return success();
      right = left;
    }
    if (left != right)
      return report(op, op->getName().getStringRef(),
                    "multiplies " + toText(left) + " by " + toText(right),
                    "run glm-apply-precision on the module");
    if (!left.isF32() && !left.isBF16())
      return report(op, op->getName().getStringRef(), "multiplies in " + toText(left),
                    "only f32 and bf16 are compiled");
    return success();
  }

  //===--- Functions --------------------------------------------------------------------------===//

  LogicalResult checkFunctions(ModuleOp module) {
    llvm::StringSet<> called;
    WalkResult recursion = module.walk([&](func::CallOp call) {
      called.insert(call.getCallee());
      auto parent = call->getParentOfType<func::FuncOp>();
      if (parent.getSymName() != call.getCallee())
        return WalkResult::advance();
      (void)report(call, call.getCallee(), "calls itself", "layers are called one after another");
      return WalkResult::interrupt();
    });
    if (recursion.wasInterrupted())
      return failure();
    for (auto function : module.getOps<func::FuncOp>())
      if (failed(function->hasAttr("glm.entry") ? checkEntry(function)
                                                : checkKind(function, called)))
        return failure();
    // Asked of the module, not of the statistic, which stays zero in builds without assertions.
    if (llvm::none_of(module.getOps<func::FuncOp>(),
                      [](func::FuncOp function) { return function->hasAttr("glm.entry"); }))
      return report(module, "module", "has no function with glm.entry",
                    "mark what a session can run");
    return success();
  }

  LogicalResult checkKind(func::FuncOp function, const llvm::StringSet<> &called) {
    ++kinds;
    if (called.contains(function.getSymName()))
      return success();
    return report(function, function.getSymName(), "is never called",
                  "remove it or mark it with glm.entry");
  }

  LogicalResult checkEntry(func::FuncOp entry) {
    ++entries;
    if (entry.isExternal() || entry.isPrivate())
      return report(entry, entry.getSymName(), "is an entry, but private or without a body",
                    "entries are public functions");
    llvm::StringSet<> inputs, outputs;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      if (failed(checkName(entry, "argument", i, entry.getArgAttrOfType<StringAttr>(i, "glm.name"),
                           inputs)))
        return failure();
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (failed(checkName(entry, "result", i, entry.getResultAttrOfType<StringAttr>(i, "glm.name"),
                           outputs)))
        return failure();
    if (entry.getSymName() == "step" &&
        llvm::any_of(entry.getArgumentTypes(), llvm::IsaPred<SelectionType>))
      return report(entry, "step", "takes a selection", "its first layer must own an indexer");
    return success();
  }

  LogicalResult checkName(func::FuncOp entry, const char *what, unsigned index, StringAttr name,
                          llvm::StringSet<> &seen) {
    std::string which = std::string(what) + " " + std::to_string(index);
    if (!name)
      return report(entry, entry.getSymName(), which + " has no glm.name",
                    "name every port of an entry");
    if (!seen.insert(name.getValue()).second)
      return report(entry, entry.getSymName(), which + " is called " + name.str() + " as another",
                    "names of ports are unique");
    return success();
  }

  //===--- Reporting --------------------------------------------------------------------------===//

  LogicalResult report(Operation *op, StringRef thing, std::string what, const char *remedy) {
    return emitCoded(op, {Code::VerificationFailed, thing.str(), std::move(what), remedy});
  }

  void fail(Operation *op, StringRef thing, const char *what, const char *remedy) {
    (void)report(op, thing, what, remedy);
    signalPassFailure();
  }
};

} // namespace
