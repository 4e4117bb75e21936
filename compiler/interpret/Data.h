// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values a `glm` module computes with, as the interpreter holds them. `T` is what arithmetic is
// done in, float or double; narrower elements are kept in a T that has been rounded. A tensor is a
// shape and either numbers it shares with its copies or bytes of a mapped checkpoint, which are
// widened when they are read. Data is written once, while it is made, and only read afterwards, by
// any thread.
#ifndef GLM_COMPILER_INTERPRET_DATA_H
#define GLM_COMPILER_INTERPRET_DATA_H

#include "mlir/IR/Types.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace glm::interpret {

/// Codes are kept as the numbers they are: I4 of a file with two rows in a byte, the even one low.
enum class Element : uint8_t { F32, BF16, F64, F16, F8E4M3, I8, I4 };

/// The element type of a tensor or cache type, or of the type itself.
Element elementOf(mlir::Type type);

/// Bytes of `count` elements in a file.
size_t bytesOf(Element element, size_t count);

/// `value` as the nearest bf16, ties to even.
float roundedToBf16(float value);
double roundedToBf16(double value);

/// `value` as the nearest f16, ties to even.
double roundedToF16(double value);

/// The number of an E4M3 code: sign, 4 bits of exponent (bias 7), 3 of mantissa, no infinity.
float fromF8E4M3(uint8_t code);

/// `value` after a step whose result has that element type. F32 and F64 keep what T holds.
template <typename T> T rounded(T value, Element element) {
  if (element == Element::F16)
    return static_cast<T>(roundedToF16(value));
  return element == Element::BF16 ? roundedToBf16(value) : value;
}

/// A tensor of real numbers.
template <typename T> class Tensor {
public:
  /// All zeros.
  Tensor(std::vector<int64_t> shape, Element element);

  /// Numbers of a checkpoint: the first dimension is cut into as many equal pieces as there are
  /// pointers (one for a weight, one for each expert of a bank). The bytes outlive the tensor.
  Tensor(std::vector<int64_t> shape, Element element, std::vector<const std::byte *> pieces);

  const std::vector<int64_t> &shape() const { return sizes; }
  size_t size(size_t dimension) const { return static_cast<size_t>(sizes[dimension]); }
  size_t rank() const { return sizes.size(); }
  size_t count() const { return total; }
  Element element() const { return kind; }

  /// `length` numbers from number `first` on, widened into `scratch` if they are a file's. They
  /// must not span two pieces.
  const T *read(size_t first, size_t length, std::vector<T> &scratch) const;

  /// All numbers of a tensor that holds them itself.
  T *data() { return numbers->data(); }
  const T *data() const { return numbers->data(); }
  bool isMapped() const { return !pieces.empty(); }

  /// The tensor itself, or a copy that holds its numbers.
  Tensor held() const;

  /// Rounds every number to the element type.
  void round();

private:
  /// Widens numbers of one piece, from its number `first` on.
  void widenFrom(const std::byte *piece, size_t first, size_t length, T *result) const;

  std::vector<int64_t> sizes;
  size_t total;
  Element kind;
  std::shared_ptr<std::vector<T>> numbers;
  std::vector<const std::byte *> pieces;
};

/// A tensor of i32.
struct Integers {
  std::vector<int64_t> shape;
  std::vector<int32_t> values;
};

/// Codes and what `glm.quantized` ties to them. A block is `rows` by `columns` codes.
template <typename T> struct Quantized {
  Tensor<T> codes, scales;
  Integers bias;                // empty: none
  std::vector<Tensor<T>> zeros; // one or none
  size_t rows, columns;
  bool integer;
};

/// One row of a ragged batch.
struct Row {
  int32_t token, slot, position, flags = 0;
};
using Rows = std::vector<Row>;

/// Positions of cached rows, ascending, for each row of a batch.
class Selection {
public:
  size_t rows() const { return begin.size() - 1; }
  std::span<const int32_t> row(size_t i) const {
    return std::span(ids).subspan(begin[i], begin[i + 1] - begin[i]);
  }
  /// The length of the longest row.
  size_t longest() const;
  void append(std::span<const int32_t> positions);

private:
  std::vector<int32_t> ids;
  std::vector<size_t> begin = {0};
};

/// `topK` experts, ascending, and their weights, for each row of a batch.
template <typename T> struct Routing {
  size_t experts, topK;
  std::vector<int32_t> ids;
  std::vector<T> weights;

  size_t rows() const { return ids.size() / topK; }

  /// One entry of `ids` and `weights`, by the row it belongs to.
  struct Pair {
    size_t row, index;
  };
  /// All pairs by expert, then by row: the order of dispatched rows. Pairs of expert `e` are
  /// [begin[e], begin[e + 1]).
  std::vector<Pair> byExpert(std::vector<size_t> &begin) const;
};

/// `count` numbers as codes of 8 bits; the scale, 0 if all are zero.
template <typename T> T encode(const T *values, size_t count, T *codes);

/// Cached rows of every slot, as long as the furthest position written. Rows of codes have their
/// scale behind them.
template <typename T> class Cache {
public:
  Cache(int64_t width, Element element)
      : columns(static_cast<size_t>(width) + (element == Element::I8)), kind(element) {}

  /// Numbers of a row, and how far rows are apart.
  size_t width() const { return columns - (kind == Element::I8); }
  size_t stride() const { return columns; }
  Element element() const { return kind; }
  /// Whether the row at `position` and all before it are there.
  bool holds(int32_t slot, int32_t position) const;
  const T *row(int32_t slot, int32_t position) const;
  /// Writes a row; a position that leaves a gap behind the last one is refused.
  bool write(int32_t slot, int32_t position, const T *values);

private:
  size_t columns;
  Element kind;
  std::map<int32_t, std::vector<T>> slots;
};

/// What an SSA value stands for at run time.
template <typename T>
using Datum =
    std::variant<Tensor<T>, Integers, Rows, Cache<T> *, Selection, Routing<T>, Quantized<T>>;

} // namespace glm::interpret

#endif
