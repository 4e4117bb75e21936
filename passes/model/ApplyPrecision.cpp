// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding points. A product of two values is computed in one element type; this pass decides in
// which, and writes a `glm.cast` on each operand that has another. Casts stand right behind the
// definition of their operand, so that all readers of a value can share one.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

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
    retypeCaches();
    getOperation().walk([&](Operation *op) { applyTo(op); });
    getOperation()->setAttr("glm.precision", StringAttr::get(context, precision.getValue()));
  }

private:
  //===--- Caches -----------------------------------------------------------------------------===//

  Type retype(Type type) {
    if (auto cache = dyn_cast<CacheType>(type))
      return CacheType::get(type.getContext(), cache.getWidth(), factor);
    return type;
  }

  void retypeCaches() {
    getOperation().walk([&](Operation *op) {
      if (auto state = dyn_cast<StateOp>(op)) {
        Type type = retype(state.getType());
        caches += type != state.getType();
        state.setType(cast<CacheType>(type));
      } else if (auto function = dyn_cast<func::FuncOp>(op)) {
        retypeSignature(function);
      } else if (auto value = dyn_cast<StateValueOp>(op)) {
        value.getResult().setType(cast<CacheType>(retype(value.getType())));
      } else if (auto gather = dyn_cast<GatherOp>(op)) {
        auto rows = cast<RankedTensorType>(gather.getType());
        gather.getResult().setType(rows.clone(factor));
      }
    });
  }

  void retypeSignature(func::FuncOp function) {
    SmallVector<Type> inputs;
    for (Type type : function.getArgumentTypes())
      inputs.push_back(retype(type));
    if (!function.isExternal())
      for (auto [argument, type] : llvm::zip(function.getArguments(), inputs))
        argument.setType(type);
    function.setFunctionType(FunctionType::get(&getContext(), inputs, function.getResultTypes()));
  }

  //===--- Products ---------------------------------------------------------------------------===//

  void applyTo(Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op)) {
      Type type = isComparison(linear) ? exact : factor;
      convert(linear.getXMutable(), type);
      convert(linear.getWeightMutable(), type);
    } else if (auto linear = dyn_cast<HeadLinearOp>(op)) {
      convert(linear.getXMutable(), factor);
      convert(linear.getWeightMutable(), factor);
    } else if (auto linear = dyn_cast<ExpertLinearOp>(op)) {
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
    if (type.getElementType() == element)
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
};

} // namespace
