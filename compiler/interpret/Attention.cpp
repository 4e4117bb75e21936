// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of AttentionOps.td compute. A row only ever sees cached rows of its own slot up to
// its own position; asking for one that was never written is an error of the program, not a zero.
#include "compiler/interpret/Dots.h"
#include "compiler/interpret/Frame.h"

#include "dialects/glm/Glm.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Parallel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;

namespace glm::interpret {
namespace {

/// Keys [first, first + lanes) of one slot: what is packed and scored at once.
struct KeyBlock {
  int32_t slot;
  size_t first;
};

/// The blocks that cover the keys any row of the batch sees.
std::vector<KeyBlock> keyBlocks(const Rows &rows) {
  std::map<int32_t, size_t> visible;
  for (const Row &row : rows)
    visible[row.slot] = std::max(visible[row.slot], size_t(row.position) + 1);
  std::vector<KeyBlock> blocks;
  for (auto [slot, count] : visible)
    for (size_t first = 0; first < count; first += lanes)
      blocks.push_back({slot, first});
  return blocks;
}

template <typename T>
LogicalResult checkCached(Operation *op, const Cache<T> &cache, const Rows &rows) {
  for (const Row &row : rows)
    if (!cache.holds(row.slot, row.position))
      return op->emitOpError() << "reads position " << row.position << " of slot " << row.slot
                               << ", which was not appended";
  return success();
}

template <typename T> LogicalResult execute(model::IndexScoresOp op, Frame<T> &frame) {
  Tensor<T> q = frame.tensor(op.getQ()).held(), w = frame.tensor(op.getWeights()).held();
  const Cache<T> &keys = frame.cache(op.getKeys());
  const Rows &rows = frame.rows(op.getRows());
  if (failed(checkRows(op, q.size(0), rows.size())) || failed(checkCached(op, keys, rows)))
    return failure();
  size_t heads = q.size(1), depth = q.size(2), width = 0;
  for (const Row &row : rows)
    width = std::max(width, size_t(row.position) + 1);
  T scale = static_cast<T>(op.getScale().convertToDouble());
  bool coded = keys.element() == Element::I8;
  std::vector<T> codes(coded ? q.count() : 0), scaled(coded ? w.count() : 0);
  for (size_t h = 0; h < scaled.size(); ++h) // a query's scale goes to its weight
    scaled[h] = w.data()[h] * encode(q.data() + h * depth, depth, &codes[h * depth]);
  const T *queries = coded ? codes.data() : q.data();
  const T *weights = coded ? scaled.data() : w.data();
  Tensor<T> y = frame.make(op.getResult(), {int64_t(rows.size()), int64_t(width)});
  std::fill_n(y.data(), y.count(), -std::numeric_limits<T>::infinity());
  std::vector<KeyBlock> blocks = keyBlocks(rows);
  llvm::parallelFor(0, blocks.size(), [&](size_t index) {
    auto [slot, first] = blocks[index];
    size_t count = 0;
    while (count < lanes && keys.holds(slot, int32_t(first + count)))
      ++count;
    std::vector<T> packed(depth * lanes), products(heads * lanes);
    const T *row = keys.row(slot, int32_t(first));
    pack(row, keys.stride(), count, depth, packed.data());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].slot != slot || size_t(rows[i].position) < first)
        continue;
      dots(queries + i * heads * depth, depth, heads, packed.data(), depth, products.data(), lanes);
      size_t visible = std::min(lanes, size_t(rows[i].position) + 1 - first);
      for (size_t l = 0; l < visible; ++l) {
        T sum = 0;
        for (size_t h = 0; h < heads; ++h)
          sum += weights[i * heads + h] * std::max(T(0), products[h * lanes + l]);
        T unit = coded ? scale * row[l * keys.stride() + depth] : scale;
        y.data()[i * width + first + l] = unit * sum;
      }
    }
  });
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::SelectTopKOp op, Frame<T> &frame) {
  Tensor<T> scores = frame.tensor(op.getScores()).held();
  const Rows &rows = frame.rows(op.getRows());
  if (failed(checkRows(op, scores.size(0), rows.size())))
    return failure();
  size_t limit = op.getResult().getType().getLimit();
  std::vector<std::vector<int32_t>> chosen(rows.size());
  for (const Row &row : rows)
    if (size_t(row.position) >= scores.size(1))
      return op.emitOpError() << "has " << scores.size(1) << " scores for a row at position "
                              << row.position;
  llvm::parallelFor(0, rows.size(), [&](size_t i) {
    const T *score = scores.data() + i * scores.size(1);
    std::vector<int32_t> &keys = chosen[i];
    keys.resize(size_t(rows[i].position) + 1);
    std::iota(keys.begin(), keys.end(), 0);
    if (keys.size() <= limit)
      return;
    std::nth_element(keys.begin(), keys.begin() + limit, keys.end(), [&](int32_t a, int32_t b) {
      return score[a] > score[b] || (score[a] == score[b] && a < b);
    });
    keys.resize(limit);
    std::sort(keys.begin(), keys.end());
  });
  Selection selection;
  for (const std::vector<int32_t> &keys : chosen)
    selection.append(keys);
  return frame.set(op.getResult(), std::move(selection));
}

