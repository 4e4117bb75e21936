// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as one call, for glmc. No MLIR in this header.
//
//   import → model → fuse → tile → place → target → artifact
//
// A compilation enters at the first phase (a checkpoint), or behind any phase before `target` (a
// module that an earlier run stopped with), and leaves after any. Between phases it is a module,
// which can be written and read.
#ifndef GLM_COMPILER_PIPELINE_COMPILE_H
#define GLM_COMPILER_PIPELINE_COMPILE_H

#include "absl/status/status.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace glm {

enum class Phase { Import, Model, Fuse, Tile, Place, Target, Artifact };

/// "import", "model", …
const char *nameOf(Phase phase);
std::optional<Phase> parsePhase(std::string_view name);

struct CompileOptions {
  /// A checkpoint folder, or a module to go on with; with `resume`, the folder to take weights
  /// from, or empty for the one the module names.
  std::filesystem::path input;
  /// The module to go on with (`--compile-from`).
  std::optional<std::filesystem::path> resume;
  /// The artifact, or the module where `to` is an earlier phase; empty then: standard output.
  std::filesystem::path output;
  Phase to = Phase::Artifact;

  /// "cpu", and names of the target's list of processors, with commas between them: each becomes a
  /// level of the artifact.
  std::string target = "cpu", targetCpu = "native";
  /// "bf16" or "f32".
  std::string precision = "bf16";
  /// What indexers keep of a key: "bf16" (f32 where that is the precision) or "int8".
  std::string indexKeys = "bf16";
  /// A named recipe (Recipe.h), a JSON file, or empty.
  std::string recipe;
  /// Positions of a sequence, sequences of a session, rows of a step: the bounds of a session.
  /// Context 0: the model's.
  int64_t context = 0, slots = 64, rows = 2048;
  /// Most keys that attention of a prompt expands; -1: as many as pays, 0: none, one form only.
  int64_t expandedKeys = -1;
  bool noMtp = false;
  /// Every fusion is compared with what it replaced, by the interpreter.
  bool verifyFusions = false;
  std::optional<double> latentNormEps;
  bool keepSelections = false, keepExperts = false, keepHidden = false;

  /// Folder that gets `1-import.mlir`, `2-model.mlir`, …
  std::filesystem::path dumpTo;
  /// File that gets what was decided and what it cost, as JSON.
  std::filesystem::path report;
  unsigned jobs = 1;

  /// For provenance.
  std::string compiler;
  /// Called while weights are packed, with bytes done and bytes in all.
  std::function<void(uint64_t, uint64_t)> progress;
};

/// Compiles. On failure nothing is left at `output`. Errors carry a code of the catalogue.
absl::Status compile(const CompileOptions &options);

/// Removes a half-written output. For signal handlers: async-signal-safe.
void removeUnfinishedOutput();

} // namespace glm

#endif
