// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop of glm_generate (glm/text.h), in C++. Knows of the model only what glm_generation_model
// says.
#ifndef GLM_RUNTIME_TEXT_GENERATE_H
#define GLM_RUNTIME_TEXT_GENERATE_H

#include "glm/text.h"

#include <span>

namespace glm::text {

class Tokenizer;

/// Thrown when a callback of the model fails.
struct StepFailure {
  glm_status status;
};

/// Fills `statistics` as it goes, so that they hold up to where it failed. Throws Error and
/// StepFailure.
void generate(const glm_generation_model &model, const Tokenizer *tokenizer,
              std::span<const int32_t> prompt, const glm_generation_options &options,
              glm_generation_statistics &statistics);

/// The sampling that a checkpoint's generation_config.json asks for: greedy unless do_sample. The
/// seed is 0.
inline glm_sampling samplingOf(const glm_generation_defaults &defaults) {
  return {defaults.repetition_penalty,
          defaults.do_sample ? defaults.temperature : 0,
          defaults.top_k,
          defaults.top_p,
          defaults.min_p,
          0};
}

} // namespace glm::text

#endif
