// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The MTP layer of one slot: the artifact's entries `draft` and, where later drafts reuse the first
// one's selection of keys, `draft_shared`.
//
// Row p of the draft layer takes the final hidden state of position p and the token of position
// p + 1, and predicts the token of position p + 2. Its caches fill beside the model's.
#ifndef GLM_TOOLS_GLM_RUN_DRAFT_H
#define GLM_TOOLS_GLM_RUN_DRAFT_H

#include "tools/engine/Engine.h"

namespace glm::run {

class Draft {
public:
  /// Whether the artifact has code for the draft layer.
  static bool available(const tool::Engine &engine);

  /// For slot 0 of `session`. Throws when the layer is not available.
  Draft(const tool::Engine &engine, Session &session);

  /// Runs the layer for the first nextTokens.size() rows of the latest step, which stand at
  /// `position` and later; nextTokens[i] follows row i. Logits of every row if `allLogits`, else of
  /// the last one if `lastLogits`; they live until the session's next step or run.
  glm_status run(std::span<const int32_t> nextTokens, int64_t position, bool allLogits,
                 bool lastLogits, const float **logits);

  /// `run`, then greedily `drafts.size()` tokens after the last of nextTokens, each from the one
  /// before. The context has room for all of them.
  glm_status propose(std::span<const int32_t> nextTokens, int64_t position,
                     std::span<int32_t> drafts);

private:
  glm_status call(const char *entry, std::span<const glm_row> rows, std::span<const float> hidden,
                  std::span<const int32_t> selection, std::span<const int32_t> logitRows);
  glm_status keepLastRow(size_t rows);
  int32_t best(const float *logits) const;

  const tool::Engine &engine;
  Session &session;
  bool shared = false;           ///< the artifact has `draft_shared`
  std::vector<float> hidden;     ///< of the rows to run: the model's, later the layer's own
  std::vector<int32_t> selected; ///< by the last row of the first draft
};

} // namespace glm::run

#endif
