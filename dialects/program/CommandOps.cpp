// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

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
