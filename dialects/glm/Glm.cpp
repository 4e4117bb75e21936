// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself, its types and its enum attribute.
#include "dialects/glm/Glm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm::model;

#include "dialects/glm/GlmDialect.cpp.inc"
#include "dialects/glm/GlmEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/glm/GlmAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/glm/GlmTypes.cpp.inc"

void GlmDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/glm/GlmTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/glm/GlmAttributes.cpp.inc"
      >();
  addWeightOps();
  addDenseOps();
  addAttentionOps();
  addMoeOps();
  addFusedOps();
  addFormOps();
  addQuantizeOps();
}

/// `<36xf32>`, as a tensor type writes its shape.
Type CacheType::parse(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t, 1> dims;
  Type element;
  if (parser.parseLess() || parser.parseDimensionList(dims, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (dims.size() != 1) {
    parser.emitError(where, "a cache has one dimension, its width, not ") << dims.size();
    return {};
  }
  return parser.getChecked<CacheType>(where, parser.getContext(), dims.front(), element);
}

void CacheType::print(AsmPrinter &printer) const {
  printer << '<' << getWidth() << 'x' << getElementType() << '>';
}

LogicalResult CacheType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width,
                                Type elementType) {
  if (width < 1)
    return emitError() << "a cache is at least 1 wide, not " << width;
  if (!elementType.isF32() && !elementType.isBF16() && !elementType.isF64() &&
      !elementType.isInteger(8))
    return emitError() << "a cache holds f32, bf16, f64 or i8, not " << elementType;
  return success();
}

LogicalResult SelectionType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t limit) {
  if (limit < 1)
    return emitError() << "a selection keeps at least 1 key, not " << limit;
  return success();
}

LogicalResult RoutingType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t experts,
                                  int64_t topK) {
  if (topK < 1 || topK > experts)
    return emitError() << "a routing chooses between 1 and all " << experts << " experts, not "
                       << topK;
  return success();
}