template <typename T> LogicalResult execute(model::SelectionIdsOp op, Frame<T> &frame) {
  const Selection &selection = frame.selection(op.getSelection());
  size_t limit = op.getSelection().getType().getLimit();
  Integers ids{{int64_t(selection.rows()), int64_t(limit)},
               std::vector<int32_t>(selection.rows() * limit, -1)};
  for (size_t i = 0; i < selection.rows(); ++i)
    std::ranges::copy(selection.row(i), ids.values.begin() + i * limit);
  return frame.set(op.getResult(), std::move(ids));
}

template <typename T> LogicalResult execute(model::SelectionOfIdsOp op, Frame<T> &frame) {
  const Integers &ids = frame.integers(op.getIds());
  size_t limit = op.getResult().getType().getLimit();
  Selection selection;
  for (size_t i = 0; i < size_t(ids.shape[0]); ++i) {
    std::span row = std::span(ids.values).subspan(i * limit, limit);
    selection.append(row.first(std::ranges::find(row, -1) - row.begin()));
  }
  return frame.set(op.getResult(), std::move(selection));
}

template <typename T> LogicalResult execute(model::SelectVisibleOp op, Frame<T> &frame) {
  Selection selection;
  for (const Row &row : frame.rows(op.getRows())) {
    std::vector<int32_t> keys(size_t(row.position) + 1);
    std::iota(keys.begin(), keys.end(), 0);
    selection.append(keys);
  }
  return frame.set(op.getResult(), std::move(selection));
}

template <typename T> LogicalResult execute(model::GatherOp op, Frame<T> &frame) {
  const Cache<T> &cache = frame.cache(op.getCache());
  const Selection &selection = frame.selection(op.getSelection());
  const Rows &rows = frame.rows(op.getRows());
  if (failed(checkRows(op, selection.rows(), rows.size())))
    return failure();
  size_t longest = selection.longest(), width = cache.width();
  Tensor<T> y =
      frame.make(op.getResult(), {int64_t(rows.size()), int64_t(longest), int64_t(width)});
  // What nobody may read gives itself away.
  std::fill_n(y.data(), y.count(), std::numeric_limits<T>::quiet_NaN());
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t r = 0; r < selection.row(i).size(); ++r) {
      int32_t position = selection.row(i)[r];
      if (position > rows[i].position || !cache.holds(rows[i].slot, position))
        return op.emitOpError() << "row at position " << rows[i].position << " of slot "
                                << rows[i].slot << " selects position " << position;
      std::copy_n(cache.row(rows[i].slot, position), width, y.data() + (i * longest + r) * width);
    }
  return frame.set(op.getResult(), std::move(y));
}

