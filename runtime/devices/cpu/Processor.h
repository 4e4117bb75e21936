// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the processor underneath can execute, by LLVM's names of features.
#ifndef GLM_RUNTIME_DEVICES_CPU_PROCESSOR_H
#define GLM_RUNTIME_DEVICES_CPU_PROCESSOR_H

namespace glm::runtime {

enum class Feature { present, absent, unknown };

/// `name` with or without a leading '+'. A feature whose registers the operating system does not
/// save counts as absent. Asking for an `amx-` feature asks the kernel for its registers, as it
/// wants to be asked.
Feature processorFeature(const char *name);

/// "x86-64" or "aarch64".
const char *processorArchitecture();

} // namespace glm::runtime

#endif
