// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of QuantizeOps.td compute, and products by quantised weights. Codes are numbers like
// others; sums of integer codes are taken in 64 bits, so they are exact whatever T is.
#include "compiler/interpret/Frame.h"

#include "dialects/glm/Glm.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Parallel.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace glm::interpret {

//===--- Products -----------------------------------------------------------------------------===//

template <typename T> const std::vector<int64_t> &shapeOf(const Datum<T> &datum) {
  if (auto *quantized = std::get_if<Quantized<T>>(&datum))
    return quantized->codes.shape();
  return std::get<Tensor<T>>(datum).shape();
}

template <typename T> LeftFactor<T> leftFactor(const Datum<T> &datum) {
  if (auto *quantized = std::get_if<Quantized<T>>(&datum)) {
    Tensor<T> scales = quantized->scales.held();
    return {quantized->codes.held(), {scales.data(), scales.data() + scales.count()}};
  }
  return {std::get<Tensor<T>>(datum).held(), {}};
}

/// `sum_c x[c] * (w[c] - zero)` of one block, as a T.
template <typename T>
static T blockSum(const T *x, const T *w, size_t length, T zero, bool integer, int64_t bias) {
  if (!integer) {
    T sum = 0;
    for (size_t c = 0; c < length; ++c)
      sum += x[c] * w[c];
    return sum;
  }
  int64_t sum = bias;
  for (size_t c = 0; c < length; ++c)
    sum += int64_t(x[c]) * int64_t(w[c] - zero);
  return static_cast<T>(sum);
}

template <typename T>
static void multiplyQuantized(const LeftFactor<T> &x, size_t begin, size_t count,
                              const Quantized<T> &w, size_t firstRow, size_t outputs, T *y) {
  size_t width = x.rows.size(1), blocks = (width + w.columns - 1) / w.columns;
  size_t matrix = w.codes.size(w.codes.rank() - 2), expert = firstRow / matrix;
  size_t scaleRows = (matrix + w.rows - 1) / w.rows;
  Tensor<T> scales = w.scales.held();
  std::vector<Tensor<T>> zeros;
  for (const Tensor<T> &zero : w.zeros)
    zeros.push_back(zero.held());
  llvm::parallelFor(0, outputs, [&](size_t output) {
    std::vector<T> scratch;
    const T *codes = w.codes.read((firstRow + output) * width, width, scratch);
    size_t row = firstRow + output - expert * matrix;
    size_t firstScale = (expert * scaleRows + row / w.rows) * blocks;
    int64_t bias = w.bias.values.empty() ? 0 : w.bias.values[row];
    for (size_t r = 0; r < count; ++r) {
      const T *from = x.rows.data() + (begin + r) * width;
      T sum = 0;
      for (size_t b = 0; b < blocks; ++b) {
        size_t at = b * w.columns, length = std::min(w.columns, width - at);
        T zero = zeros.empty() ? T(0) : zeros[0].data()[firstScale + b];
        sum += blockSum(from + at, codes + at, length, zero, w.integer, b ? 0 : bias) *
               scales.data()[firstScale + b];
      }
      y[r * outputs + output] = x.scales.empty() ? sum : sum * x.scales[begin + r];
    }
  });
}

template <typename T>
void multiplyFactors(const LeftFactor<T> &x, size_t begin, size_t count, const Datum<T> &weight,
                     size_t firstRow, size_t outputs, T *y) {
  if (auto *quantized = std::get_if<Quantized<T>>(&weight))
    return multiplyQuantized(x, begin, count, *quantized, firstRow, outputs, y);
  size_t width = x.rows.size(1);
  multiply(x.rows.data() + begin * width, count, width, std::get<Tensor<T>>(weight), firstRow,
           outputs, y);
}

