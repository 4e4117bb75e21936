// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of DenseOps.td compute: their formulas as loops.
#include "compiler/interpret/Dots.h"
#include "compiler/interpret/Frame.h"

#include "dialects/glm/Glm.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Parallel.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace glm::interpret {

LogicalResult checkRows(Operation *op, size_t rows, size_t expected) {
  if (rows == expected)
    return success();
  return op->emitOpError() << "has a batch of " << expected << " rows and a tensor of " << rows;
}

template <typename T>
void multiply(const T *x, size_t rows, size_t width, const Tensor<T> &w, size_t firstRow,
              size_t outputs, T *y) {
  llvm::parallelFor(0, (outputs + lanes - 1) / lanes, [&](size_t block) {
    size_t first = block * lanes, count = std::min(lanes, outputs - first);
    std::vector<T> scratch, packed(width * lanes), sums(rows * lanes);
    pack(w.read((firstRow + first) * width, count * width, scratch), width, count, width,
         packed.data());
    dots(x, width, rows, packed.data(), width, sums.data(), lanes);
    for (size_t r = 0; r < rows; ++r)
      std::copy_n(sums.data() + r * lanes, count, y + r * outputs + first);
  });
}

template void multiply<float>(const float *, size_t, size_t, const Tensor<float> &, size_t, size_t,
                              float *);
template void multiply<double>(const double *, size_t, size_t, const Tensor<double> &, size_t,
                               size_t, double *);

