// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/Sequence.h"

#include <algorithm>
#include <numeric>

namespace glm::interpret {
namespace {

size_t rowSize(const Array &array) {
  size_t size = 1;
  for (size_t i = 1; i < array.shape.size(); ++i)
    size *= static_cast<size_t>(array.shape[i]);
  return size;
}

/// Appends the rows of every result to those of the chunks before.
void join(Arrays &whole, Arrays part) {
  if (whole.empty()) {
    whole = std::move(part);
    return;
  }
  for (auto &[name, array] : part) {
    Array &before = whole[name];
    before.shape[0] += array.shape[0];
    before.reals.insert(before.reals.end(), array.reals.begin(), array.reals.end());
    before.integers.insert(before.integers.end(), array.integers.begin(), array.integers.end());
  }
}

/// The rows of a chunk of `count` rows that get logits.
Array logitRows(LogitRows which, size_t count, bool last) {
  Array rows;
  if (which == LogitRows::All) {
    rows.integers.resize(count);
    std::iota(rows.integers.begin(), rows.integers.end(), 0);
  } else if (last) {
    rows.integers = {static_cast<int32_t>(count) - 1};
  }
  rows.shape = {static_cast<int64_t>(rows.integers.size())};
  return rows;
}

} // namespace

Array rowsOf(const Array &array, size_t first, size_t count) {
  Array part{array.shape, {}, {}};
  part.shape[0] = static_cast<int64_t>(count);
  size_t size = rowSize(array);
  if (!array.reals.empty())
    part.reals.assign(array.reals.begin() + first * size,
                      array.reals.begin() + (first + count) * size);
  if (!array.integers.empty())
    part.integers.assign(array.integers.begin() + first * size,
                         array.integers.begin() + (first + count) * size);
  return part;
}

Rows Sequence::rowsFor(std::span<const int64_t> tokens, int64_t first) const {
  Rows rows;
  for (size_t i = 0; i < tokens.size(); ++i)
    rows.push_back({static_cast<int32_t>(tokens[i]), slot, static_cast<int32_t>(first + i), 0});
  return rows;
}

absl::StatusOr<Arrays> Sequence::append(std::span<const int64_t> tokens, LogitRows logits) {
  Arrays results;
  for (size_t begin = 0; begin < tokens.size(); begin += chunk) {
    std::span part = tokens.subspan(begin, std::min(chunk, tokens.size() - begin));
    bool last = begin + part.size() == tokens.size();
    absl::StatusOr<Arrays> step = session.run(
        "step", rowsFor(part, tokensSeen), {{"logit_rows", logitRows(logits, part.size(), last)}});
    if (!step.ok())
      return step.status();
    tokensSeen += static_cast<int64_t>(part.size());
    join(results, std::move(*step));
  }
  return results;
}

absl::StatusOr<Arrays> Sequence::draft(std::span<const int64_t> tokens, const Array &hidden,
                                       int64_t first, LogitRows logits, const Array *selection) {
  Arrays results;
  for (size_t begin = 0; begin < tokens.size(); begin += chunk) {
    std::span part = tokens.subspan(begin, std::min(chunk, tokens.size() - begin));
    bool last = begin + part.size() == tokens.size();
    Arrays arguments = {{"logit_rows", logitRows(logits, part.size(), last)},
                        {"hidden", rowsOf(hidden, begin, part.size())}};
    if (selection)
      arguments.emplace("selection", *selection);
    absl::StatusOr<Arrays> step =
        session.run(selection ? "draft_shared" : "draft",
                    rowsFor(part, first + static_cast<int64_t>(begin)), arguments);
    if (!step.ok())
      return step.status();
    join(results, std::move(*step));
  }
  return results;
}

} // namespace glm::interpret
