// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linears by what they read: rows that are only rounded in front of a linear are the same rows.
#include "passes/fuse/FusionCheck.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace glm {
#define GEN_PASS_DEF_FUSEMLAPROLOGUE
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// What the rows were before they were rounded.
Value sourceOf(Value rows) {
  while (auto cast = rows.getDefiningOp<CastOp>())
    rows = cast.getX();
  return rows;
}

/// Whether `value` exists in front of `first`, perhaps after its rounding has moved there.
bool isAvailable(Value value, Operation *first) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != first->getBlock() || op->isBeforeInBlock(first))
    return true;
  return isa<CastOp>(op) && isAvailable(op->getOperand(0), first);
}

void makeAvailable(Value value, Operation *first) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != first->getBlock() || op->isBeforeInBlock(first))
    return;
  makeAvailable(op->getOperand(0), first);
  op->moveBefore(first);
}

/// Why a linear cannot be part of a group at all, or nullptr.
const char *whyAlone(LinearOp op) {
  Type rows = getElementTypeOrSelf(op.getX().getType());
  Type weight = getElementTypeOrSelf(op.getWeight().getType());
  if (!isa<FloatType>(rows) || !isa<FloatType>(weight))
    return "its weight is quantised";
  if (rows != weight)
    return "the element types of its rows and its weight differ";
  if (op->hasOneUse() && isa<CastOp>(*op->user_begin()))
    return "its result is rounded where it is written";
  return nullptr;
}

struct FuseMlaPrologue : glm::impl::FuseMlaPrologueBase<FuseMlaPrologue> {
  using FuseMlaPrologueBase::FuseMlaPrologueBase;

  void runOnOperation() override {
    llvm::MapVector<std::pair<Block *, Value>, SmallVector<LinearOp>> readers;
    getOperation().walk(
        [&](LinearOp op) { readers[{op->getBlock(), sourceOf(op.getX())}].push_back(op); });
    FusionCheck check(verify);
    for (auto &[key, linears] : readers)
      if (linears.size() > 1)
        visit(linears, check);
    compared += check.compared();
    if (check.failed())
      signalPassFailure();
  }

private:
  void visit(ArrayRef<LinearOp> linears, FusionCheck &check) {
    SmallVector<LinearOp> members;
    for (LinearOp op : linears) {
      const char *reason = whyAlone(op);
      if (!reason && !members.empty() &&
          !(isAvailable(op.getX(), members.front()) &&
            isAvailable(op.getWeight(), members.front())))
        reason = "its weight is computed behind the first reader of its rows";
      if (reason)
        keep(op, reason);
      else
        members.push_back(op);
    }
    if (members.size() > 1)
      fuse(members, check);
    else if (members.size() == 1)
      keep(members.front(), "no other linear of its rows can join it");
  }

  void keep(LinearOp op, const char *reason) {
    op.emitRemark("glm-fuse-mla-prologue: kept alone: ") << reason;
    ++kept;
  }

  void fuse(ArrayRef<LinearOp> members, FusionCheck &check) {
    SmallVector<Value> rows, weights;
    SmallVector<Type> types;
    LinearOp first = members.front();
    for (LinearOp op : members) {
      for (Value operand : op->getOperands())
        makeAvailable(operand, first);
      rows.push_back(op.getX());
      weights.push_back(op.getWeight());
      types.push_back(op.getType());
    }
    first.emitRemark("glm-fuse-mla-prologue: fused ")
        << members.size() << " linears of the same rows into one group";
    IRRewriter rewriter(&getContext());
    rewriter.setInsertionPoint(first);
    auto group = LinearGroupOp::create(rewriter, first.getLoc(), types, rows, weights);
    SmallVector<Value> leaves(rows);
    leaves.append(weights);
    for (auto [index, member] : llvm::enumerate(members)) {
      LinearOp op = member;
      Value result = group.getResult(index);
      check.compare(op, result, leaves);
      rewriter.replaceOp(op, result);
    }
    fused += members.size();
  }
};

} // namespace
