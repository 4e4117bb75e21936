// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mistakes around the draft layer. They change what is drafted and nothing that is generated, so
// only these numbers show them.
#include "compiler/interpret/Evaluate.h"
#include "test/compiler/mutations/T1.h"

#include <cmath>

using namespace mlir;

namespace glm::mutations {
namespace {

struct Drafts : T1<testing::Test> {
  /// Teacher-forced logits [20, 96] of the draft layer.
  static std::vector<double> logits(const Change &change) {
    MLIRContext context;
    auto module = import(context, change, /*drafts=*/true);
    auto session = interpret::Session::open(*module, folder, /*f64=*/true);
    auto result = interpret::draftLogits(*session, tokens, 256);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->reals : std::vector<double>(promptRows * vocabulary);
  }
};

bool ofDraftEntry(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  return !function.isPrivate() && function.getName().starts_with("draft");
}

const Change nothing = [](ModuleOp) {};

const Change withoutMask = each<model::MaskStartOp>(
    [](model::MaskStartOp op) { op.getResult().replaceAllUsesWith(op.getX()); });

constexpr double digits = 2e-6;

TEST_F(Drafts, Unchanged) {
  auto got = logits(nothing);
  expectRow(got, lastRow, {-0.792877, -0.612773, 3.284071, -2.309754}, digits);
  expectRow(got, 0, {-0.823828, 2.185560, -4.941311, -1.694374}, digits);
}

// The hidden state in front of the model's last norm instead of behind it.
TEST_F(Drafts, HiddenBeforeTheNorm) {
  Change change = [](ModuleOp module) {
    auto step = module.lookupSymbol<func::FuncOp>("step");
    Operation *end = step.getBody().front().getTerminator();
    for (OpOperand &operand : end->getOpOperands())
      if (step.getResultAttrOfType<StringAttr>(operand.getOperandNumber(), "glm.name") == "final")
        operand.set(operand.get().getDefiningOp<model::RmsNormOp>().getX());
  };
  expectRow(logits(change), lastRow, {-1.349638, -1.902596, 2.732099, -2.259123}, digits);
}

// `[hidden; embedding]` instead of `[embedding; hidden]`.
TEST_F(Drafts, HalvesExchanged) {
  auto exchange = [](model::ConcatOp op) {
    Value embedding = op.getX();
    op.getXMutable().assign(op.getY());
    op.getYMutable().assign(embedding);
  };
  auto change =
      each<model::ConcatOp>(exchange, [](model::ConcatOp op) { return ofDraftEntry(op); });
  expectRow(logits(change), lastRow, {0.248069, 4.620513, 2.273085, -1.680695}, digits);
}

// Row 0 shows its embedding; rows that see others hardly notice, the last one not at all.
TEST_F(Drafts, FirstRowNotMasked) {
  auto got = logits(withoutMask);
  expectRow(got, 0, {2.025566, 0.611084, -3.916430, 0.435965}, digits);
  expectRow(got, lastRow, {-0.792877, -0.612773, 3.284071, -2.309754}, digits);
}

// Positions one too far on: no row is at 0 any more, so none is masked, and otherwise rotations are
// relative. The angles are moved by one by the theorem of addition.
TEST_F(Drafts, PositionsMoved) {
  auto move = [](model::RopeAnglesOp op) {
    OpBuilder b(op);
    b.setInsertionPointAfter(op);
    int64_t width = op.getType().getDimSize(1), half = width / 2;
    std::vector<float> matrix(size_t(width * width));
    for (int64_t j = 0; j < half; ++j) {
      double phi = std::pow(op.getTheta().convertToDouble(), -2.0 * double(j) / double(width));
      auto at = [&](int64_t row, int64_t column) -> float & {
        return matrix[size_t(row * width + column)];
      };
      at(j, j) = at(half + j, half + j) = float(std::cos(phi));
      at(j, half + j) = -float(std::sin(phi));
      at(half + j, j) = float(std::sin(phi));
    }
    auto moved = model::LinearOp::create(b, op.getLoc(), op.getType(), op.getResult(),
                                         constant(b, op.getLoc(), {width, width}, matrix));
    op.getResult().replaceAllUsesExcept(moved, moved);
  };
  auto moveAll =
      each<model::RopeAnglesOp>(move, [](model::RopeAnglesOp op) { return ofDraftEntry(op); });
  auto moved = logits([&](ModuleOp module) {
    moveAll(module);
    withoutMask(module);
  });
  auto unmasked = logits(withoutMask);
  ASSERT_EQ(moved.size(), unmasked.size());
  for (size_t i = 0; i < moved.size(); ++i)
    EXPECT_NEAR(moved[i], unmasked[i], 1e-4);
}

} // namespace
} // namespace glm::mutations
