// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every mistake of Mutation.h, interpreted in f64: the logits of the table to its last digit.
#include "compiler/interpret/Evaluate.h"
#include "test/compiler/mutations/T1.h"

using namespace mlir;

namespace glm::mutations {
namespace {

template <typename Base> struct InterpretedT1 : T1<Base> {
  static std::vector<double> logits(const Change &change) {
    MLIRContext context;
    auto module = T1<Base>::import(context, change);
    auto session = interpret::Session::open(*module, T1<Base>::folder, /*f64=*/true);
    auto result = interpret::promptLogits(*session, T1<Base>::tokens, 256);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->reals : std::vector<double>(promptRows * vocabulary);
  }
};
using Interpreted = InterpretedT1<testing::TestWithParam<Mutation>>;
using KeyNorm = InterpretedT1<testing::Test>;

/// A deviation of two digits; 0 is not one bit.
void expectDeviation(double deviation, double stated) {
  if (stated == 0)
    EXPECT_EQ(deviation, 0);
  else
    EXPECT_NEAR(deviation, stated, stated < 1 ? 0.006 : 0.06);
}

TEST_P(Interpreted, GivesTheTablesLogits) {
  std::vector<double> got = logits(GetParam().change), unchanged = logits([](ModuleOp) {});
  expectRow(got, lastRow, GetParam().row19, 2e-6);
  double worst[2] = {0, 0};
  for (size_t i = 0; i < got.size(); ++i) {
    double &largest = worst[i / vocabulary >= shortRows];
    largest = std::max(largest, std::abs(got[i] - unchanged[i]));
  }
  expectDeviation(worst[0], GetParam().early);
  expectDeviation(worst[1], GetParam().late);
}

// 1e-5 in the indexer's norm flips no selection of T1, which says little; more of it does.
TEST_F(KeyNorm, EpsMeansSomething) {
  auto got = logits(
      each<model::LayerNormOp>([](model::LayerNormOp op) { op.setEps(llvm::APFloat(1e-2)); }));
  auto unchanged = logits([](ModuleOp) {});
  size_t early = shortRows * vocabulary;
  EXPECT_TRUE(std::equal(got.begin(), got.begin() + long(early), unchanged.begin()));
  EXPECT_FALSE(std::equal(got.begin() + long(early), got.end(), unchanged.begin() + long(early)));
}

auto nameOf = [](const auto &info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Attention, Interpreted, testing::ValuesIn(attentionMutations()), nameOf);
INSTANTIATE_TEST_SUITE_P(FeedForward, Interpreted, testing::ValuesIn(feedForwardMutations()),
                         nameOf);

} // namespace
} // namespace glm::mutations
