// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/glm/Verify.h"

#include "dialects/glm/Glm.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

#include <string>

using namespace mlir;

namespace glm::model {

static std::string shapeText(ArrayRef<int64_t> shape) {
  auto sizes = llvm::map_range(shape, [](int64_t size) {
    return ShapedType::isDynamic(size) ? std::string("?") : std::to_string(size);
  });
  return "[" + llvm::join(sizes, ", ") + "]";
}

int64_t sizeOf(Type type, int index) {
  ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
  return shape[index < 0 ? shape.size() + index : index];
}

LogicalResult checkShape(Operation *op, StringRef name, Type type, ArrayRef<int64_t> expected) {
  ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
  if (shape.size() == expected.size() && llvm::all_of(llvm::zip(shape, expected), [](auto pair) {
        return agree(std::get<0>(pair), std::get<1>(pair));
      }))
    return success();
  return op->emitOpError() << name << " is " << shapeText(shape) << ", expected "
                           << shapeText(expected);
}

LogicalResult checkElement(Operation *op, StringRef name, Type type, Type expected) {
  if (getElementTypeOrSelf(type) == expected)
    return success();
  return op->emitOpError() << name << " has elements of " << getElementTypeOrSelf(type)
                           << ", expected " << expected;
}

LogicalResult checkSum(Operation *op, Type type) {
  Type element = getElementTypeOrSelf(type);
  if (element.isF32() || element.isF64())
    return success();
  return op->emitOpError() << "result has elements of " << element
                           << ", expected f32 or f64: sums are rounded by glm.cast only";
}

LogicalResult checkFactors(Operation *op, Type x, Type weight) {
  Type left = getElementTypeOrSelf(x), right = getElementTypeOrSelf(weight);
  auto rows = dyn_cast<QuantizedType>(left), codes = dyn_cast<QuantizedType>(right);
  bool integers = codes && codes.getCode().isInteger();
  bool fits = isa<FloatType>(left) ? isa<FloatType>(right) || (codes && !integers)
              : rows ? integers && rows.getCode().isInteger(8) && rows.getRows() == 1 &&
                           rows.getColumns() == sizeOf(x, -1)
                     : integers;
  if (fits)
    return success();
  return op->emitOpError() << "multiplies " << left << " by " << right
                           << ": numbers meet numbers or codes of numbers, integer codes meet "
                              "integer codes with one scale a row";
}

LogicalResult checkAbove(Operation *op, StringRef name, llvm::APFloat value, double bound) {
  double number = value.convertToDouble();
  if (value.isFinite() && number > bound)
    return success();
  return op->emitOpError() << name << " must be greater than " << int64_t(bound) << ", is "
                           << number;
}

LogicalResult checkGroups(Operation *op, int64_t groups, int64_t kept, int64_t experts,
                          int64_t topK) {
  if (groups < 1 || experts % groups != 0)
    return op->emitOpError() << groups << " groups do not divide " << experts << " experts";
  if (kept < 1 || kept > groups)
    return op->emitOpError() << "keeps " << kept << " of " << groups << " groups";
  if (kept * (experts / groups) < topK)
    return op->emitOpError() << "chooses " << topK << " of the " << kept * (experts / groups)
                             << " experts in " << kept << " kept groups";
  return success();
}

SmallVector<int64_t> withWidth(Type type, int64_t last) {
  SmallVector<int64_t> shape(cast<ShapedType>(type).getShape());
  shape.back() = last;
  return shape;
}

} // namespace glm::model
