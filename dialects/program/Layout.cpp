// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/program/Layout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm;

int64_t program::elementBytes(Type type) {
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

int64_t program::matrixBytes(int64_t rows, int64_t columns, Type element, Attribute layout) {
  if (auto panels = dyn_cast_or_null<kernel::PanelsAttr>(layout)) {
    rows = llvm::alignTo(rows, panels.getN());
    columns = llvm::alignTo(columns, panels.getK());
  }
  return llvm::divideCeil(rows * columns * int64_t(element.getIntOrFloatBitWidth()), 8);
}

int64_t program::bytesPerRow(kernel::BufferType type) {
  int64_t elements = 1;
  for (int64_t size : type.getShape().drop_front())
    elements *= size;
  return elements * elementBytes(type.getElementType());
}

int64_t program::packedBytes(kernel::BufferType type) {
  ArrayRef<int64_t> shape = type.getShape();
  if (!type.getLayout() || shape.size() < 2)
    return shape.empty() ? elementBytes(type.getElementType()) : shape.front() * bytesPerRow(type);
  int64_t matrices = 1;
  for (int64_t size : shape.drop_back(2))
    matrices *= size;
  return matrices * matrixBytes(shape[shape.size() - 2], shape.back(), type.getElementType(),
                                type.getLayout());
}

int64_t program::expertBytes(kernel::BankType type) {
  return matrixBytes(type.getShape()[1], type.getShape()[2], type.getElementType(),
                     type.getLayout());
}

int64_t program::rowBytes(kernel::CacheType type) {
  return type.getWidth() * elementBytes(type.getElementType());
}

bool program::differInOnes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  auto isMore = [](int64_t size) { return size != 1; };
  return llvm::equal(llvm::make_filter_range(a, isMore), llvm::make_filter_range(b, isMore));
}

std::string program::layoutName(Attribute layout) {
  if (auto panels = dyn_cast_or_null<kernel::PanelsAttr>(layout))
    return "panels<" + std::to_string(panels.getN()) + "," + std::to_string(panels.getK()) + ">";
  if (auto lines = dyn_cast_or_null<kernel::LinesAttr>(layout))
    return "lines<" + std::to_string(lines.getRows()) + ">";
  return "rows";
}
