// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sequence of tokens in a session: what is appended stands at the positions after what is
// there. A long prompt is run in chunks, which gives the same numbers and keeps the score matrices
// small.
#ifndef GLM_COMPILER_INTERPRET_SEQUENCE_H
#define GLM_COMPILER_INTERPRET_SEQUENCE_H

#include "compiler/interpret/Session.h"

#include <span>

namespace glm::interpret {

/// Which rows get logits.
enum class LogitRows { All, Last };

class Sequence {
public:
  Sequence(Session &session, int64_t chunk, int32_t slot = 0)
      : session(session), chunk(static_cast<size_t>(chunk)), slot(slot) {}

  /// Appends tokens and returns the results of `step`, those of the chunks joined along the rows.
  absl::StatusOr<Arrays> append(std::span<const int64_t> tokens, LogitRows logits);

  /// The draft layer over rows that stand at positions from `first` on: `tokens[i]` is the token
  /// after the row's position, `hidden` [rows, width] the final hidden of that position. With
  /// `selection` [1, limit] the one row reuses it.
  absl::StatusOr<Arrays> draft(std::span<const int64_t> tokens, const Array &hidden, int64_t first,
                               LogitRows logits, const Array *selection = nullptr);

  int64_t length() const { return tokensSeen; }

private:
  Rows rowsFor(std::span<const int64_t> tokens, int64_t first) const;

  Session &session;
  size_t chunk;
  int32_t slot;
  int64_t tokensSeen = 0;
};

/// Rows [first, first + count) of an array of reals or integers.
Array rowsOf(const Array &array, size_t first, size_t count);

} // namespace glm::interpret

#endif
