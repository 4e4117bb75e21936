// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the parts of the CPU target share: LLVM's machine and the two steps behind it.
#ifndef GLM_TARGETS_CPU_CODEGEN_H
#define GLM_TARGETS_CPU_CODEGEN_H

#include "targets/Target.h"

#include <memory>

namespace llvm {
class TargetMachine;
}

namespace glm::cpu {

/// LLVM's targets, once for the process.
void initializeLlvm();

/// The machine that `description` names (triple, cpu, features), position-independent, O3.
absl::StatusOr<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const TargetDescription &description);

absl::StatusOr<TargetDescription> describeCpu(mlir::MLIRContext &context,
                                              const TargetOptions &options);
absl::StatusOr<ObjectCode> generateCode(mlir::ModuleOp module,
                                        const TargetDescription &description);
absl::StatusOr<CodeImage> linkImage(const ObjectCode &object, const TargetDescription &description);

} // namespace glm::cpu

#endif
