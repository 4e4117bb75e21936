// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `cpu-kernel-test --benchmark[=top-k]`: linears against a loop of the same instruction on
// registers, both measured in thread CPU time, alternating. Prints ratios, asserts nothing.
#include "Benchmark.h"
#include "KernelRunner.h"
#include "Linear.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

namespace glm::test {

double seconds(const std::function<void()> &run) {
  timespec before, after;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  run();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  return double(after.tv_sec - before.tv_sec) + 1e-9 * double(after.tv_nsec - before.tv_nsec);
}

namespace {

/// GFLOP/s of two functions, medians of alternating samples.
std::pair<double, double> compare(double flopA, const std::function<void()> &a, double flopB,
                                  const std::function<void()> &b) {
  std::vector<double> samplesA, samplesB;
  a();
  b();
  for (int sample = 0; sample < 15; ++sample) {
    samplesA.push_back(flopA / seconds(a) * 1e-9);
    samplesB.push_back(flopB / seconds(b) * 1e-9);
  }
  std::sort(samplesA.begin(), samplesA.end());
  std::sort(samplesB.begin(), samplesB.end());
  return {samplesA[7], samplesB[7]};
}

/// The same product on data that stays in L1: nothing but its instructions. `block`: rows of a
/// unit.
template <typename T>
void benchmark(const TargetOptions &machine, int64_t rows, int64_t N, int64_t K, int64_t block) {
  constexpr int64_t n = 64;
  Kernels kernels(linearKernel<T>({n, N, K, K, block}, blocked), machine);
  Kernels resident(linearKernel<T>({n, n, 128, 128}), machine);
  Buffer<T> x(rows * K), w(N * K), small(n * 128), few(6 * 128);
  Buffer<float> y(rows * N), corner(6 * n);
  Random(1).fill(x);
  Random(2).fill(w);
  std::vector<uint64_t> arguments{x.word(), uint64_t(rows), w.word(), y.word(), uint64_t(rows)};
  std::vector<uint64_t> inside{few.word(), 6, small.word(), corner.word(), 6};
  glm_kernel kernel = kernels.entry("linear"), peak = resident.entry("linear");
  uint8_t *scratch = kernels.scratchOf("linear"), *other = resident.scratchOf("linear");
  int64_t repeat = std::max<int64_t>(1, int64_t(2e9) / (2 * rows * N * K)), turns = 20000;
  auto [rate, limit] = compare(
      2.0 * double(rows * N * K * repeat),
      [&] {
        for (int64_t i = 0; i < repeat; ++i)
          kernel(arguments.data(), 0, 1, scratch);
      },
      2.0 * 6 * n * 128 * double(turns),
      [&] {
        for (int64_t i = 0; i < turns; ++i)
          peak(inside.data(), 0, 1, other);
      });
  double bytes = double(N * K * int64_t(sizeof(T))) / (2.0 * double(rows * N * K)) * rate;
  std::printf("%-24s %s %5ld x %5ld x %5ld by %3ld: %7.1f GFLOP/s, in L1 %7.1f, ratio %.2f, "
              "weights %5.1f GB/s\n",
              nameOf(machine).c_str(), sizeof(T) == 2 ? "bf16" : "f32 ", long(rows), long(N),
              long(K), long(block), rate, limit, rate / limit, bytes);
}

} // namespace

/// `only`: a family of kernels; empty: all.
void runBenchmarks(const std::string &only) {
  auto wants = [&](const char *family) { return only.empty() || only == family; };
  for (const TargetOptions &machine : runnableMachines()) {
    if (machine.cpu == "x86-64-v3")
      continue;
    if (wants("expanded"))
      runExpandedBenchmarks(machine);
    if (wants("top-k"))
      runTopKBenchmarks(machine);
    if (wants("codes"))
      runCodesBenchmarks(machine);
    if (!wants("linear"))
      continue;
    // Rows, columns, depth, rows of a unit. The third: one expert of a prompt after the other.
    for (auto [rows, N, K, block] :
         {std::tuple<int64_t, int64_t, int64_t, int64_t>{512, 1024, 1024, 126},
          {512, 1024, 1024, 6},
          {64, 12288, 2048, 126},
          {8, 8192, 8192, 24},
          {1, 8192, 8192, 24}}) {
      benchmark<float>(machine, rows, N, K, block);
      benchmark<Bf16>(machine, rows, N, K, block);
    }
  }
}

} // namespace glm::test

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) == "--benchmark") {
      glm::test::runBenchmarks(i + 1 < argc ? argv[i + 1] : "");
      return 0;
    } else if (std::string(argv[i]) == "--benchmark=top-k") {
      glm::test::runTopKBenchmarks({});
      return 0;
    }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
