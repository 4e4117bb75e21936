// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an artifact says about where it comes from.
#ifndef GLM_COMPILER_ARTIFACT_PROVENANCE_H
#define GLM_COMPILER_ARTIFACT_PROVENANCE_H

#include "compiler/artifact/Tables.h"
#include "compiler/import/Safetensors.h"

namespace glm::artifact {

/// Compiler, commit and schema of this build, precision and flags of the call, and the checkpoint's
/// files. Of a weight file the hash covers the header (names, types, shapes, places of all
/// tensors), because the ledger has the hash of each tensor; of other files it covers everything.
/// `checkpoint` may be null.
absl::StatusOr<Provenance> describeOrigin(mlir::ModuleOp module, const Checkpoint *checkpoint,
                                          std::string compiler, std::vector<std::string> flags);

/// The commit this build was configured at; "unknown" outside a repository.
std::string_view buildCommit();

} // namespace glm::artifact

#endif
