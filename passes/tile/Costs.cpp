// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/Costs.h"

#include "dialects/glm/Glm.h"
#include "dialects/program/Program.h"
#include "passes/tile/Emit.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm;
using program::Expr;

namespace {

int64_t bytesOf(int64_t elements, Type element) {
  return llvm::divideCeil(elements * kernel::bitWidth(model::storedElement(element)), 8);
}

int64_t bytesOf(RankedTensorType tensor) {
  return bytesOf(tensor.getNumElements(), tensor.getElementType());
}

/// What a product reads beside the codes of a weight.
int64_t bytesBeside(Value weight) {
  auto tied = weight.getDefiningOp<model::QuantizedOp>();
  int64_t bytes = 0;
  for (Value part : tied ? tied->getOperands().drop_front() : ValueRange())
    bytes += bytesOf(cast<RankedTensorType>(part.getType()));
  return bytes;
}

class Coster {
public:
  explicit Coster(kernel::GroupOp group) : context(group.getContext()) {
    auto dim = group->getAttrOfType<StringAttr>("dim");
    rows = dim ? Expr::dim(dim) : count("rows");
  }

  Cost of(Operation *op);

private:
  Expr count(StringRef name) const { return Expr::dim(StringAttr::get(context, name)); }

  Expr flopOf(Operation *op) const;
  Expr weightsOf(Operation *op) const;
  Expr cachedOf(Operation *op) const;
  /// Keys of an indexer's or attention's cache that have to be read, each of `bytes`.
  Expr selectedRows(int64_t bytes) const {
    return min(count("selected_keys"), count("cached_keys")) * bytes;
  }
  static Expr pairs(model::RoutingType routing, const Expr &rows) {
    return rows * routing.getTopK();
  }
  Cost ofSteps(model::Decomposable op);

  MLIRContext *context;
  Expr rows = 0;
};

} // namespace

/// A multiplication and an addition for every element of the right matrix.
Expr Coster::flopOf(Operation *op) const {
  using namespace model;
  return llvm::TypeSwitch<Operation *, Expr>(op)
      .Case([&](LinearOp op) {
        return rows * (2 * sizeAt(op.getWeight(), 0) * sizeAt(op.getWeight(), 1));
      })
      .Case([&](HeadLinearOp op) {
        return rows * (2 * sizeAt(op.getX(), 1) * sizeAt(op.getX(), 2) * sizeAt(op.getResult(), 2));
      })
      .Case([&](ExpertLinearOp op) {
        return pairs(op.getRouting().getType(), count("rows")) *
               (2 * sizeAt(op.getBank(), 1) * sizeAt(op.getBank(), 2));
      })
      .Case([&](IndexScoresOp op) {
        return count("scored_keys") * (2 * sizeAt(op.getQ(), 1) * sizeAt(op.getQ(), 2));
      })
      .Case([&](AttendLatentOp op) {
        int64_t heads = sizeAt(op.getQ(), 1), latent = sizeAt(op.getQ(), 2);
        return count("selected_keys") * (2 * heads * (2 * latent + sizeAt(op.getQRope(), 2)));
      })
      .Default([](Operation *) { return Expr(0); });
}

/// Weights are the operands of known size, with what stands beside their codes.
Expr Coster::weightsOf(Operation *op) const {
  Expr sum = 0;
  model::RoutingType routing;
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<model::RoutingType>(operand.getType()))
      routing = type;
  for (Value operand : op->getOperands()) {
    auto tensor = dyn_cast<RankedTensorType>(operand.getType());
    if (!tensor || !tensor.hasStaticShape())
      continue;
    int64_t first = tensor.getDimSize(0), bytes = bytesOf(tensor) + bytesBeside(operand);
    if (isa<model::EmbedOp>(op))
      sum = sum + rows * (bytes / first);
    else if (routing && first == routing.getExperts()) // one part for each expert that has rows
      sum = sum + min(pairs(routing, count("rows")), first) * (bytes / first);
    else
      sum = sum + bytes;
  }
  return sum;
}

Expr Coster::cachedOf(Operation *op) const {
  using namespace model;
  auto rowBytes = [](Value cache) {
    auto type = cast<CacheType>(cache.getType());
    int64_t scale = type.getElementType().isInteger(8) ? 4 : 0;
    return bytesOf(type.getWidth(), type.getElementType()) + scale;
  };
  return llvm::TypeSwitch<Operation *, Expr>(op)
      .Case([&](IndexScoresOp op) { return count("indexed_keys") * rowBytes(op.getKeys()); })
      .Case([&](GatherOp op) { return selectedRows(rowBytes(op.getCache())); })
      .Case([&](AppendOp op) { return rows * rowBytes(op.getCache()); })
      .Default([](Operation *) { return Expr(0); });
}

/// The steps are written beside the op for as long as it takes to look at them.
Cost Coster::ofSteps(model::Decomposable op) {
  OpBuilder builder(op);
  Operation *before = op->getPrevNode();
  op.decompose(builder);
  Cost sum;
  SmallVector<Operation *> steps;
  for (Operation *step = before ? before->getNextNode() : &op->getBlock()->front(); step != op;
       step = step->getNextNode())
    steps.push_back(step);
  for (Operation *step : steps)
    sum = sum + of(step);
  for (Operation *step : llvm::reverse(steps))
    step->erase();
  return sum;
}

Cost Coster::of(Operation *op) {
  if (auto fused = dyn_cast<model::Decomposable>(op))
    return ofSteps(fused);
  return {flopOf(op), weightsOf(op) + cachedOf(op)};
}

Cost glm::costOf(kernel::GroupOp group) {
  Coster coster(group);
  Cost sum;
  for (Operation &op : group.getBody().front().without_terminator())
    sum = sum + coster.of(&op);
  return sum;
}

void Cost::writeTo(kernel::LaunchOp launch) const {
  auto write = [&](StringRef name, const Expr &expr) {
    if (!launch->hasAttr(name) && expr != Expr(0))
      launch->setAttr(name, expr.toAttribute(launch.getContext()));
  };
  write("flop", flop);
  write("bytes", bytes);
}
