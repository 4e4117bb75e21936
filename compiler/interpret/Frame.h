// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One call of a function under interpretation: what its SSA values stand for. Ops ask for their
// operands and set their results here; each chapter of the dialect has one function that executes
// its ops.
#ifndef GLM_COMPILER_INTERPRET_FRAME_H
#define GLM_COMPILER_INTERPRET_FRAME_H

#include "compiler/interpret/Data.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>
#include <string>

namespace glm::interpret {

/// The symbols of a module.
template <typename T> class Symbols {
public:
  virtual ~Symbols() = default;
  /// The numbers of a glm.weight or glm.bank, integers of i32; an error at `user` when its file
  /// cannot be read.
  virtual mlir::FailureOr<Datum<T>> weight(mlir::Operation *user, llvm::StringRef name) = 0;
  /// The cache of a glm.state.
  virtual Cache<T> *state(llvm::StringRef name) = 0;
};

template <typename T> class Frame {
public:
  explicit Frame(Symbols<T> &symbols) : symbols(symbols) {}

  const Tensor<T> &tensor(mlir::Value value) const { return get<Tensor<T>>(value); }
  const Integers &integers(mlir::Value value) const { return get<Integers>(value); }
  const Rows &rows(mlir::Value value) const { return get<Rows>(value); }
  Cache<T> &cache(mlir::Value value) const { return *get<Cache<T> *>(value); }
  const Selection &selection(mlir::Value value) const { return get<Selection>(value); }
  const Routing<T> &routing(mlir::Value value) const { return get<Routing<T>>(value); }
  const Quantized<T> &quantized(mlir::Value value) const { return get<Quantized<T>>(value); }
  const Datum<T> &datum(mlir::Value value) const { return data.find(value)->second; }

  /// A tensor of zeros with the element type of `value`.
  Tensor<T> make(mlir::Value value, std::vector<int64_t> shape) const {
    return Tensor<T>(std::move(shape), elementOf(value.getType()));
  }

  /// Sets the result of an op. A tensor is rounded to its element type; a shape that is not the
  /// type's is an error at the op.
  mlir::LogicalResult set(mlir::Value value, Datum<T> datum) {
    if (auto *tensor = std::get_if<Tensor<T>>(&datum)) {
      if (mlir::failed(checkShape(value, tensor->shape())))
        return mlir::failure();
      if (!tensor->isMapped())
        tensor->round();
    } else if (auto *integers = std::get_if<Integers>(&datum)) {
      if (mlir::failed(checkShape(value, integers->shape)))
        return mlir::failure();
    }
    data.insert_or_assign(value, std::move(datum));
    return mlir::success();
  }

  void bind(mlir::Value value, Datum<T> datum) { data.insert_or_assign(value, std::move(datum)); }
  void forget(mlir::Value value) { data.erase(value); }

  Symbols<T> &symbols;

private:
  template <typename Kind> const Kind &get(mlir::Value value) const {
    return std::get<Kind>(data.find(value)->second);
  }

  static mlir::LogicalResult checkShape(mlir::Value value, const std::vector<int64_t> &shape) {
    auto type = llvm::cast<mlir::ShapedType>(value.getType());
    bool fits = static_cast<size_t>(type.getRank()) == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = type.isDynamicDim(i) || type.getDimSize(i) == shape[i];
    if (fits)
      return mlir::success();
    mlir::Operation *op = value.getDefiningOp();
    auto error = op->emitOpError("computed a result of shape [");
    llvm::interleaveComma(shape, error);
    return error << "] for " << type;
  }

  llvm::DenseMap<mlir::Value, Datum<T>> data;
};

/// Executes `op` if it is one of the chapter's; nothing if it is not.
template <typename T>
std::optional<mlir::LogicalResult> executeWeightOp(mlir::Operation *op, Frame<T> &frame);
template <typename T>
std::optional<mlir::LogicalResult> executeDenseOp(mlir::Operation *op, Frame<T> &frame);
template <typename T>
std::optional<mlir::LogicalResult> executeAttentionOp(mlir::Operation *op, Frame<T> &frame);
template <typename T>
std::optional<mlir::LogicalResult> executeMoeOp(mlir::Operation *op, Frame<T> &frame);
template <typename T>
std::optional<mlir::LogicalResult> executeQuantizeOp(mlir::Operation *op, Frame<T> &frame);

/// Error at `op` unless both have as many rows.
mlir::LogicalResult checkRows(mlir::Operation *op, size_t rows, size_t expected);

/// `y[r, o] = sum_c x[r, c] * w[firstRow + o, c]` for `rows` rows: the products of all linears. `w`
/// is a tensor whose rows are `width` numbers, read in blocks of `lanes` rows.
template <typename T>
void multiply(const T *x, size_t rows, size_t width, const Tensor<T> &w, size_t firstRow,
              size_t outputs, T *y);

/// What a product multiplies on its left: numbers or codes, row by row, and a scale for each row
/// (empty: none).
template <typename T> struct LeftFactor {
  Tensor<T> rows;
  std::vector<T> scales;
};
template <typename T> LeftFactor<T> leftFactor(const Datum<T> &datum);

/// The same product by whatever `weight` is: `outputs` rows of it from `firstRow` on, for rows
/// [begin, begin + count) of `x`.
template <typename T>
void multiplyFactors(const LeftFactor<T> &x, size_t begin, size_t count, const Datum<T> &weight,
                     size_t firstRow, size_t outputs, T *y);

/// Shape of a tensor, quantised or not.
template <typename T> const std::vector<int64_t> &shapeOf(const Datum<T> &datum);

} // namespace glm::interpret

#endif
