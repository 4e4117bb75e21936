// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/compiler/mutations/Mutation.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;

namespace glm::mutations {
namespace {

/// The indexer's rotations take the first elements of a head, those of attention the last.
bool ofIndexer(model::RopeOp op) {
  auto slice = op.getX().getDefiningOp<model::SliceOp>();
  return slice && slice.getBegin() == 0;
}
bool ofAttention(model::RopeOp op) { return !ofIndexer(op); }

void pairHalves(model::RopeOp op) { op.setPairing(model::Pairing::Half); }

/// Exchanges which elements are rotated and which passed through.
void rotateLast(model::RopeOp op) {
  auto concat = cast<model::ConcatOp>(*op.getResult().getUsers().begin());
  auto rotated = op.getX().getDefiningOp<model::SliceOp>();
  auto passed = concat.getY().getDefiningOp<model::SliceOp>();
  std::swap(rotated.getProperties().begin, passed.getProperties().begin);
  concat.getXMutable().assign(passed.getResult());
  concat.getYMutable().assign(op.getResult());
  passed->moveBefore(rotated);
}

/// `value` computed again with `with` in the place of `root`, which it depends on or not.
Value recompute(OpBuilder &b, Value value, Value root, Value with) {
  if (value == root)
    return with;
  Operation *op = value.getDefiningOp();
  if (!op)
    return value;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(recompute(b, operand, root, with));
  if (llvm::equal(operands, op->getOperands()))
    return value;
  Operation *copy = b.clone(*op);
  copy->setOperands(operands);
  return copy->getResult(0);
}

/// `max(0, x) - max(0, -x)` is `x`: the scores of the negated query with the negated weights are
/// what the ReLU took away.
void withoutRelu(model::IndexScoresOp op) {
  OpBuilder b(op);
  Value projection = op.getQ();
  while (!projection.getDefiningOp<model::LinearOp>())
    projection = projection.getDefiningOp()->getOperand(0);
  Value query = recompute(b, op.getQ(), projection, times(b, projection, -1));
  b.setInsertionPointAfter(op);
  Value taken = model::IndexScoresOp::create(b, op.getLoc(), op.getType(), query,
                                             times(b, op.getWeights(), -1), op.getKeys(),
                                             op.getRows(), op.getScaleAttr());
  auto sum = model::AddOp::create(b, op.getLoc(), op.getType(), op.getResult(), taken);
  op.getResult().replaceAllUsesExcept(sum, sum);
}

/// A selection wide enough for every key.
void selectAll(ModuleOp module) {
  auto all = model::SelectionType::get(module.getContext(), 4096);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](model::SelectionType) -> Type { return all; });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

void smallTheta(model::RopeAnglesOp op) { op.setTheta(llvm::APFloat(1e4)); }

Change keyNormEps(double eps) {
  return each<model::LayerNormOp>([=](model::LayerNormOp op) { op.setEps(llvm::APFloat(eps)); });
}

} // namespace

std::vector<Mutation> attentionMutations() {
  return {
      {"None", [](ModuleOp) {}, {2.008894, -1.247245, 1.153684, 1.914419}, 0, 0, true},
      {"IndexerPairsHalves",
       each<model::RopeOp>(pairHalves, ofIndexer),
       {2.487975, -2.360912, 3.896437, 1.891026},
       0,
       8.9,
       true},
      {"IndexerRotatesTheLastElements",
       each<model::RopeOp>(rotateLast, ofIndexer),
       {3.581815, -1.574633, 3.028712, 0.569725},
       0,
       11.4,
       true},
      {"IndexerWithoutRelu",
       each<model::IndexScoresOp>(withoutRelu),
       {0.124484, -0.265631, 4.496815, 0.481956},
       0,
       11.5},
      {"EveryKeySelected", selectAll, {0.325096, -5.560007, 0.938764, 3.599164}, 0, 8.9, true},
      {"AttentionPairsHalves",
       each<model::RopeOp>(pairHalves, ofAttention),
       {1.464867, -1.218389, 3.525945, 0.337807},
       7.3,
       7.2,
       true},
      // Happens to flip no selection: the table says so.
      {"KeyNormEps", keyNormEps(1e-5), {2.008894, -1.247245, 1.153684, 1.914419}, 0, 0},
      {"Theta",
       each<model::RopeAnglesOp>(smallTheta),
       {4.853191, -0.895616, 3.778463, 1.983253},
       0.25,
       8.3,
       true},
  };
}

} // namespace glm::mutations
