// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a mistake looks like. T1 has a table of the logits that common mistakes give (float64, from
// another implementation); each mistake is made here by changing the imported IR, and gives just
// those logits. It shows that every attribute of the ops means something and that it means what it
// should.
#include "compiler/import/Glm5.h"
#include "compiler/interpret/Evaluate.h"
#include "dialects/glm/Glm.h"
#include "tools/npy/Npy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <unistd.h>

using namespace glm;
using namespace mlir;

namespace {

/// Rows that see no more keys than are selected: a wrong selection cannot be seen in them.
constexpr size_t shortRows = 6;

class T1 : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = testing::TempDir() + "t1-mutations-" + std::to_string(getpid());
    std::string command = std::string(GLM_PYTHON) + " " + GLM_MAKE_T1 + " " + folder;
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_FALSE(npy::readIds(folder + "/tokens.npy", tokens));
    unchanged = logits({}, [](ModuleOp) {});
  }

  static void TearDownTestSuite() { std::filesystem::remove_all(folder); }

  /// Logits [20, 96] of T1 after a change of its module.
  static std::vector<double> logits(const ImportOptions &options,
                                    const std::function<void(ModuleOp)> &change) {
    MLIRContext context;
    context.loadDialect<arith::ArithDialect>();
    auto module = importCheckpoint(folder, options, context);
    EXPECT_TRUE(module.ok()) << module.status();
    change(**module);
    EXPECT_TRUE(succeeded(verify(**module)));
    auto session = interpret::Session::open(**module, folder, /*f64=*/true);
    auto result = interpret::promptLogits(*session, tokens, 256);
    EXPECT_TRUE(result.ok()) << result.status();
    return result->reals;
  }

  /// The change gives these logits in row 19, deviates by `early` in the short rows and by `late`
  /// in the others.
  static void expect(const std::vector<double> &row19, double early, double late,
                     const std::function<void(ModuleOp)> &change,
                     const ImportOptions &options = {}) {
    std::vector<double> got = logits(options, change);
    for (size_t i = 0; i < row19.size(); ++i)
      EXPECT_NEAR(got[19 * 96 + i], row19[i], 1e-4) << "logit " << i;
    double worst[2] = {0, 0};
    for (size_t i = 0; i < got.size(); ++i) {
      double &largest = worst[i / 96 >= shortRows];
      largest = std::max(largest, std::abs(got[i] - unchanged[i]));
    }
    EXPECT_NEAR(worst[0], early, 0.06);
    EXPECT_NEAR(worst[1], late, 0.06);
  }

  /// Changes every op of a kind for which `which` is true.
  template <typename Op>
  static std::function<void(ModuleOp)>
  each(std::function<void(Op)> change, std::function<bool(Op)> which = [](Op) { return true; }) {
    return [=](ModuleOp module) {
      int changed = 0;
      module.walk([&](Op op) {
        if (which(op)) {
          change(op);
          ++changed;
        }
      });
      EXPECT_GT(changed, 0);
    };
  }

  static inline std::string folder;
  static inline std::vector<int64_t> tokens;
  static inline std::vector<double> unchanged;
};

/// The indexer's rotations take the first elements of a head, those of attention the last.
bool ofIndexer(model::RopeOp op) {
  auto slice = op.getX().getDefiningOp<model::SliceOp>();
  return slice && slice.getBegin() == 0;
}

void turnPairing(model::RopeOp op) { op.setPairing(model::Pairing::Half); }

TEST_F(T1, Unchanged) {
  expect({2.008894, -1.247245, 1.153684, 1.914419}, 0, 0, [](ModuleOp) {});
}

TEST_F(T1, IndexerPairsHalves) {
  expect({2.487975, -2.360912, 3.896437, 1.891026}, 0, 8.9,
         each<model::RopeOp>(turnPairing, ofIndexer));
}

TEST_F(T1, IndexerRotatesTheLastElements) {
  auto swap = [](model::RopeOp op) {
    auto concat = cast<model::ConcatOp>(*op.getResult().getUsers().begin());
    auto rotated = op.getX().getDefiningOp<model::SliceOp>();
    auto passed = concat.getY().getDefiningOp<model::SliceOp>();
    std::swap(rotated.getProperties().begin, passed.getProperties().begin);
    concat.getXMutable().assign(passed.getResult());
    concat.getYMutable().assign(op.getResult());
    passed->moveBefore(rotated);
  };
  expect({3.581815, -1.574633, 3.028712, 0.569725}, 0, 11.4, each<model::RopeOp>(swap, ofIndexer));
}

TEST_F(T1, AttentionPairsHalves) {
  expect({1.464867, -1.218389, 3.525945, 0.337807}, 7.3, 7.2,
         each<model::RopeOp>(turnPairing, [](model::RopeOp op) { return !ofIndexer(op); }));
}

TEST_F(T1, EveryKeySelected) {
  auto widen = [](ModuleOp module) {
    auto all = model::SelectionType::get(module.getContext(), 4096);
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](model::SelectionType) -> Type { return all; });
    replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    module.walk([&](model::SelectionIdsOp op) {
      op.getResult().setType(RankedTensorType::get({ShapedType::kDynamic, 4096},
                                                   IntegerType::get(module.getContext(), 32)));
    });
    // The draft entries speak of the selection's width; nobody asks for them here.
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (function.getName().starts_with("draft"))
        function.erase();
  };
  expect({0.325096, -5.560007, 0.938764, 3.599164}, 0, 8.9, widen);
}

