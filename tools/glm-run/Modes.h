// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What glm-run can do. Each mode throws tool::Failure or returns the exit code.
#ifndef GLM_TOOLS_GLM_RUN_MODES_H
#define GLM_TOOLS_GLM_RUN_MODES_H

#include "tools/glm-run/Arguments.h"

namespace glm::run {

/// --tokenize and --detokenize.
int tokenize(const Arguments &arguments, const tool::Engine &engine);
int detokenize(const Arguments &arguments, const tool::Engine &engine);

/// --tokens with --logits and --stages-to: runs the prompt and writes what was computed on the way.
int evaluate(const Arguments &arguments, const tool::Engine &engine);

/// --prompt, --messages, and --tokens otherwise: generates once.
int generateOnce(const Arguments &arguments, const tool::Engine &engine);

/// --chat without a prompt.
int converse(const Arguments &arguments, const tool::Engine &engine);

} // namespace glm::run

#endif
