// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What glm-interpret does once its command line is read.
#ifndef GLM_TOOLS_GLM_INTERPRET_RUN_H
#define GLM_TOOLS_GLM_INTERPRET_RUN_H

#include "absl/status/status.h"

#include <cstdint>
#include <optional>
#include <string>

/// The command line. File names are as given: `@` in front of them is taken off. Empty = not given.
struct InterpretArguments {
  std::string checkpoint, module;
  std::string tokens, logits, draftLogits, outputTokens, stagesTo;
  std::optional<int64_t> maxTokens;
  bool ignoreStop = false, perplexity = false;
  int64_t window = 512;
  std::optional<double> latentNormEps;
  bool f64 = false;
  int64_t chunk = 256;
};

/// Runs the interpreter and writes the files asked for; nothing is written when something fails.
absl::Status interpretCheckpoint(const InterpretArguments &arguments);

#endif
