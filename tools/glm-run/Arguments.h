// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of glm-run.
#ifndef GLM_TOOLS_GLM_RUN_ARGUMENTS_H
#define GLM_TOOLS_GLM_RUN_ARGUMENTS_H

#include "tools/engine/Engine.h"

#include <optional>

namespace glm::run {

/// Files are names without the leading `@`; empty means not given.
struct Arguments {
  tool::EngineOptions engine;
  int64_t context = 0; ///< 0: what the prompt and max tokens need
  int64_t chunk = 0;   ///< rows of a step over the prompt; 0: chosen
  std::string device = "cpu";

  std::optional<std::string> prompt; ///< as given: text, `@FILE` or `-`
  std::string messages;
  bool chat = false;
  bool render = false;

  std::string tokens;
  std::string logits;
  std::string draftLogits;
  std::string outputTokens;
  std::string stagesTo;
  std::string tokenize;
  std::string detokenize;
  bool skipSpecial = false;

  int64_t maxTokens = -1; ///< -1: the mode's default
  std::optional<double> temperature;
  std::optional<double> topP;
  std::optional<int32_t> topK;
  std::optional<double> minP;
  std::optional<double> repetitionPenalty;
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
  bool ignoreStop = false;
  int logProbabilities = 0;
  std::string draft = "auto";

  bool stats = false;
  std::string statsFile;

  /// The number of drafts follows from what they give and cost.
  bool draftsAutomatic() const { return draft == "auto"; }

  /// Only the tokenizer is used.
  bool needsNoSteps() const { return !tokenize.empty() || !detokenize.empty() || render; }
};

/// Parses; throws tool::Failure. Nothing when `--help` or `--version` was asked for and printed.
std::optional<Arguments> parse(int argc, char **argv);

/// The sampling of the artifact's defaults and the flags; draws a seed where one is needed, and
/// prints it as a note.
glm_sampling samplingOf(const Arguments &arguments, const glm_generation_defaults &defaults);

} // namespace glm::run

#endif
