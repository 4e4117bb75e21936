// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `cpu-kernel-test --benchmark`: selection alone, and selection with the scores it selects from.
// Thread CPU time, best and median of many. Prints, asserts nothing.
#include "Benchmark.h"
#include "KernelRunner.h"
#include "Selection.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace glm::test {
namespace {

struct Times {
  double best, median;
};

/// Microseconds of one run.
Times measure(int samples, const std::function<void()> &run) {
  std::vector<double> times;
  run();
  for (int sample = 0; sample < samples; ++sample)
    times.push_back(seconds(run) * 1e6);
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

/// The K best of T scores that lie in memory.
void selectionAlone(const TargetOptions &machine, int64_t T, int64_t K) {
  Kernels kernels(topOfGiven(T, K), machine);
  Random random(1);
  const std::pair<const char *, std::function<float(int64_t)>> orders[] = {
      {"random", [&](int64_t) { return random.value() + random.value() + random.value(); }},
      {"rising", [](int64_t t) { return float(t); }},
      {"falling", [](int64_t t) { return float(-t); }},
      {"equal", [](int64_t) { return 1.0f; }},
  };
  for (const auto &[name, score] : orders) {
    Buffer<float> x(T);
    for (int64_t t = 0; t < T; ++t)
      x[t] = score(t);
    Buffer<int32_t> ids(K);
    std::vector<uint64_t> arguments{x.word(), 1, ids.word(), 1};
    glm_kernel kernel = kernels.entry("top");
    uint8_t *scratch = kernels.scratchOf("top");
    Times times = measure(201, [&] { kernel(arguments.data(), 0, 1, scratch); });
    std::printf("%-24s top %ld of %6ld %-8s: best %6.1f us, median %6.1f us\n",
                nameOf(machine).c_str(), long(K), long(T), name, times.best, times.median);
  }
}

} // namespace

void runTopKBenchmarks(const TargetOptions &machine) {
  for (int64_t T : {8192, 32768, 131072})
    selectionAlone(machine, T, 2048);
}

} // namespace glm::test
