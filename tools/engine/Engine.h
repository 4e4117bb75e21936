// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact ready to run, as glm-run and glm-bench need it: runtime, model, tokenizer, sessions.
// Everything that fails throws Failure.
#ifndef GLM_TOOLS_ENGINE_ENGINE_H
#define GLM_TOOLS_ENGINE_ENGINE_H

#include "glm/glm.hpp"
#include "glm/text.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace glm::tool {

/// How steps over many rows of one sequence attend. Sessions take what the artifact presets unless
/// one form is asked for, which is for measurements.
enum class Attention {
  automatic,
  gathered, ///< every row reads its selected keys
  masked,   ///< all keys are expanded, a mask hides what is not selected
  expanded  ///< all keys are expanded and nothing is hidden: beyond index_topk not the model
};

/// What flags and reports call them, in order.
inline constexpr const char *attentionNames[] = {"auto", "gathered", "masked", "expanded"};

struct EngineOptions {
  std::string artifact;
  int threads = 0; ///< 0: as many as this process may use
  bool copyWeights = false;
  bool verifyWeights = false;
  std::string level; ///< name of the code to run; empty: the best that this processor can
  Attention attention = Attention::automatic;
};

class Engine {
public:
  explicit Engine(const EngineOptions &options);

  const glm_model_info &info() const { return modelInfo; }
  double loadMilliseconds() const { return loadTime; }
  const Model &model() const { return loaded; }
  glm_runtime_statistics statistics() const { return runtime.statistics(); }

  /// Null when the artifact has no tokenizer.
  glm_tokenizer *tokenizerOrNull() const { return openTokenizer.get(); }
  /// Throws when there is none.
  glm_tokenizer *tokenizer() const;

  std::vector<int32_t> encode(const std::string &text, uint32_t flags = 0) const;
  std::string decode(const std::vector<int32_t> &ids, uint32_t flags = 0) const;
  /// `request`: the JSON of glm_chat_render.
  std::string renderChat(const std::string &request) const;

  /// Slots of `context` positions (0: the artifact's bound), at most `maxRows` rows a step, with
  /// room for the logits of them all if `allLogits`.
  Session openSession(int64_t context, int64_t maxRows, int64_t slots = 1, bool profile = false,
                      bool allLogits = false) const;
  /// Rows of a step that suit a prompt of so many tokens.
  int64_t rowsFor(int64_t tokens, int64_t chunk = 0) const;
  /// Throws unless the `positions` that `thing` needs fit `context` (0: what the artifact was
  /// compiled for).
  void requireContext(const char *thing, int64_t positions, int64_t context = 0) const;

private:
  struct CloseTokenizer {
    void operator()(glm_tokenizer *tokenizer) const { glm_tokenizer_close(tokenizer); }
  };
  /// Sizes of a session that force the form of attention that was asked for.
  std::vector<glm_dim> formOf(int64_t context) const;

  Attention attention;
  Runtime runtime;
  Model loaded;
  glm_model_info modelInfo = {};
  std::unique_ptr<glm_tokenizer, CloseTokenizer> openTokenizer;
  double loadTime = 0;
};

/// Rows of slot 0 from `position` on.
std::vector<glm_row> rowsOf(const int32_t *tokens, size_t count, int64_t position);

/// Runs `tokens` through slot 0 in steps of at most `chunk` rows. `allLogits`: logits of every row
/// are computed, otherwise those of the last row of the whole. `seen(first, count)` is called after
/// each step.
void prefill(Session &session, const std::vector<int32_t> &tokens, int64_t chunk, bool allLogits,
             const std::function<void(size_t first, size_t count)> &seen);

/// An f32 output of the latest step.
std::span<const float> floats(const Session &session, const char *name);

} // namespace glm::tool

#endif
