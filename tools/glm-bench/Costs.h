// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the launches of an artifact cost: its program says it in counts of a step, a batch of rows
// says what the counts are. The runtime knows nothing of this.
#ifndef GLM_TOOLS_GLM_BENCH_COSTS_H
#define GLM_TOOLS_GLM_BENCH_COSTS_H

#include "glm/runtime.h"
#include "runtime/artifact/Artifact.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace glm::bench {

/// Of one step, as SCHEMA.md defines them.
struct StepCounts {
  int64_t rows = 0, logitRows = 0;
  int64_t seenKeys = 0, selectedKeys = 0, scoredKeys = 0, cachedKeys = 0, indexedKeys = 0;

  /// Of rows that attend to `topK` keys at most (0: to all), `logits` of which get logits.
  static StepCounts of(std::span<const glm_row> rows, size_t logits, int64_t topK);
  /// Nothing for a name that is not known.
  std::optional<int64_t> value(const std::string &name) const;
};

struct Work {
  double flop = 0, bytes = 0;

  Work &operator+=(const Work &other) {
    flop += other.flop;
    bytes += other.bytes;
    return *this;
  }
};

/// One command of an entry, in the order workers run them; both lists of a branch, one behind the
/// other.
struct CommandLine {
  bool isBarrier = false; ///< else a launch
  size_t launch = 0;      ///< its number among the entry's launches
};

/// Peaks that a launch can be held against.
enum class Peak { f32, bf16, int8 };
inline constexpr std::array<const char *, 3> peakNames = {"f32", "bf16", "int8"};

class ProgramCosts {
public:
  /// `level`: as in EngineOptions. Throws what is wrong with the file, or why it does not run here.
  ProgramCosts(const std::string &path, const std::string &level);

  /// Whether the artifact says what its launches cost at all.
  bool known() const { return !counts.empty(); }
  /// Whether its code multiplies bf16 by dot instructions.
  bool usesBf16Dot() const { return bf16Dot; }

  struct Launch {
    const schema::Expr *flop = nullptr, *bytes = nullptr;
    Peak peak = Peak::f32; ///< of the narrowest elements it reads
    std::string label;
  };
  /// Launches of the entry `step`, in program order as a profile lists them.
  const std::vector<Launch> &launches() const { return steps; }
  const std::vector<CommandLine> &commands() const { return order; }
  /// Whether some launches run in some steps only; who needs to know which asks a profile.
  bool hasBranches() const { return branches; }

  /// Both are 0 where nothing is known.
  Work workOf(const Launch &launch, const StepCounts &step) const;
  /// All launches together, by peak; of those that `ran` says, when it says something.
  std::array<Work, 3> total(const StepCounts &step, const std::vector<bool> &ran = {}) const;

private:
  double valueOf(const schema::Expr *cost, std::span<const int64_t> values) const;
  void add(const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands);
  Launch describe(const schema::Launch &launch) const;

  runtime::Artifact artifact;
  std::vector<std::string> counts;
  std::vector<Launch> steps;
  std::vector<CommandLine> order;
  bool bf16Dot = false, branches = false;
};

} // namespace glm::bench

#endif
