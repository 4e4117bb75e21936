// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/compiler/mutations/Mutation.h"

#include <cmath>

using namespace mlir;

namespace glm::mutations {
namespace {

/// The first norm of a layer function reads the residual stream itself.
bool ofInput(model::RmsNormOp op) {
  auto function = op->getParentOfType<func::FuncOp>();
  return function.isPrivate() && op.getX() == function.getArgument(0);
}

/// Norms of latents are narrower than the residual stream.
bool ofLatent(model::RmsNormOp op) {
  auto function = op->getParentOfType<func::FuncOp>();
  return function.isPrivate() && op.getX().getType() != function.getArgument(0).getType();
}

void smallEps(model::RmsNormOp op) { op.setEps(llvm::APFloat(1e-6)); }

void ignoreBias(model::RouteOp op) {
  OpBuilder b(op);
  auto type = cast<RankedTensorType>(op.getBias().getType());
  auto zero = DenseElementsAttr::get(type, b.getZeroAttr(type.getElementType()));
  op.getBiasMutable().assign(arith::ConstantOp::create(b, op.getLoc(), zero));
}

void oneGroup(model::RouteOp op) {
  op.setGroups(1);
  op.setKeptGroups(1);
}

/// 2.5 in front of the shared expert's last linear.
void scaleShared(model::CombineOp op) {
  auto sum = cast<model::AddOp>(*op.getResult().getUsers().begin());
  Value shared = sum.getX() == op.getResult() ? sum.getY() : sum.getX();
  auto down = cast<model::LinearOp>(shared.getDefiningOp());
  OpBuilder b(down);
  down.getXMutable().assign(times(b, down.getX(), 2.5f));
}

/// Weights `s + bias` instead of `s`, over their sum, out of ops that know no such thing.
class LeakedBias {
public:
  LeakedBias(model::CombineOp combine)
      : combine(combine), route(combine.getRouting().getDefiningOp<model::RouteOp>()), b(combine),
        loc(combine.getLoc()), experts(route.getType().getExperts()) {}

  void write() {
    // A column of ones beside the experts' results, to sum up the weights alone.
    Value x = combine.getX();
    int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(1);
    Value both = model::ConcatOp::create(b, loc, matrix(width + 1), x, constantRows(x, 1, 1));
    Value biased = biasedScores(), more = weighted(both, biased, 2),
          less = weighted(both, biased, 1);
    Value sums = model::AddOp::create(b, loc, more.getType(), times(b, more, 1 / slope),
                                      times(b, less, -1 / slope));
    Value results = model::SliceOp::create(b, loc, matrix(width), sums, b.getI64IntegerAttr(0));
    Value total = model::SliceOp::create(b, loc, matrix(1), sums, b.getI64IntegerAttr(width));
    std::vector<float> ones(size_t(width), float(route.getScale().convertToDouble()));
    Value factor = model::LinearOp::create(b, loc, matrix(width), reciprocal(total),
                                           constant(b, loc, {width, 1}, ones));
    Value scaled = model::MultiplyOp::create(b, loc, results.getType(), results, factor);
    combine.getResult().replaceAllUsesWith(scaled);
    combine.erase();
  }

private:
  /// Small enough for the sigmoid to be a straight line, a power of two to lose no bits.
  static constexpr float slope = 1.0f / 1024;

  RankedTensorType matrix(int64_t width) {
    return RankedTensorType::get({ShapedType::kDynamic, width}, b.getF32Type());
  }

  /// As many rows as `like`, every element `value`: a layer norm of nothing gives its bias.
  Value constantRows(Value like, int64_t width, float value) {
    int64_t from = cast<RankedTensorType>(like.getType()).getDimSize(1);
    Value nothing = model::LinearOp::create(
        b, loc, matrix(width), like,
        constant(b, loc, {width, from}, std::vector<float>(size_t(width * from))));
    Value values = constant(b, loc, {width}, std::vector<float>(size_t(width), value));
    return model::LayerNormOp::create(b, loc, matrix(width), nothing, values, values,
                                      b.getF64FloatAttr(1));
  }