/// `p_r = exp(s_r) / sum exp(s)`, in place.
template <typename T> void softmax(std::span<T> scores) {
  T largest = *std::ranges::max_element(scores), sum = 0;
  for (T &score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  for (T &score : scores)
    score /= sum;
}

template <typename T> T dot(const T *a, const T *b, size_t width) {
  T sum = 0;
  for (size_t c = 0; c < width; ++c)
    sum += a[c] * b[c];
  return sum;
}

/// The query of one row and what it looks at. `keys` and `values` of head `h` and key `r` are
/// `stride` apart for `r`, and `headStride` for `h`.
template <typename T> struct Heads {
  const T *nope, *rope, *keys, *values, *rotated;
  size_t heads, depth, ropeDepth, valueDepth;
  size_t stride, headStride, rotatedStride;
};

/// `y[h] = sum_r softmax_r(scale * (nope_h . key_hr + rope_h . rotated_r)) value_hr`.
template <typename T> void attend(const Heads<T> &a, size_t keys, T scale, T *y) {
  std::vector<T> p(keys);
  for (size_t h = 0; h < a.heads; ++h, y += a.valueDepth) {
    if (keys == 0)
      continue;
    for (size_t r = 0; r < keys; ++r)
      p[r] = scale * (dot(a.nope + h * a.depth, a.keys + r * a.stride + h * a.headStride, a.depth) +
                      dot(a.rope + h * a.ropeDepth, a.rotated + r * a.rotatedStride, a.ropeDepth));
    softmax(std::span(p));
    for (size_t r = 0; r < keys; ++r)
      for (size_t c = 0; c < a.valueDepth; ++c)
        y[c] += p[r] * a.values[r * a.stride + h * a.headStride + c];
  }
}

template <typename T> LogicalResult execute(model::AttendExpandedOp op, Frame<T> &frame) {
  Tensor<T> nope = frame.tensor(op.getQNope()).held(), rope = frame.tensor(op.getQRope()).held();
  Tensor<T> gathered = frame.tensor(op.getGathered()).held(),
            kvB = frame.tensor(op.getKvB()).held();
  const Selection &selection = frame.selection(op.getSelection());
  size_t rows = nope.size(0), heads = nope.size(1), depth = nope.size(2);
  size_t latent = kvB.size(1), expanded = kvB.size(0), width = gathered.size(2);
  if (failed(checkRows(op, rows, selection.rows())))
    return failure();
  T scale = static_cast<T>(op.getScale().convertToDouble());
  size_t valueDepth = expanded / heads - depth;
  Tensor<T> y = frame.make(op.getResult(), {int64_t(rows), int64_t(heads), int64_t(valueDepth)});
  size_t blocks = (expanded + lanes - 1) / lanes, stride = blocks * lanes;
  std::vector<T> packed(blocks * latent * lanes);
  for (size_t block = 0; block < blocks; ++block)
    pack(kvB.data() + block * lanes * latent, latent, std::min(lanes, expanded - block * lanes),
         latent, packed.data() + block * latent * lanes);
  llvm::parallelFor(0, rows, [&](size_t i) {
    size_t keys = selection.row(i).size();
    const T *g = gathered.data() + i * gathered.size(1) * width;
    // Keys and values of every head, one row for each selected position.
    std::vector<T> pairs(keys * stride);
    for (size_t block = 0; block < blocks; ++block)
      dots(g, width, keys, packed.data() + block * latent * lanes, latent,
           pairs.data() + block * lanes, stride);
    attend<T>({nope.data() + i * heads * depth, rope.data() + i * heads * rope.size(2),
               pairs.data(), pairs.data() + depth, g + latent, heads, depth, rope.size(2),
               valueDepth, stride, depth + valueDepth, width},
              keys, scale, y.data() + i * heads * valueDepth);
  });
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::AttendLatentOp op, Frame<T> &frame) {
  Tensor<T> q = frame.tensor(op.getQ()).held(), rope = frame.tensor(op.getQRope()).held();
  Tensor<T> gathered = frame.tensor(op.getGathered()).held();
  const Selection &selection = frame.selection(op.getSelection());
  size_t rows = q.size(0), heads = q.size(1), latent = q.size(2), width = gathered.size(2);
  if (failed(checkRows(op, rows, selection.rows())))
    return failure();
  T scale = static_cast<T>(op.getScale().convertToDouble());
  Tensor<T> y = frame.make(op.getResult(), q.shape());
  llvm::parallelFor(0, rows, [&](size_t i) {
    const T *g = gathered.data() + i * gathered.size(1) * width;
    attend<T>({q.data() + i * heads * latent, rope.data() + i * heads * rope.size(2), g, g,
               g + latent, heads, latent, rope.size(2), latent, width, 0, width},
              selection.row(i).size(), scale, y.data() + i * heads * latent);
  });
  return frame.set(op.getResult(), std::move(y));
}

} // namespace

template <typename T>
std::optional<LogicalResult> executeAttentionOp(Operation *op, Frame<T> &frame) {
  using namespace model;
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .template Case<IndexScoresOp, SelectTopKOp, SelectionIdsOp, SelectionOfIdsOp, SelectVisibleOp,
                     GatherOp, AttendExpandedOp, AttendLatentOp>(
          [&](auto known) { return execute<T>(known, frame); })
      .Default([](Operation *) { return std::nullopt; });
}

template std::optional<LogicalResult> executeAttentionOp<float>(Operation *, Frame<float> &);
template std::optional<LogicalResult> executeAttentionOp<double>(Operation *, Frame<double> &);

} // namespace glm::interpret
