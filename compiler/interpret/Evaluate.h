// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What people ask a model for: logits of a prompt, drafts, a greedy continuation, the values in
// between, the likelihood of a text. Every function works on a fresh session of an imported module.
#ifndef GLM_COMPILER_INTERPRET_EVALUATE_H
#define GLM_COMPILER_INTERPRET_EVALUATE_H

#include "compiler/interpret/Sequence.h"

namespace glm::interpret {

/// Logits [n, vocab] of every position of a prompt.
absl::StatusOr<Array> promptLogits(Session &session, std::span<const int64_t> tokens,
                                   int64_t chunk);

/// The draft layer's logits [n, vocab], teacher-forced: row p has the final hidden of position p
/// and the token at p + 1, the last row the model's own next token. Error GLM0003 without a draft
/// layer.
absl::StatusOr<Array> draftLogits(Session &session, std::span<const int64_t> tokens, int64_t chunk);

/// The most likely continuation, at most `count` tokens. A token of `stops` ends it and is its
/// last.
absl::StatusOr<std::vector<int64_t>> greedyTokens(Session &session, std::span<const int64_t> tokens,
                                                  size_t count, std::span<const int64_t> stops,
                                                  int64_t chunk);

/// Values in between, by the names of the golden arrays: hidden [layers + 1, n, width], final [n,
/// width], index_layers [k], index_mask [k, n, n] (0 and 1), moe_layers [m], expert_ids and
/// expert_weights [m, n, topK]; of the draft layer mtp_hidden [n, width], mtp_index_mask [n, n],
/// mtp_draft_logits [3, vocab]. The module must keep them (ImportOptions); what it does not keep is
/// left out.
absl::StatusOr<Arrays> stageArrays(Session &session, std::span<const int64_t> tokens,
                                   int64_t chunk);

/// The negative log-likelihood of a text in nats, summed over windows of `window` tokens that start
/// afresh; the first token of a window is not scored.
struct Likelihood {
  double nats = 0;
  size_t tokens = 0;
};
absl::StatusOr<Likelihood> likelihood(Session &session, std::span<const int64_t> tokens,
                                      size_t window, int64_t chunk);

} // namespace glm::interpret

#endif