  Value zeroBias() { return constant(b, loc, {experts}, std::vector<float>(size_t(experts))); }

  /// `s + bias` of all experts: a route that chooses them all gives its sigmoids as weights.
  Value biasedScores() {
    auto all = model::RoutingType::get(b.getContext(), experts, experts);
    Value every =
        model::RouteOp::create(b, loc, all, route.getLogits(), zeroBias(), b.getI64IntegerAttr(1),
                               b.getI64IntegerAttr(1), b.getF64FloatAttr(1), UnitAttr());
    Value scores = model::RoutingWeightsOp::create(b, loc, matrix(experts), every);
    Value bias = route.getBias(), zeros = times(b, scores, 0);
    Value spread = model::LayerNormOp::create(b, loc, matrix(experts), zeros, bias, bias,
                                              b.getF64FloatAttr(1));
    return model::AddOp::create(b, loc, matrix(experts), scores, spread);
  }

  /// `sum over the chosen e of w_e x_e` with `w_e = 4 sigmoid(factor * slope * biased_e)`, which is
  /// `2 + factor * slope * biased_e`. The choice is that of the original.
  Value weighted(Value x, Value biased, float factor) {
    Value chosen = model::RouteOp::create(
        b, loc, route.getType(), times(b, biased, factor * slope), zeroBias(),
        route.getGroupsAttr(), route.getKeptGroupsAttr(), b.getF64FloatAttr(4), UnitAttr());
    return model::CombineOp::create(b, loc, x.getType(), x, chosen);
  }

  /// `1 / x` of a positive column: a norm over two elements divides the smaller by the larger.
  Value reciprocal(Value x) {
    constexpr float small = 1.0f / (1 << 20);
    Value pair = model::ConcatOp::create(b, loc, matrix(2), constantRows(x, 1, small), x);
    Value gain = constant(b, loc, {2}, {float(std::sqrt(0.5)) / small, 1});
    Value normed =
        model::RmsNormOp::create(b, loc, matrix(2), pair, gain, b.getF64FloatAttr(1e-30));
    return model::SliceOp::create(b, loc, matrix(1), normed, b.getI64IntegerAttr(0));
  }

  model::CombineOp combine;
  model::RouteOp route;
  OpBuilder b;
  Location loc;
  int64_t experts;
};

void leakBias(model::CombineOp op) { LeakedBias(op).write(); }

} // namespace

std::vector<Mutation> feedForwardMutations() {
  return {
      {"LatentNormEps",
       each<model::RmsNormOp>(smallEps, ofLatent),
       {1.376916, -2.716476, 3.819891, 1.065768},
       0.65,
       4.7},
      {"InputNormEps",
       each<model::RmsNormOp>(smallEps, ofInput),
       {2.402631, -3.559881, 2.374030, 2.280813},
       0.86,
       6.2},
      {"CorrectionBiasIgnored",
       each<model::RouteOp>(ignoreBias),
       {1.800699, -1.227874, 2.657069, 3.061302},
       4.2,
       6.4},
      {"BiasLeaksIntoWeights",
       each<model::CombineOp>(leakBias),
       {1.291314, -1.379759, 0.652748, 1.881638},
       3.3,
       3.3},
      {"WeightsNotNormalised",
       each<model::RouteOp>([](model::RouteOp op) { op.setNormalize(false); }),
       {1.286136, -3.343502, 1.988095, -0.882541},
       6.5,
       6.2},
      {"OneGroup",
       each<model::RouteOp>(oneGroup),
       {1.161663, -1.182531, 0.437311, 1.922669},
       4.8,
       6.6,
       true},
      {"ScaleOnSharedExpertToo",
       each<model::CombineOp>(scaleShared),
       {5.378885, -3.156130, 2.312427, 3.435526},
       4.3,
       7.1},
  };
}

} // namespace glm::mutations
