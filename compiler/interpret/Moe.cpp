// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of MoeOps.td compute.
#include "compiler/interpret/Frame.h"

#include "dialects/glm/Glm.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;

namespace glm::interpret {
namespace {

/// The ids of the `count` largest values, equal ones in favour of the lower id, ascending.
template <typename T> std::vector<int32_t> largest(const std::vector<T> &values, size_t count) {
  std::vector<int32_t> ids(values.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    return values[a] > values[b] || (values[a] == values[b] && a < b);
  });
  ids.resize(count);
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Sets the values of all but the `kept` best groups to minus infinity.
template <typename T> void dropGroups(std::vector<T> &biased, size_t groups, size_t kept) {
  size_t each = biased.size() / groups;
  std::vector<T> scores(groups);
  for (size_t g = 0; g < groups; ++g) {
    std::vector<T> group(biased.begin() + g * each, biased.begin() + (g + 1) * each);
    std::sort(group.begin(), group.end(), std::greater<T>());
    scores[g] = each > 1 ? group[0] + group[1] : group[0];
  }
  std::vector<int32_t> best = largest(scores, kept);
  for (size_t e = 0; e < biased.size(); ++e)
    if (!std::ranges::binary_search(best, int32_t(e / each)))
      biased[e] = -std::numeric_limits<T>::infinity();
}

template <typename T> LogicalResult execute(model::RouteOp op, Frame<T> &frame) {
  Tensor<T> logits = frame.tensor(op.getLogits()).held(), bias = frame.tensor(op.getBias()).held();
  size_t rows = logits.size(0), experts = logits.size(1);
  size_t topK = op.getResult().getType().getTopK();
  T scale = static_cast<T>(op.getScale().convertToDouble());
  Routing<T> routing{experts, topK, {}, {}};
  std::vector<T> s(experts), b(experts);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t e = 0; e < experts; ++e) {
      s[e] = T(1) / (T(1) + std::exp(-logits.data()[i * experts + e]));
      b[e] = s[e] + bias.data()[e];
    }
    dropGroups(b, op.getGroups(), op.getKeptGroups());
    std::vector<int32_t> chosen = largest(b, topK);
    T sum = 0;
    for (int32_t e : chosen)
      sum += s[e];
    for (int32_t e : chosen) {
      routing.ids.push_back(e);
      routing.weights.push_back(op.getNormalize() ? scale * s[e] / sum : scale * s[e]);
    }
  }
  return frame.set(op.getResult(), std::move(routing));
}

/// A row of `x` for each pair.
template <typename T> Tensor<T> rowsOfPairs(const Tensor<T> &mapped, const Routing<T> &routing) {
  Tensor<T> x = mapped.held();
  size_t width = x.size(1);
  std::vector<size_t> begin;
  auto pairs = routing.byExpert(begin);
  Tensor<T> y({int64_t(pairs.size()), int64_t(width)}, x.element());
  for (size_t r = 0; r < pairs.size(); ++r)
    std::copy_n(x.data() + pairs[r].row * width, width, y.data() + r * width);
  return y;
}

template <typename T> LogicalResult execute(model::DispatchOp op, Frame<T> &frame) {
  const Routing<T> &routing = frame.routing(op.getRouting());
  const Datum<T> &x = frame.datum(op.getX());
  if (failed(checkRows(op, size_t(shapeOf(x)[0]), routing.rows())))
    return failure();
  if (auto *quantized = std::get_if<Quantized<T>>(&x)) {
    Quantized<T> y = *quantized;
    y.codes = rowsOfPairs(quantized->codes, routing);
    y.scales = rowsOfPairs(quantized->scales, routing);
    return frame.set(op.getResult(), std::move(y));
  }
  return frame.set(op.getResult(), rowsOfPairs(frame.tensor(op.getX()), routing));
}

template <typename T> LogicalResult execute(model::ExpertLinearOp op, Frame<T> &frame) {
  LeftFactor<T> x = leftFactor(frame.datum(op.getX()));
  const Datum<T> &bank = frame.datum(op.getBank());
  const Routing<T> &routing = frame.routing(op.getRouting());
  if (failed(checkRows(op, x.rows.size(0), routing.ids.size())))
    return failure();
  size_t out = size_t(shapeOf(bank)[1]);
  std::vector<size_t> begin;
  routing.byExpert(begin);
  Tensor<T> y = frame.make(op.getResult(), {x.rows.shape()[0], int64_t(out)});
  for (size_t e = 0; e < routing.experts; ++e)
    if (size_t rows = begin[e + 1] - begin[e])
      multiplyFactors(x, begin[e], rows, bank, e * out, out, y.data() + begin[e] * out);
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::CombineOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held();
  const Routing<T> &routing = frame.routing(op.getRouting());
  size_t width = x.size(1);
  if (failed(checkRows(op, x.size(0), routing.ids.size())))
    return failure();
  std::vector<size_t> begin;
  auto pairs = routing.byExpert(begin);
  Tensor<T> y = frame.make(op.getResult(), {int64_t(routing.rows()), int64_t(width)});
  // Pairs are ordered by expert, so each row sums its experts in ascending order.
  for (size_t r = 0; r < pairs.size(); ++r)
    for (size_t c = 0; c < width; ++c)
      y.data()[pairs[r].row * width + c] +=
          routing.weights[pairs[r].index] * x.data()[r * width + c];
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::RoutingIdsOp op, Frame<T> &frame) {
  const Routing<T> &routing = frame.routing(op.getRouting());
  return frame.set(op.getResult(),
                   Integers{{int64_t(routing.rows()), int64_t(routing.topK)}, routing.ids});
}

template <typename T> LogicalResult execute(model::RoutingWeightsOp op, Frame<T> &frame) {
  const Routing<T> &routing = frame.routing(op.getRouting());
  Tensor<T> y = frame.make(op.getResult(), {int64_t(routing.rows()), int64_t(routing.topK)});
  std::ranges::copy(routing.weights, y.data());
  return frame.set(op.getResult(), std::move(y));
}

} // namespace

template <typename T> std::optional<LogicalResult> executeMoeOp(Operation *op, Frame<T> &frame) {
  using namespace model;
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .template Case<RouteOp, DispatchOp, ExpertLinearOp, CombineOp, RoutingIdsOp,
                     RoutingWeightsOp>([&](auto known) { return execute<T>(known, frame); })
      .Default([](Operation *) { return std::nullopt; });
}

template std::optional<LogicalResult> executeMoeOp<float>(Operation *, Frame<float> &);
template std::optional<LogicalResult> executeMoeOp<double>(Operation *, Frame<double> &);

} // namespace glm::interpret