TEST_F(T1, LatentNormEps) {
  ImportOptions options;
  options.latentNormEps = 1e-6;
  expect({1.376916, -2.716476, 3.819891, 1.065768}, 0.65, 4.7, [](ModuleOp) {}, options);
}

TEST_F(T1, InputNormEps) {
  // The first norm of a layer function reads the residual stream itself.
  auto first = [](model::RmsNormOp op) {
    auto function = op->getParentOfType<func::FuncOp>();
    return function.isPrivate() && op.getX() == function.getArgument(0);
  };
  expect(
      {2.402631, -3.559881, 2.374030, 2.280813}, 0.86, 6.2,
      each<model::RmsNormOp>([](model::RmsNormOp op) { op.setEps(llvm::APFloat(1e-6)); }, first));
}

TEST_F(T1, KeyNormEpsHappensToChangeNothing) {
  expect({2.008894, -1.247245, 1.153684, 1.914419}, 0, 0,
         each<model::LayerNormOp>([](model::LayerNormOp op) { op.setEps(llvm::APFloat(1e-5)); }));
}

TEST_F(T1, CorrectionBiasIgnored) {
  auto ignore = [](model::RouteOp op) {
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getBias().getType());
    auto zero = DenseElementsAttr::get(type, builder.getZeroAttr(type.getElementType()));
    op.getBiasMutable().assign(arith::ConstantOp::create(builder, op.getLoc(), zero));
  };
  expect({1.800699, -1.227874, 2.657069, 3.061302}, 4.2, 6.4, each<model::RouteOp>(ignore));
}

TEST_F(T1, WeightsNotNormalised) {
  expect({1.286136, -3.343502, 1.988095, -0.882541}, 6.5, 6.2,
         each<model::RouteOp>([](model::RouteOp op) { op.setNormalize(false); }));
}

TEST_F(T1, OneGroup) {
  expect({1.161663, -1.182531, 0.437311, 1.922669}, 4.8, 6.6,
         each<model::RouteOp>([](model::RouteOp op) {
           op.setGroups(1);
           op.setKeptGroups(1);
         }));
}

TEST_F(T1, ScaleOnSharedExpertToo) {
  auto scale = [](model::CombineOp op) {
    auto sum = cast<model::AddOp>(*op.getResult().getUsers().begin());
    Value shared = sum.getX() == op.getResult() ? sum.getY() : sum.getX();
    auto down = cast<model::LinearOp>(shared.getDefiningOp());
    // A linear with 2.5 on the diagonal in front of the last one.
    OpBuilder builder(down);
    auto type = cast<RankedTensorType>(down.getX().getType());
    int64_t width = type.getDimSize(1);
    std::vector<float> diagonal(width * width);
    for (int64_t i = 0; i < width; ++i)
      diagonal[i * width + i] = 2.5f;
    auto square = RankedTensorType::get({width, width}, builder.getF32Type());
    Value matrix = arith::ConstantOp::create(
        builder, op.getLoc(), DenseElementsAttr::get(square, llvm::ArrayRef(diagonal)));
    Value scaled = model::LinearOp::create(builder, op.getLoc(), type, down.getX(), matrix);
    down.getXMutable().assign(scaled);
  };
  expect({5.378885, -3.156130, 2.312427, 3.435526}, 4.3, 7.1, each<model::CombineOp>(scale));
}

TEST_F(T1, Theta) {
  expect(
      {4.853191, -0.895616, 3.778463, 1.983253}, 0.25, 8.3,
      each<model::RopeAnglesOp>([](model::RopeAnglesOp op) { op.setTheta(llvm::APFloat(1e4)); }));
}

// The prompt at once, in chunks and token by token: the same bits.
TEST_F(T1, ChunksChangeNothing) {
  MLIRContext context;
  auto module = importCheckpoint(folder, {}, context);
  ASSERT_TRUE(module.ok());
  for (bool f64 : {false, true}) {
    auto once = interpret::Session::open(**module, folder, f64);
    std::vector<double> whole = interpret::promptLogits(*once, tokens, 256)->reals;
    for (int64_t chunk : {1, 3, 7, 19}) {
      auto session = interpret::Session::open(**module, folder, f64);
      EXPECT_EQ(interpret::promptLogits(*session, tokens, chunk)->reals, whole) << chunk;
    }
  }
}

// Two sequences in one batch do not see each other.
TEST_F(T1, SlotsAreApart) {
  MLIRContext context;
  auto module = importCheckpoint(folder, {}, context);
  ASSERT_TRUE(module.ok());
  auto session = interpret::Session::open(**module, folder, true);
  interpret::Rows rows;
  interpret::Array logitRows;
  for (int32_t i = 0; i < 20; ++i) {
    rows.push_back({int32_t(tokens[i]), 0, i});
    rows.push_back({int32_t(tokens[19 - i]), 5, i});
    logitRows.integers.push_back(2 * i);
  }
  logitRows.shape = {20};
  auto results = session->run("step", rows, {{"logit_rows", logitRows}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->at("logits").reals, unchanged);
}

} // namespace