namespace {

/// All sizes of `x` but the last, then `last`.
template <typename T> std::vector<int64_t> withWidth(const Tensor<T> &x, size_t last) {
  std::vector<int64_t> shape = x.shape();
  shape.back() = static_cast<int64_t>(last);
  return shape;
}

/// Numbers of a row of the last dimension, and how many such rows there are.
template <typename T> size_t widthOf(const Tensor<T> &x) { return x.size(x.rank() - 1); }
template <typename T> size_t rowsOf(const Tensor<T> &x) {
  size_t rows = 1;
  for (size_t i = 0; i + 1 < x.rank(); ++i)
    rows *= x.size(i);
  return rows;
}

template <typename T> LogicalResult execute(model::EmbedOp op, Frame<T> &frame) {
  const Tensor<T> &table = frame.tensor(op.getTable());
  const Rows &rows = frame.rows(op.getRows());
  size_t width = table.size(1);
  Tensor<T> y = frame.make(op.getResult(), {int64_t(rows.size()), int64_t(width)});
  std::vector<T> scratch;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].token < 0 || size_t(rows[i].token) >= table.size(0))
      return op.emitOpError() << "token " << rows[i].token << " is not one of the " << table.size(0)
                              << " of the table";
    std::copy_n(table.read(rows[i].token * width, width, scratch), width, y.data() + i * width);
  }
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::MaskStartOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.make(op.getResult(), x.shape());
  const Rows &rows = frame.rows(op.getRows());
  if (failed(checkRows(op, x.size(0), rows.size())))
    return failure();
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t c = 0; c < x.size(1); ++c)
      y.data()[i * x.size(1) + c] = rows[i].position == 0 ? T(0) : x.data()[i * x.size(1) + c];
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::TakeRowsOp op, Frame<T> &frame) {
  const Tensor<T> &x = frame.tensor(op.getX());
  const Integers &indices = frame.integers(op.getIndices());
  size_t width = x.size(1);
  Tensor<T> y = frame.make(op.getResult(), {int64_t(indices.values.size()), int64_t(width)});
  std::vector<T> scratch;
  for (size_t i = 0; i < indices.values.size(); ++i) {
    int32_t index = indices.values[i];
    if (index < 0 || size_t(index) >= x.size(0))
      return op.emitOpError() << "takes row " << index << " of " << x.size(0);
    std::copy_n(x.read(index * width, width, scratch), width, y.data() + i * width);
  }
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::LinearOp op, Frame<T> &frame) {
  LeftFactor<T> x = leftFactor(frame.datum(op.getX()));
  const Datum<T> &w = frame.datum(op.getWeight());
  int64_t out = shapeOf(w)[0];
  Tensor<T> y = frame.make(op.getResult(), {x.rows.shape()[0], out});
  multiplyFactors(x, 0, x.rows.size(0), w, 0, size_t(out), y.data());
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::HeadLinearOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), w = frame.tensor(op.getWeight()).held();
  size_t rows = x.size(0), heads = x.size(1), in = x.size(2);
  bool transposed = op.getTransposed();
  size_t out = w.size(transposed ? 2 : 1);
  Tensor<T> y = frame.make(op.getResult(), {int64_t(rows), int64_t(heads), int64_t(out)});
  llvm::parallelFor(0, rows * heads, [&](size_t row) {
    const T *from = x.data() + row * in, *matrix = w.data() + row % heads * in * out;
    for (size_t o = 0; o < out; ++o) {
      T sum = 0;
      for (size_t c = 0; c < in; ++c)
        sum += from[c] * (transposed ? matrix[c * out + o] : matrix[o * in + c]);
      y.data()[row * out + o] = sum;
    }
  });
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::RmsNormOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), gain = frame.tensor(op.getGain()).held();
  Tensor<T> y = frame.make(op.getResult(), x.shape());
  size_t width = x.size(1);
  T eps = static_cast<T>(op.getEps().convertToDouble());
  for (size_t i = 0; i < x.size(0); ++i) {
    const T *from = x.data() + i * width;
    T squares = 0;
    for (size_t c = 0; c < width; ++c)
      squares += from[c] * from[c];
    T root = std::sqrt(squares / T(width) + eps);
    for (size_t c = 0; c < width; ++c)
      y.data()[i * width + c] = from[c] / root * gain.data()[c];
  }
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::LayerNormOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), gain = frame.tensor(op.getGain()).held();
  Tensor<T> bias = frame.tensor(op.getBias()).held(), y = frame.make(op.getResult(), x.shape());
  size_t width = x.size(1);
  T eps = static_cast<T>(op.getEps().convertToDouble());
  for (size_t i = 0; i < x.size(0); ++i) {
    const T *from = x.data() + i * width;
    T mean = 0, variance = 0;
    for (size_t c = 0; c < width; ++c)
      mean += from[c];
    mean /= T(width);
    for (size_t c = 0; c < width; ++c)
      variance += (from[c] - mean) * (from[c] - mean);
    T root = std::sqrt(variance / T(width) + eps);
    for (size_t c = 0; c < width; ++c)
      y.data()[i * width + c] = (from[c] - mean) / root * gain.data()[c] + bias.data()[c];
  }
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::RopeAnglesOp op, Frame<T> &frame) {
  const Rows &rows = frame.rows(op.getRows());
  size_t width = cast<ShapedType>(op.getResult().getType()).getDimSize(1), half = width / 2;
  double theta = op.getTheta().convertToDouble();
  Tensor<T> y = frame.make(op.getResult(), {int64_t(rows.size()), int64_t(width)});
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < half; ++j) {
      // The product is one of f32 also where everything else is f64.
      float frequency = static_cast<float>(std::pow(theta, -2.0 * double(j) / double(width)));
      float phi = static_cast<float>(rows[i].position) * frequency;
      y.data()[i * width + j] = static_cast<T>(std::cos(double(phi)));
      y.data()[i * width + half + j] = static_cast<T>(std::sin(double(phi)));
    }
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::RopeOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), angles = frame.tensor(op.getAngles()).held();
  Tensor<T> y = frame.make(op.getResult(), x.shape());
  size_t width = widthOf(x), half = width / 2, heads = x.rank() == 3 ? x.size(1) : 1;
  bool interleaved = op.getPairing() == model::Pairing::Interleaved;
  for (size_t row = 0; row < rowsOf(x); ++row) {
    const T *from = x.data() + row * width, *angle = angles.data() + row / heads * width;
    T *to = y.data() + row * width;
    for (size_t j = 0; j < half; ++j) {
      size_t a = interleaved ? 2 * j : j, b = interleaved ? 2 * j + 1 : j + half;
      T c = angle[j], s = angle[half + j];
      to[a] = from[a] * c - from[b] * s;
      to[b] = from[b] * c + from[a] * s;
    }
  }
  return frame.set(op.getResult(), std::move(y));
}

