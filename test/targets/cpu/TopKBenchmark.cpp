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

/// R rows of one slot by H heads over T keys, scores and selection; median of samples.
void search(const TargetOptions &machine, int64_t H, int64_t R, int64_t T, int64_t step) {
  constexpr int64_t D = 128, K = 2048, pageRows = 1024;
  Kernels kernels(searchOfKeys(H, D, R, K, step), machine);
  Buffer<Bf16> q(R * H * D), keys(T * D);
  Buffer<float> w(R * H);
  Random(1).fill(q);
  Random(2).fill(keys);
  Random(3).fill(w);
  Buffer<glm_row> rows(R, {0, 0, int32_t(T - 1), 0});
  Buffer<int32_t> pages(T / pageRows), ids(R * K);
  for (int64_t page = 0; page < T / pageRows; ++page)
    pages[page] = int32_t(page);
  glm_cache_view view{reinterpret_cast<uint8_t *>(keys.data()), pages.data(), T / pageRows};
  std::vector<uint64_t> arguments{q.word(),
                                  uint64_t(R),
                                  w.word(),
                                  uint64_t(R),
                                  rows.word(),
                                  uint64_t(R),
                                  reinterpret_cast<uint64_t>(&view),
                                  ids.word(),
                                  uint64_t(R)};
  glm_kernel kernel = kernels.entry("search");
  uint8_t *scratch = kernels.scratchOf("search");
  Times times = measure(21, [&] { kernel(arguments.data(), 0, 1, scratch); });
  std::printf(
      "%-24s search %2ld heads, %ld rows of %6ld keys by %ld: %7.1f us a row, %6.1f GFLOP/s, keys "
      "%5.1f GB/s\n",
      nameOf(machine).c_str(), long(H), long(R), long(T), long(step), times.median / double(R),
      2e-3 * double(R * H * D * T) / times.median, 2e-3 * double(D * T) / times.median);
}

} // namespace

void runTopKBenchmarks(const TargetOptions &machine) {
  for (int64_t T : {8192, 32768, 131072})
    selectionAlone(machine, T, 2048);
  for (int64_t T : {32768, 131072})
    for (auto [H, R] : {std::pair<int64_t, int64_t>{8, 1}, {8, 8}, {32, 1}, {32, 2}})
      for (int64_t step : {16, 32})
        search(machine, H, R, T, step);
}

} // namespace glm::test