namespace {

//===--- Ops ----------------------------------------------------------------------------------===//

template <typename T> LogicalResult execute(model::QuantizedOp op, Frame<T> &frame) {
  auto element = cast<model::QuantizedType>(getElementTypeOrSelf(op.getResult().getType()));
  Quantized<T> value{
      frame.tensor(op.getCodes()),  frame.tensor(op.getScales()), {}, {}, size_t(element.getRows()),
      size_t(element.getColumns()), element.getCode().isInteger()};
  if (op.getBias())
    value.bias = frame.integers(op.getBias());
  if (op.getZeros())
    value.zeros.push_back(frame.tensor(op.getZeros()));
  return frame.set(op.getResult(), std::move(value));
}

/// One run of columns as codes; its scale, and its zero when there are any.
template <typename T> struct Run {
  T scale, zero = 0;

  static Run symmetric(const T *x, size_t length, T largestCode, Element scales) {
    T largest = 0;
    for (size_t c = 0; c < length; ++c)
      largest = std::max(largest, std::abs(x[c]));
    return {rounded(largest / largestCode, scales)};
  }
  static Run asymmetric(const T *x, size_t length, Element scales) {
    T low = 0, high = 0;
    for (size_t c = 0; c < length; ++c)
      low = std::min(low, x[c]), high = std::max(high, x[c]);
    T scale = rounded((high - low) / T(15), scales);
    T zero = scale == 0 ? T(0) : std::clamp(std::nearbyint(T(-8) - low / scale), T(-8), T(7));
    return {scale, zero};
  }
  T code(T x, T largestCode) const {
    T code = scale == 0 ? T(0) : std::nearbyint(x / scale);
    return std::clamp(code + zero, -largestCode - 1, largestCode);
  }
};

template <typename T> LogicalResult execute(model::QuantizeOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held();
  size_t width = x.size(x.rank() - 1), rows = x.count() / std::max<size_t>(width, 1);
  size_t columns = op.getColumns(), runs = (width + columns - 1) / columns;
  std::vector<int64_t> perRun = x.shape();
  perRun.back() = int64_t(runs);
  Tensor<T> codes = frame.make(op.getCodes(), x.shape());
  Tensor<T> scales = frame.make(op.getScales(), perRun), zeros(perRun, Element::I8);
  T largestCode = getElementTypeOrSelf(op.getCodes().getType()).isInteger(4) ? 7 : 127;
  llvm::parallelFor(0, rows, [&](size_t row) {
    for (size_t b = 0; b < runs; ++b) {
      size_t at = row * width + b * columns, length = std::min(columns, width - b * columns);
      Run<T> run = op.getAsymmetric()
                       ? Run<T>::asymmetric(x.data() + at, length, scales.element())
                       : Run<T>::symmetric(x.data() + at, length, largestCode, scales.element());
      for (size_t c = 0; c < length; ++c)
        codes.data()[at + c] = run.code(x.data()[at + c], largestCode);
      scales.data()[row * runs + b] = run.scale;
      zeros.data()[row * runs + b] = run.zero;
    }
  });
  for (Value value : op.getZeros())
    if (failed(frame.set(value, zeros)))
      return failure();
  return failure(failed(frame.set(op.getCodes(), std::move(codes))) ||
                 failed(frame.set(op.getScales(), std::move(scales))));
}

template <typename T> LogicalResult execute(model::QuantizeStaticOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held();
  T scale = frame.tensor(op.getScale()).held().data()[0];
  T offset = frame.tensor(op.getOffset()).held().data()[0];
  Tensor<T> codes = frame.make(op.getCodes(), x.shape());
  for (size_t i = 0; i < x.count(); ++i)
    codes.data()[i] = std::clamp(std::nearbyint(x.data()[i] / scale) + offset, T(-128), T(127));
  return frame.set(op.getCodes(), std::move(codes));
}

template <typename T> LogicalResult execute(model::DequantizeOp op, Frame<T> &frame) {
  const Quantized<T> &x = frame.quantized(op.getX());
  Tensor<T> codes = x.codes.held(), scales = x.scales.held();
  std::vector<Tensor<T>> zeros;
  for (const Tensor<T> &zero : x.zeros)
    zeros.push_back(zero.held());
  Tensor<T> y = frame.make(op.getResult(), codes.shape());
  size_t width = codes.size(codes.rank() - 1), matrix = codes.size(codes.rank() - 2);
  size_t blocks = (width + x.columns - 1) / x.columns, scaleRows = (matrix + x.rows - 1) / x.rows;
  for (size_t row = 0; row < codes.count() / width; ++row) {
    size_t first = (row / matrix * scaleRows + row % matrix / x.rows) * blocks;
    for (size_t c = 0; c < width; ++c) {
      size_t block = first + c / x.columns;
      T zero = zeros.empty() ? T(0) : zeros[0].data()[block];
      y.data()[row * width + c] = (codes.data()[row * width + c] - zero) * scales.data()[block];
    }
  }
  return frame.set(op.getResult(), std::move(y));
}

} // namespace

template <typename T>
std::optional<LogicalResult> executeQuantizeOp(Operation *op, Frame<T> &frame) {
  using namespace model;
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .template Case<QuantizedOp, QuantizeOp, QuantizeStaticOp, DequantizeOp>(
          [&](auto known) { return execute<T>(known, frame); })
      .Default([](Operation *) { return std::nullopt; });
}

template std::optional<LogicalResult> executeQuantizeOp<float>(Operation *, Frame<float> &);
template std::optional<LogicalResult> executeQuantizeOp<double>(Operation *, Frame<double> &);
template const std::vector<int64_t> &shapeOf(const Datum<float> &);
template const std::vector<int64_t> &shapeOf(const Datum<double> &);
template LeftFactor<float> leftFactor(const Datum<float> &);
template LeftFactor<double> leftFactor(const Datum<double> &);
template void multiplyFactors(const LeftFactor<float> &, size_t, size_t, const Datum<float> &,
                              size_t, size_t, float *);
template void multiplyFactors(const LeftFactor<double> &, size_t, size_t, const Datum<double> &,
                              size_t, size_t, double *);

} // namespace glm::interpret
