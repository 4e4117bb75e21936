// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself and its attributes; Expr.cpp holds the text of expressions.
#include "dialects/program/Program.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm::program;

#include "dialects/program/ProgramDialect.cpp.inc"
#include "dialects/program/ProgramEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/program/ProgramAttributes.cpp.inc"

void ProgramDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/program/ProgramAttributes.cpp.inc"
      >();
  addMemoryOps();
  addTableOps();
  addCommandOps();
}
