// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the weights of a placed module and the headers of its checkpoint to the work of packing and
// the rows of the ledger.
#ifndef GLM_COMPILER_ARTIFACT_PLAN_H
#define GLM_COMPILER_ARTIFACT_PLAN_H

#include "compiler/artifact/Packing.h"
#include "compiler/import/Safetensors.h"

#include "mlir/IR/BuiltinOps.h"

namespace glm::artifact {

/// Where bytes of a tensor ended up.
struct Destination {
  std::string weight; ///< name of the packed weight or bank
  uint64_t offset;    ///< in the weight segment
};

struct LedgerTensor {
  const Tensor *tensor;
  /// "consumed", "derived" or "waived".
  const char *fate = nullptr;
  std::string reason; ///< of waiving
  std::vector<Destination> destinations;
};

struct WeightPlan {
  PackingPlan packing;
  /// In the order of Checkpoint::tensors(); chunks count tensors by it.
  std::vector<LedgerTensor> ledger;
};

/// `checkpoint` outlives the plan. Errors: GLM0601 when a tensor is not where the module says,
/// GLM0305 when one has no fate.
absl::StatusOr<WeightPlan> planWeights(mlir::ModuleOp module, const Checkpoint &checkpoint);

/// The ledger segment: a JSON object {"tensors": [...]} with one line a tensor, of constant length
/// for constant plans, so that its size is known before the hashes are. `hashes` may be empty.
std::string ledgerText(const WeightPlan &plan, const Checkpoint &checkpoint,
                       const std::vector<Hash> &hashes);

} // namespace glm::artifact

#endif
