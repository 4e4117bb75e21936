// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One slot that text is generated in: the callback between glm_generate and a session, streaming to
// standard output, and Ctrl-C, which ends a run early.
#ifndef GLM_TOOLS_GLM_RUN_GENERATION_H
#define GLM_TOOLS_GLM_RUN_GENERATION_H

#include "tools/glm-run/Arguments.h"
#include "tools/glm-run/Draft.h"

namespace glm::run {

class Generation {
public:
  /// Room for `context` positions, steps of at most `rows` rows. `stream`: print text as it comes.
  Generation(const Arguments &arguments, const tool::Engine &engine, int64_t context, int64_t rows,
             bool stream);

  /// Continues after `prompt`, whose first `position` tokens the slot holds already. After Ctrl-C
  /// the statistics say GLM_FINISH_CANCELLED.
  glm_generation_statistics run(const std::vector<int32_t> &prompt, size_t maxTokens,
                                int64_t position);

  /// What the latest run generated, a stop id included.
  const std::vector<int32_t> &tokens() const { return generated; }
  const std::string &text() const { return spoken; }
  Session &session() { return slot; }
  int64_t context() const { return positions; }

private:
  static glm_status step(void *self, const glm_row *rows, size_t count, const int32_t *logitRows,
                         size_t logitCount, const float **logits);
  static glm_status draft(void *self, const int32_t *nextTokens, size_t count, int64_t position,
                          size_t wanted, int32_t *drafts);
  static glm_status truncate(void *self, int64_t length);
  static int32_t event(void *self, const glm_generation_event *event);
  void print(const glm_generation_event &event);
  void showProgress(size_t rows);

  const Arguments &arguments;
  const tool::Engine &engine;
  int64_t positions;
  bool stream;
  size_t drafts;
  int64_t maxRows;
  Session slot;
  std::optional<Draft> draftLayer; ///< when drafts are wanted
  glm_sampling sampling;
  std::vector<int32_t> generated;
  std::string spoken;
  size_t promptRows = 0;
  size_t promptDone = 0;
};

/// The token ids of --prompt, --chat with a prompt, or --messages; of --render too, after it was
/// printed.
std::vector<int32_t> promptOf(const Arguments &arguments, const tool::Engine &engine);

/// Statistics as --stats wants them, printed or written.
void report(const Arguments &arguments, const tool::Engine &engine,
            const glm_generation_statistics &statistics);

} // namespace glm::run

#endif
