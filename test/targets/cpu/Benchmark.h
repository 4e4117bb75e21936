// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `cpu-kernel-test --benchmark` runs.
#ifndef GLM_TEST_TARGETS_CPU_BENCHMARK_H
#define GLM_TEST_TARGETS_CPU_BENCHMARK_H

#include "targets/cpu/Cpu.h"

#include <functional>

namespace glm::test {

/// CPU time of this thread.
double seconds(const std::function<void()> &run);

/// Linears by codes; one line a size.
void runCodesBenchmarks(const TargetOptions &machine);

void runExpandedBenchmarks(const TargetOptions &machine);
void runTopKBenchmarks(const TargetOptions &machine);

} // namespace glm::test

#endif