/// `z[i] = function(x[i], y[i])`.
template <typename T, typename Op, typename Function>
LogicalResult elementwise(Op op, Frame<T> &frame, Function function) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.tensor(op.getY()).held();
  Tensor<T> z = frame.make(op.getResult(), x.shape());
  if (x.shape() != y.shape())
    return op.emitOpError("has operands of different shapes");
  for (size_t i = 0; i < x.count(); ++i)
    z.data()[i] = function(x.data()[i], y.data()[i]);
  return frame.set(op.getResult(), std::move(z));
}

template <typename T> LogicalResult execute(model::AddOp op, Frame<T> &frame) {
  return elementwise(op, frame, [](T x, T y) { return x + y; });
}

template <typename T> LogicalResult execute(model::MultiplyOp op, Frame<T> &frame) {
  return elementwise(op, frame, [](T x, T y) { return x * y; });
}

template <typename T> LogicalResult execute(model::SiluOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.make(op.getResult(), x.shape());
  for (size_t i = 0; i < x.count(); ++i)
    y.data()[i] = x.data()[i] / (T(1) + std::exp(-x.data()[i]));
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::CastOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.make(op.getResult(), x.shape());
  std::copy_n(x.data(), x.count(), y.data());
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::SliceOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held();
  size_t from = widthOf(x), begin = op.getBegin();
  auto type = cast<ShapedType>(op.getResult().getType());
  size_t width = type.getDimSize(type.getRank() - 1);
  Tensor<T> y = frame.make(op.getResult(), withWidth(x, width));
  for (size_t row = 0; row < rowsOf(x); ++row)
    std::copy_n(x.data() + row * from + begin, width, y.data() + row * width);
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::ConcatOp op, Frame<T> &frame) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.tensor(op.getY()).held();
  size_t left = widthOf(x), right = widthOf(y), width = left + right;
  if (rowsOf(x) != rowsOf(y))
    return op.emitOpError("has operands of different shapes");
  Tensor<T> z = frame.make(op.getResult(), withWidth(x, width));
  for (size_t row = 0; row < rowsOf(x); ++row) {
    std::copy_n(x.data() + row * left, left, z.data() + row * width);
    std::copy_n(y.data() + row * right, right, z.data() + row * width + left);
  }
  return frame.set(op.getResult(), std::move(z));
}

/// The same numbers under another shape.
template <typename T, typename Op>
LogicalResult reshape(Op op, Frame<T> &frame, std::vector<int64_t> shape) {
  Tensor<T> x = frame.tensor(op.getX()).held(), y = frame.make(op.getResult(), std::move(shape));
  std::copy_n(x.data(), x.count(), y.data());
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::SplitHeadsOp op, Frame<T> &frame) {
  auto type = cast<ShapedType>(op.getResult().getType());
  int64_t rows = frame.tensor(op.getX()).shape()[0];
  return reshape(op, frame, {rows, type.getDimSize(1), type.getDimSize(2)});
}

template <typename T> LogicalResult execute(model::MergeHeadsOp op, Frame<T> &frame) {
  const std::vector<int64_t> &shape = frame.tensor(op.getX()).shape();
  return reshape(op, frame, {shape[0], shape[1] * shape[2]});
}

} // namespace

template <typename T> std::optional<LogicalResult> executeDenseOp(Operation *op, Frame<T> &frame) {
  using namespace model;
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .template Case<EmbedOp, MaskStartOp, TakeRowsOp, LinearOp, HeadLinearOp, RmsNormOp,
                     LayerNormOp, RopeAnglesOp, RopeOp, AddOp, MultiplyOp, SiluOp, CastOp, SliceOp,
                     ConcatOp, SplitHeadsOp, MergeHeadsOp>(
          [&](auto known) { return execute<T>(known, frame); })
      .Default([](Operation *) { return std::nullopt; });
}

template std::optional<LogicalResult> executeDenseOp<float>(Operation *, Frame<float> &);
template std::optional<LogicalResult> executeDenseOp<double>(Operation *, Frame<double> &);

} // namespace glm::interpret
