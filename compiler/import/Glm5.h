// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a checkpoint folder to a module of the `glm` dialect (dialects/glm/RATIONALE.md shows one).
// The graph is built from config.json; of the weight files only headers are read. It is written in
// the model's own steps: nothing is fused, rounded or absorbed here.
#ifndef GLM_COMPILER_IMPORT_GLM5_H
#define GLM_COMPILER_IMPORT_GLM5_H

#include "absl/status/statusor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace glm {

struct ImportOptions {
  /// Leave the draft (MTP) layer out: no `draft` entries, its tensors are waived.
  bool noMtp = false;
  /// eps of q_a_layernorm and kv_a_layernorm; default rms_norm_eps, as the vendor's engines. 1e-6
  /// gives the class default of transformers.
  std::optional<double> latentNormEps;
  /// Longest sequence the artifact can serve, in tokens; 0 = max_position_embeddings.
  int64_t context = 0;
  /// Intermediate values that become results of `step`.
  bool keepSelections = false, keepExperts = false, keepHidden = false;
};

/// Imports the checkpoint in `folder`. Loads the dialects it needs into `context`. The module is
/// verified.
///
/// Beside symbols and functions it carries two attributes:
///   glm.model       family, sizes, context, and generation defaults {eos, pad, temperature, …}
///   glm.checkpoint  {folder, tensors = number of tensors, waived = [[name, reason], …]}: with the
///                   weights and banks of the module, the whole ledger
///
/// Errors: GLM0002-0004, GLM0100-0117, GLM0200-0206, GLM0300-0305, each naming the thing at fault.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importCheckpoint(const std::filesystem::path &folder, const ImportOptions &options,
                 mlir::MLIRContext &context);

} // namespace glm

#endif
