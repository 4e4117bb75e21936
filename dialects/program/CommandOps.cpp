// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace glm;
using namespace glm::program;

#define GET_OP_CLASSES
#include "dialects/program/CommandOps.cpp.inc"

void ProgramDialect::addCommandOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/program/CommandOps.cpp.inc"
      >();
}

LogicalResult EntryOp::verify() {
  // C1.
  llvm::StringSet<> names[2];
  for (PortOp port : getBody().getOps<PortOp>())
    if (!names[size_t(port.getKind())].insert(port.getName()).second)
      return port.emitOpError("is the second ")
             << stringifyPortKind(port.getKind()) << " called \"" << port.getName() << '"';
  return success();
}

/// Equal types, or buffers without layout that split the same rows differently.
static bool sameMemory(Type passed, Type wanted) {
  auto a = dyn_cast<kernel::BufferType>(passed), b = dyn_cast<kernel::BufferType>(wanted);
  if (passed == wanted || !a || !b || a.getLayout() || b.getLayout())
    return passed == wanted;
  return a.getElementType() == b.getElementType() && !a.getShape().empty() &&
         !b.getShape().empty() && a.getShape().front() == b.getShape().front() &&
         bytesPerRow(a) == bytesPerRow(b);
}

LogicalResult program::LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1.
  Operation *target = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  if (isa_and_nonnull<KernelOp>(target))
    return success();
  auto function = dyn_cast_or_null<kernel::FuncOp>(target);
  if (!function)
    return emitOpError("there is no kernel @") << getKernel();
  ArrayRef<Type> wanted = function.getArgumentTypes();
  if (wanted.size() != getArguments().size())
    return emitOpError("passes ") << getArguments().size() << " arguments to @" << getKernel()
                                  << ", which has " << wanted.size();
  for (auto [index, operand] : llvm::enumerate(getArguments()))
    if (!sameMemory(operand.getType(), wanted[index]))
      return emitOpError("passes ") << operand.getType() << " as argument " << index << " of @"
                                    << getKernel() << ", which is " << wanted[index];
  return success();
}

LogicalResult CollectiveOp::verify() {
  // C1.
  if (getKind() < 0 || getKind() > 2)
    return emitOpError("is of kind ") << getKind() << ", which is none of 0, 1 and 2";
  return success();
}

void BranchOp::build(OpBuilder &b, OperationState &state, const Expr &left, const Expr &right) {
  state.addAttribute(getLeftAttrName(state.name), left.toAttribute(b.getContext()));
  state.addAttribute(getRightAttrName(state.name), right.toAttribute(b.getContext()));
  state.addRegion()->emplaceBlock();
  state.addRegion()->emplaceBlock();
}

static bool isReference(Operation &op) {
  return isa<BufferOp, WeightRefOp, BankRefOp, StateRefOp, PackOp>(op);
}

static bool isCommand(Operation &op) {
  bool calls = isa<kernel::LaunchOp, CallOpInterface>(op) && op.getNumResults() == 0;
  return calls || isa<program::LaunchOp, BarrierOp, CopyOp, SignalOp, WaitOp, RequireOp,
                      CollectiveOp, BranchOp>(op);
}

LogicalResult BranchOp::verify() {
  // C1.
  Operation *parent = (*this)->getParentOp();
  if (isa<kernel::FuncOp>(parent) || !isa<EntryOp, BranchOp, FunctionOpInterface>(parent))
    return emitOpError("stands in a function on memory, an entry or another branch, not in ")
           << parent->getName();
  bool placed = bool((*this)->getParentOfType<EntryOp>());
  for (Region *list : {&getLess(), &getOtherwise()})
    for (Operation &op : list->front()) {
      // C2.
      if (!isCommand(op) && !isReference(op))
        return op.emitOpError("stands in a branch, which holds commands and calls without results");
      // C3.
      if (placed && isReference(op))
        return op.emitOpError("stands in a branch; memory of an entry is named at its head");
    }
  return success();
}
