// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Times of an artifact, each held against what the machine gave at that time. Every figure is the
// median of several runs on caches filled with seeded rows; machines are shared, so a single figure
// means little.
#ifndef GLM_TOOLS_GLM_BENCH_MEASURE_H
#define GLM_TOOLS_GLM_BENCH_MEASURE_H

#include "tools/engine/Engine.h"
#include "tools/glm-bench/Costs.h"
#include "tools/glm-bench/Limits.h"

#include <nlohmann/json.hpp>

namespace glm::bench {

using Json = nlohmann::ordered_json;

struct Arguments {
  tool::EngineOptions engine;
  std::vector<int> threads;      ///< one run of everything for each; empty: the default number
  std::vector<int64_t> prefill;  ///< prompt lengths, tokens
  int64_t decode = 16;           ///< steps per figure
  int64_t slots = 1;             ///< sequences that decode together, a row a step each
  std::vector<int64_t> contexts; ///< rows in the cache before decoding
  int repetitions = 5;
  uint64_t seed = 1;
  bool kernels = false;
  bool limits = true;
  bool neighbour = false;
  std::string json, trace;

  std::string perplexity; ///< text file
  int64_t window = 512;   ///< tokens
};

/// One number of threads: what is measured, and what it is measured against.
struct Run {
  const Arguments &arguments;
  const tool::Engine &engine;
  const ProgramCosts &costs;
  LimitLog &limits;

  /// A session that can say which launches ran, where that is not known beforehand.
  Session openSession(int64_t context, int64_t maxRows, int64_t slots, bool profile = false) const {
    return engine.openSession(context, maxRows, slots, profile || costs.hasBranches());
  }
  /// What `engine` counts of a step.
  StepCounts countsOf(std::span<const glm_row> rows, size_t logits) const {
    return StepCounts::of(rows, logits, engine.info().index_topk);
  }
  /// The name in `limits.peak_gflop_per_s` of the peak that products of that kind are held against:
  /// without dot instructions bf16 is widened and multiplied as f32.
  std::string peakName(Peak peak) const {
    return peak == Peak::bf16 && !costs.usesBf16Dot() ? "f32" : peakNames[size_t(peak)];
  }
};

/// Work of some steps, by what they are held against.
struct Total {
  std::array<Work, 3> byPeak;

  void add(const std::array<Work, 3> &step);
  Work sum() const;
  /// What most operations are held against.
  Peak mainPeak() const;
  /// Seconds that the limits allow at least: all operations at their peaks, or all bytes read,
  /// whatever takes longer.
  double peakSeconds(const Run &run, const Limits &limits) const;
};

/// Which launches of `step` ran since the profile was reset; empty when the session has none.
std::vector<bool> launchesThatRan(const Session &session);

/// A prompt of seeded tokens, in a session of its own. Making one runs it once, in `firstSeconds`.
struct Prompt {
  struct Step {
    StepCounts counts;
    std::vector<bool> ran; ///< as launchesThatRan: not every step takes the same way
  };

  Prompt(const Run &run, int64_t length, bool profile = false);
  /// From an empty cache.
  void run();

  int64_t chunk;
  std::vector<int32_t> tokens;
  Session session;
  std::vector<Step> steps;
  double firstSeconds = 0;
};

/// `[{"tokens", "tokens_per_s", "ms", "least_ms", "most_ms", "flop", "peak", "share_of_peak", …}]`,
/// one run of the prompt from an empty cache each. Short prompts have a run before that does not
/// count.
Json measurePrefill(const Run &run);

/// A session whose slots hold `context` seeded rows each, with room for the steps.
Session openFilled(const Run &run, int64_t context, bool profile);
/// Truncates the slots to `context` rows and runs the steps; `seen(rows, seconds)` after each.
void decodeSteps(
    const Run &run, Session &session, int64_t context,
    const std::function<void(std::span<const glm_row> rows, double seconds)> &seen = {});

/// `[{"context", "slots", "tokens_per_s", "ms", "least_ms", "most_ms", "bytes_per_token",
/// "share_of_read", …}]`, one row a step and slot behind `context` rows; tokens of all slots, times
/// of one step.
Json measureDecode(const Run &run);

/// How the time of a step grows with the context: from the smallest context at which keys are
/// selected to the largest, beside what reading and scoring the new keys takes at the limits and
/// what finding the best of them takes. Null without two such contexts.
Json growthOf(const Run &run, const Json &decode, const Limits &limits);

/// The first context alone and beside a process that never rests:
/// `{"context", "quiet_ms", "busy_ms", "ratio"}`.
Json measureNeighbour(const Run &run);

/// Launch by launch: `kernels` are rows `{"name", "path", "table", "calls", "ms", "bytes", "flop",
/// "share", …}` of one decode step at every context and of every prefill, slowest first; `tables`
/// is what they add up to. `ms` is the slowest worker's; `share` how much of the time the limits
/// would need. The time in barriers is a row too.
struct KernelFigures {
  Json kernels = Json::array(), tables = Json::array();
};
KernelFigures measureKernels(const Run &run);

/// One decode step at the first context as Chrome trace events, a track for each worker.
std::string traceOf(const Run &run);

/// `{"tokens", "nats_per_token", "perplexity"}`: the text is tokenised in one piece without special
/// tokens and cut into windows; each is run by itself from position 0 and every token but its first
/// is scored.
Json measurePerplexity(const Arguments &arguments, const tool::Engine &engine);

/// What the last of several numbers of threads gives, in units of the first: `{"from", "to",
/// "read", "f32", …, "decode": [{"context", "times", "of_limit"}], "prefill": […]}`, `of_limit` in
/// units of what it gives the limits: of reads for decode, of the peak for prefill.
Json scalingOf(const Json &first, const Json &last);
void printScaling(const Json &scaling);

/// The readable form of all figures of one number of threads.
void print(const Json &figures);

} // namespace glm::bench

#endif
