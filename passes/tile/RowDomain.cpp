// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/RowDomain.h"
#include "dialects/glm/Glm.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm;
using namespace glm::model;

/// The domain of a value that comes from outside: row numbers are those of logit rows.
static RowDomain fromType(Type type) {
  if (isa<RowsType, SelectionType, RoutingType>(type))
    return {RowDomain::Rows};
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.hasStaticShape())
    return {};
  return {tensor.getRank() == 1 ? RowDomain::LogitRows : RowDomain::Rows};
}

RowDomains::RowDomains(func::FuncOp function) {
  if (function.isExternal())
    return;
  for (BlockArgument argument : function.getArguments())
    domains[argument] = fromType(argument.getType());
  function.walk<WalkOrder::PreOrder>([&](Operation *op) { visit(op); });
}

void RowDomains::visit(Operation *op) {
  auto pairsOf = [](Value routing) {
    return RowDomain{RowDomain::Pairs, cast<RoutingType>(routing.getType()).getTopK()};
  };
  auto firstOfOperands = [&] {
    for (Value operand : op->getOperands())
      if (RowDomain domain = of(operand); domain.kind != RowDomain::None)
        return domain;
    return RowDomain();
  };
  for (Value result : op->getResults())
    domains[result] =
        llvm::TypeSwitch<Operation *, RowDomain>(op)
            .Case<DispatchOp, ExpertLinearOp, ExpertGatedLinearOp>(
                [&](auto op) { return pairsOf(op.getRouting()); })
            .Case([&](CombineOp) { return RowDomain{RowDomain::Rows}; })
            .Case([&](TakeRowsOp take) { return of(take.getIndices()); })
            .Case<func::CallOp, CallByKeysOp>([&](auto) { return fromType(result.getType()); })
            .Default([&](Operation *) { return firstOfOperands(); });
}
