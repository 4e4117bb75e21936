// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Times of an artifact. Every figure is the median of several runs on caches filled with seeded
// rows; machines are shared, so a single figure means little.
#ifndef GLM_TOOLS_GLM_BENCH_MEASURE_H
#define GLM_TOOLS_GLM_BENCH_MEASURE_H

#include "tools/engine/Engine.h"

#include <nlohmann/json.hpp>

namespace glm::bench {

struct Arguments {
  tool::EngineOptions engine;
  std::vector<int64_t> prefill;  ///< prompt lengths, tokens
  int64_t decode = 16;           ///< steps per figure
  int64_t slots = 1;             ///< sequences that decode together, a row a step each
  std::vector<int64_t> contexts; ///< rows in the cache before decoding
  int repetitions = 5;
  uint64_t seed = 1;
  bool kernels = false;
  std::string json;

  std::string perplexity; ///< text file
  int64_t window = 512;   ///< tokens
};

/// `[{"tokens", "tokens_per_s"}, …]`, one run of the prompt from an empty cache each.
nlohmann::ordered_json measurePrefill(const Arguments &arguments, const tool::Engine &engine);

/// A session whose slots hold `context` seeded rows each, with room for the steps.
Session openFilled(const Arguments &arguments, const tool::Engine &engine, int64_t context,
                   bool profile);
/// Truncates the slots to `context` rows and runs the steps.
void decodeSteps(const Arguments &arguments, const tool::Engine &engine, Session &session,
                 int64_t context);

/// `[{"context", "slots", "tokens_per_s"}, …]`, one row a step and slot behind `context` rows;
/// tokens of all slots.
nlohmann::ordered_json measureDecode(const Arguments &arguments, const tool::Engine &engine);

/// `[{"name", "path", "ms", "share"}, …]` of decode steps at the first context, slowest first; `ms`
/// is one step's, the slowest worker's, `share` of their sum. The time in barriers is a row too.
nlohmann::ordered_json measureKernels(const Arguments &arguments, const tool::Engine &engine);

/// `{"tokens", "nats_per_token", "perplexity"}`: the text is tokenised in one piece without special
/// tokens and cut into windows; each is run by itself from position 0 and every token but its first
/// is scored.
nlohmann::ordered_json measurePerplexity(const Arguments &arguments, const tool::Engine &engine);

} // namespace glm::bench

#endif
