// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `glm` dialect in C++: dialect, types, enums and every op (namespace ::glm::model). Glm.td
// says what it is, RATIONALE.md why. Each chapter of ops is generated, verified and compiled by
// itself:
//
//   WeightOps     weights, banks, caches: symbols and their values
//   DenseOps      embedding, linears, norms, rotation, arithmetic, changes of shape
//   AttentionOps  score, select, gather, attend
//   MoeOps        route, dispatch, expert matmul, combine
//   QuantizeOps   codes and scales: how numbers become them and back
//   FusedOps      steps that stand for several of the others (interface Decomposable)
//   FormOps       attention in several forms
#ifndef GLM_DIALECTS_GLM_GLM_H
#define GLM_DIALECTS_GLM_GLM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/glm/GlmDialect.h.inc"
#include "dialects/glm/GlmEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/glm/GlmAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/glm/GlmTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/WeightOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/DenseOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/AttentionOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/MoeOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/QuantizeOps.h.inc"

#include "dialects/glm/FusedInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/glm/FusedOps.h.inc"

namespace glm::model {

/// What an element is in memory: the code of a quantised one, otherwise itself.
inline mlir::Type storedElement(mlir::Type element) {
  auto quantized = llvm::dyn_cast<QuantizedType>(element);
  return quantized ? quantized.getCode() : element;
}

} // namespace glm::model

#define GET_OP_CLASSES
#include "dialects/glm/FormOps.h.inc"

#endif
