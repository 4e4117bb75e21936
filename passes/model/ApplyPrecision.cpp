// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding points. A product of two values is computed in one element type; this pass decides in
// which, and writes a `glm.cast` on each operand that has another. Casts stand right behind the
// definition of their operand, so that all readers of a value can share one.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace glm {
#define GEN_PASS_DEF_APPLYPRECISION
#include "passes/model/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// Results that are compared with each other and not summed up: their linears are exact.
bool isComparison(LinearOp op) {
  return llvm::any_of(op.getResult().getUses(), [](OpOperand &use) {
    if (auto route = dyn_cast<RouteOp>(use.getOwner()))
      return route.getLogits() == use.get();
    auto scores = dyn_cast<IndexScoresOp>(use.getOwner());
    return scores && scores.getWeights() == use.get();
  });
}

/// Rows that become integer codes for other linears would be rounded for this one alone.
bool readsQuantizedRows(LinearOp op) {
  return llvm::any_of(op.getX().getUsers(), llvm::IsaPred<QuantizeOp, QuantizeStaticOp>);
}

/// Integer codes multiply integer codes in every precision.
bool multipliesIntegers(Value weight) {
  auto element = dyn_cast<QuantizedType>(getElementTypeOrSelf(weight.getType()));
  return element && element.getCode().isInteger();
}

struct ApplyPrecision : glm::impl::ApplyPrecisionBase<ApplyPrecision> {
  using ApplyPrecisionBase::ApplyPrecisionBase;

  void runOnOperation() override {
    if (precision != "bf16" && precision != "f32") {
      emitCoded(getOperation(), {Code::BadArguments, "precision",
                                 "\"" + precision.getValue() + "\" is neither bf16 nor f32",
                                 "choose one of the two"});
      return signalPassFailure();
    }
    MLIRContext *context = &getContext();
    exact = Float32Type::get(context);
    factor = precision == "bf16" ? Type(BFloat16Type::get(context)) : exact;
    if (indexKeys != "bf16" && indexKeys != "int8") {
      emitCoded(getOperation(), {Code::BadArguments, "index-keys",
                                 "\"" + indexKeys.getValue() + "\" is neither bf16 nor int8",
                                 "choose one of the two"});
      return signalPassFailure();
    }
    if (indexKeys == "int8")
      findIndexKeys();
    retypeCaches();
    getOperation().walk([&](Operation *op) { applyTo(op); });
    getOperation()->setAttr("glm.precision", StringAttr::get(context, precision.getValue()));
  }

private:
  //===--- Caches -----------------------------------------------------------------------------===//

  /// The caches that indexers read become codes: values of functions, and the states that callers
  /// pass for them.
  void findIndexKeys() {
    SymbolTableCollection symbols;
    getOperation().walk([&](IndexScoresOp scores) { coded.insert(scores.getKeys()); });
    // From callees to callers; calls are as deep as layers in entries.
    for (size_t before = 0; before != coded.size();) {
      before = coded.size();
      getOperation().walk([&](func::CallOp call) {
        auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
        if (callee.isExternal())
          return;
        for (auto [operand, argument] : llvm::zip(call.getOperands(), callee.getArguments()))
          if (coded.contains(argument))
            coded.insert(operand);
      });
    }
    for (Value value : llvm::to_vector(coded))
      if (auto state = value.getDefiningOp<StateValueOp>())
        codedStates.insert(state.getStateAttr().getAttr());
  }

  Type retype(Type type, bool isCoded) {
    if (auto cache = dyn_cast<CacheType>(type))
      return CacheType::get(type.getContext(), cache.getWidth(),
                            isCoded ? Type(IntegerType::get(type.getContext(), 8)) : factor);
    return type;
  }

  void retypeCaches() {
    getOperation().walk([&](Operation *op) {
      if (auto state = dyn_cast<StateOp>(op)) {
        Type type = retype(state.getType(), codedStates.contains(state.getSymNameAttr()));
        caches += type != state.getType();
        state.setType(cast<CacheType>(type));
      } else if (auto function = dyn_cast<func::FuncOp>(op)) {
        retypeSignature(function);
      } else if (auto value = dyn_cast<StateValueOp>(op)) {
        bool isCoded = codedStates.contains(value.getStateAttr().getAttr());
        value.getResult().setType(cast<CacheType>(retype(value.getType(), isCoded)));
      } else if (auto gather = dyn_cast<GatherOp>(op)) {
        auto rows = cast<RankedTensorType>(gather.getType());
        gather.getResult().setType(rows.clone(factor));
      }
    });
  }

  void retypeSignature(func::FuncOp function) {
    SmallVector<Type> inputs;
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
      inputs.push_back(
          retype(type, !function.isExternal() && coded.contains(function.getArgument(index))));
    if (!function.isExternal())
      for (auto [argument, type] : llvm::zip(function.getArguments(), inputs))
        argument.setType(type);
    function.setFunctionType(FunctionType::get(&getContext(), inputs, function.getResultTypes()));
  }

  //===--- Products ---------------------------------------------------------------------------===//

  void applyTo(Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op)) {
      if (multipliesIntegers(linear.getWeight()))
        return;
      Type type = isComparison(linear) || readsQuantizedRows(linear) ? exact : factor;
      convert(linear.getXMutable(), type);
      convert(linear.getWeightMutable(), type);
    } else if (auto linear = dyn_cast<HeadLinearOp>(op)) {
      convert(linear.getXMutable(), factor);
      convert(linear.getWeightMutable(), factor);
    } else if (auto linear = dyn_cast<ExpertLinearOp>(op)) {
      if (multipliesIntegers(linear.getBank()))
        return;
      convertDispatched(linear);
      convert(linear.getBankMutable(), factor);
    } else if (auto attend = dyn_cast<AttendExpandedOp>(op)) {
      convert(attend.getQNopeMutable(), factor);
      convert(attend.getQRopeMutable(), factor);
      convert(attend.getKvBMutable(), factor);
    } else if (auto attend = dyn_cast<AttendLatentOp>(op)) {
      convert(attend.getQMutable(), factor);
      convert(attend.getQRopeMutable(), factor);
    } else if (auto scores = dyn_cast<IndexScoresOp>(op)) {
      convert(scores.getQMutable(), factor);
    }
  }

  /// Rounds rows before they are copied for their experts: `n` casts instead of `n * topK`.
  void convertDispatched(ExpertLinearOp linear) {
    auto dispatch = linear.getX().getDefiningOp<DispatchOp>();
    if (!dispatch)
      return convert(linear.getXMutable(), factor);
    convert(dispatch.getXMutable(), factor);
    auto rows = cast<RankedTensorType>(dispatch.getType());
    dispatch.getResult().setType(rows.clone(factor));
  }

  void convert(OpOperand &operand, Type element) {
    Value value = operand.get();
    auto type = cast<RankedTensorType>(value.getType());
    // Codes stay what the checkpoint has; only numbers are rounded.
    if (type.getElementType() == element || isa<QuantizedType>(type.getElementType()))
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    auto cast = CastOp::create(builder, value.getLoc(), type.clone(element), value);
    // A cast of what was wide already is exact: read the original.
    if (auto inner = value.getDefiningOp<CastOp>();
        inner && inner.getX().getType() == cast.getType()) {
      operand.set(inner.getX());
      cast.erase();
      return;
    }
    type.hasStaticShape() ? ++widened : ++rounded;
    operand.set(cast.getResult());
  }

  Type exact, factor;
  llvm::SetVector<Value> coded; // caches of codes
  llvm::DenseSet<StringAttr> codedStates;
};

} // namespace
