// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

using namespace mlir;
using namespace glm;
using namespace glm::program;

#define GET_OP_CLASSES
#include "dialects/program/MemoryOps.cpp.inc"

void ProgramDialect::addMemoryOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/program/MemoryOps.cpp.inc"
      >();
}

LogicalResult BufferOp::verify() {
  kernel::BufferType type = getResult().getType();
  bool dynamic = !type.getShape().empty() && ShapedType::isDynamic(type.getShape().front());
  // C1.
  if (dynamic != getDim().has_value())
    return dynamic ? emitOpError("needs the name of its dynamic dimension in `dim`")
                   : emitOpError("has `dim` but no dynamic dimension in ") << type;
  // C2.
  if (type.getLayout())
    return emitOpError("holds intermediate values, which have no layout, not ") << type;
  // C3.
  if (getOffset().has_value() != getSize().has_value())
    return emitOpError("has one of `at` and `size`; they come together");
  return success();
}

namespace {
bool isStatic(ArrayRef<int64_t> shape) { return !ShapedType::isDynamicShape(shape); }

ArrayRef<int64_t> shapeOf(Type type) {
  if (auto buffer = dyn_cast<kernel::BufferType>(type))
    return buffer.getShape();
  return cast<kernel::BankType>(type).getShape();
}
} // namespace

LogicalResult WeightRefOp::verify() {
  ArrayRef<int64_t> shape = getResult().getType().getShape();
  // C1.
  if (!isStatic(shape))
    return emitOpError("a weight is static, not ") << getResult().getType();
  // C2.
  if (getDerive() && shape.size() != 3)
    return emitOpError("rows of heads have three dimensions, not ") << shape.size();
  return success();
}

LogicalResult PackOp::verify() {
  Type from = getWeight().getType(), to = getResult().getType();
  // C1.
  if (from.getTypeID() != to.getTypeID())
    return emitOpError("does not turn ") << from << " into " << to;
  if (!isStatic(shapeOf(from)) || !isStatic(shapeOf(to)))
    return emitOpError("a weight is static, but ") << from << " becomes " << to;
  // C2.
  if (!getDerive() && !getQuantize() && shapeOf(from) != shapeOf(to) &&
      (kernel::layoutOf(to) || !differInOnes(shapeOf(from), shapeOf(to))))
    return emitOpError("keeps the shape, but ") << from << " becomes " << to;
  if (getDerive() && (shapeOf(from).size() != 2 || shapeOf(to).size() != 3))
    return emitOpError("takes rows of heads out of a matrix, but ") << from << " becomes " << to;
  // C3.
  if (bool(getScales()) != getBlock().has_value())
    return emitOpError("has one of `scales` and `block`; they come together");
  return success();
}

/// pack(weight_ref @w : plain) -> packed  ⇒  weight_ref @w : packed. References that already derive
/// or pack are left: packing twice has no meaning and verify-placement says so.
LogicalResult PackOp::canonicalize(PackOp op, PatternRewriter &rewriter) {
  if (auto bank = op.getWeight().getDefiningOp<BankRefOp>()) {
    if (bank.getResult().getType().getLayout())
      return rewriter.notifyMatchFailure(op, "the bank is packed already");
    rewriter.replaceOpWithNewOp<BankRefOp>(op, op.getResult().getType(), bank.getBankAttr(),
                                           op.getQuantizeAttr());
    return success();
  }
  auto weight = op.getWeight().getDefiningOp<WeightRefOp>();
  if (!weight || weight.getDerive() || weight.getResult().getType().getLayout())
    return rewriter.notifyMatchFailure(op, "the operand is no plain reference");
  FlatSymbolRefAttr scales;
  if (op.getScales()) {
    auto reference = op.getScales().getDefiningOp<WeightRefOp>();
    if (!reference)
      return rewriter.notifyMatchFailure(op, "the scales are no plain reference");
    scales = reference.getWeightAttr();
  }
  rewriter.replaceOpWithNewOp<WeightRefOp>(op, op.getResult().getType(), weight.getWeightAttr(),
                                           op.getDeriveAttr(), scales, op.getBlockAttr(),
                                           op.getQuantizeAttr());
  return success();
}
