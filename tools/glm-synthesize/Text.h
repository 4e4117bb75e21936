// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text side of a synthesised checkpoint, for configurations that come without one: a byte-level
// BPE without merges that fits any vocabulary, and a plain chat template.
#ifndef GLM_TOOLS_SYNTHESIZE_TEXT_H
#define GLM_TOOLS_SYNTHESIZE_TEXT_H

#include "compiler/import/Config.h"

#include <string>

namespace glm::synthesize {

/// tokenizer.json: 256 byte tokens, and the 36 added tokens of GLM in their order from
/// eos_token_id[0] on, as many of both as the vocabulary holds.
std::string tokenizerJson(const Glm5Config &config);

std::string tokenizerConfigJson(const Glm5Config &config);

std::string chatTemplate();

/// temperature 1.0, top_p 0.95 and the stop ids of the configuration.
std::string generationConfigJson(const Glm5Config &config);

} // namespace glm::synthesize

#endif
