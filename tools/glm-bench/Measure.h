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

/// `[{"context", "tokens_per_s"}, …]`, one row a step behind `context` rows.
nlohmann::ordered_json measureDecode(const Arguments &arguments, const tool::Engine &engine);

/// `[{"name", "path", "calls", "ms"}, …]` of decode steps at the first context, slowest first; `ms` is one step's, the slowest worker's.
nlohmann::ordered_json measureKernels(const Arguments &arguments, const tool::Engine &engine);

/// `{"tokens", "nats_per_token", "perplexity"}`: the text is tokenised in one piece without special tokens and cut into windows; each
/// is run by itself from position 0 and every token but its first is scored.
nlohmann::ordered_json measurePerplexity(const Arguments &arguments, const tool::Engine &engine);

} // namespace glm::bench

#endif
