// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself: what it registers and how its folds make constants.
#include "dialects/kernel/Kernel.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace glm::kernel;

#include "dialects/kernel/KernelDialect.cpp.inc"
#include "dialects/kernel/KernelEnums.cpp.inc"

void KernelDialect::initialize() {
  registerTypes();
  registerAttributes();
  addStructureOps();
  addTileOps();
  addSelectionOps();
  addBlockOps();
}

Operation *KernelDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                              Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
