// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/kernel/Verify.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace glm::kernel {

static bool agree(int64_t actual, int64_t expected) {
  return ShapedType::isDynamic(expected) || actual == expected;
}

LogicalResult checkTile(Operation *op, StringRef name, TileType tile, int64_t rows,
                        int64_t columns) {
  if (agree(tile.getRows(), rows) && agree(tile.getColumns(), columns))
    return success();
  InFlightDiagnostic error = op->emitOpError() << name << " is " << tile.getRows() << "x"
                                               << tile.getColumns() << ", expected ";
  for (auto [size, separator] : {std::pair(rows, "x"), std::pair(columns, "")}) {
    if (ShapedType::isDynamic(size))
      error << "?" << separator;
    else
      error << size << separator;
  }
  return error;
}

LogicalResult checkElement(Operation *op, StringRef name, Type type, Type expected) {
  if (elementOf(type) == expected)
    return success();
  return op->emitOpError() << name << " holds " << elementOf(type) << ", expected " << expected;
}

LogicalResult checkIndices(Operation *op, Type memory, size_t indices) {
  if (int64_t(indices) == rankOf(memory))
    return success();
  return op->emitOpError() << "expected " << rankOf(memory) << " indices into " << memory
                           << ", found " << indices;
}

Type yielded(Operation *op, unsigned index) {
  return op->getRegion(0).front().getTerminator()->getOperand(index).getType();
}

LogicalResult checkRegion(Operation *op, TypeRange types, size_t results) {
  Block &block = op->getRegion(0).front();
  if (block.getArgumentTypes() != types) {
    InFlightDiagnostic error = op->emitOpError("the region takes (");
    llvm::interleaveComma(block.getArgumentTypes(), error);
    error << "), expected (";
    llvm::interleaveComma(types, error);
    return error << ")";
  }
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getNumOperands() != results)
    return op->emitOpError("the region must end in kernel.yield of ")
           << results << (results == 1 ? " value" : " values");
  return success();
}

} // namespace glm::kernel
