// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/glm/Verify.h"

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

LogicalResult checkAbove(Operation *op, StringRef name, llvm::APFloat value, double bound) {
  double number = value.convertToDouble();
  if (value.isFinite() && number > bound)
    return success();
  return op->emitOpError() << name << " must be greater than " << int64_t(bound) << ", is "
                           << number;
}

SmallVector<int64_t> withWidth(Type type, int64_t last) {
  SmallVector<int64_t> shape(cast<ShapedType>(type).getShape());
  shape.back() = last;
  return shape;
}

} // namespace glm::model
