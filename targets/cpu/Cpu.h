// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU target: kernels become vector code, LLVM IR, an ELF object and a shared object without
// imports. `--target-cpu=native` reads the host; every other name is a cross compilation.
#ifndef GLM_TARGETS_CPU_CPU_H
#define GLM_TARGETS_CPU_CPU_H

#include "targets/Target.h"

namespace glm {

/// The only instance; it has no state.
const Target &cpuTarget();

/// `glm-vectorize-kernels` and `glm-lower-kernel-to-llvm`, for glm-opt.
void registerCpuPasses();

/// Names that `TargetOptions::cpu` takes, `native` first.
std::vector<std::string> knownCpus();

} // namespace glm

#endif
