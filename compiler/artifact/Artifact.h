// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing the `.glm` file: header, program, segments (runtime/schema/SCHEMA.md). The module says
// everything but the bytes: code comes from the target, weights and tokenizer from the checkpoint
// folder. Same module, code, checkpoint and provenance give the same file, whatever the number of
// workers.
#ifndef GLM_COMPILER_ARTIFACT_ARTIFACT_H
#define GLM_COMPILER_ARTIFACT_ARTIFACT_H

#include "compiler/artifact/Packing.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>

namespace glm::artifact {

struct WriteOptions {
  std::filesystem::path output;
  /// Folder of weights, configuration and tokenizer; empty when the module has no weights.
  std::filesystem::path checkpoint;
  /// The linked images that `program.kernel` and `program.level` point into, by segment.
  std::map<std::string, std::string> code;
  unsigned workers = 1;
  /// Recorded as they are: the flags that change what is compiled.
  std::vector<std::string> flags;
  std::string compiler;
  Progress progress;
};

struct WriteSummary {
  uint64_t fileBytes = 0, programBytes = 0, codeBytes = 0, tokenizerBytes = 0, ledgerBytes = 0,
           weightBytes = 0;
  /// Weights whose numbers were rounded, to codes or from codes to another element, and what that
  /// changed.
  struct Rounded {
    std::string weight;
    Rounding rounding;
  };
  std::vector<Rounded> rounded;
};

/// Writes the artifact beside its final name and renames it. Adds the segments of code,
/// `tokenizer` and `ledger` to `module`. Errors: GLM0207 (a tokenizer that cannot be compiled),
/// GLM0305, GLM0600-0602.
absl::StatusOr<WriteSummary> writeArtifact(mlir::ModuleOp module, const WriteOptions &options);

} // namespace glm::artifact

#endif
