// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `cpu-kernel-test --benchmark codes`: linears by int8 and int4 codes, thread CPU time, against the
// same code on a weight that stays in L1. Prints, asserts nothing.
#include "Benchmark.h"
#include "Codes.h"

#include <algorithm>
#include <cstdio>

namespace glm::test {
namespace {

/// Seconds of one run, the median of many.
double median(const std::function<void()> &run) {
  std::vector<double> times;
  run();
  for (int sample = 0; sample < 15; ++sample)
    times.push_back(seconds(run));
  std::sort(times.begin(), times.end());
  return times[7];
}

struct Case {
  const char *name;
  int64_t bits;
  bool groups;
};

double rateOf(const TargetOptions &machine, Case what, int64_t rows, Shape shape, double &weights) {
  Kernels kernels(codesKernel(shape, what.bits, what.groups ? grouped : summed), machine);
  Random random(1);
  Buffer<uint8_t> x(size_t(rows * shape.depth)),
      w(size_t(shape.width * shape.depth * what.bits / 8));
  for (uint8_t &byte : x)
    byte = uint8_t(random.bits());
  for (uint8_t &byte : w)
    byte = uint8_t(random.bits());
  Buffer<float> scales(size_t(shape.width * shape.depth / 32), 0.5f), y(size_t(rows * shape.width));
  std::vector<uint64_t> arguments{x.word(), uint64_t(rows), w.word()};
  if (what.groups)
    arguments.push_back(scales.word());
  arguments.insert(arguments.end(), {y.word(), uint64_t(rows)});
  glm_kernel kernel = kernels.entry("linear");
  uint8_t *scratch = kernels.scratchOf("linear");
  double operations = 2.0 * double(rows * shape.width * shape.depth);
  int64_t repeat = std::max<int64_t>(1, int64_t(4e8 / operations));
  double time = median([&] {
                  for (int64_t i = 0; i < repeat; ++i)
                    kernel(arguments.data(), 0, 1, scratch);
                }) /
                double(repeat);
  weights = double(w.size() + (what.groups ? 4 * scales.size() : 0)) / time * 1e-9;
  return operations / time * 1e-9;
}

} // namespace

void runCodesBenchmarks(const TargetOptions &machine) {
  for (Case what : {Case{"int8", 8, false}, Case{"int4", 4, false}, Case{"int4/32", 4, true}}) {
    double unused = 0, inside = rateOf(machine, what, 6, {64, 64, 256, 0, 126}, unused);
    for (auto [rows, N, K] : {std::tuple<int64_t, int64_t, int64_t>{512, 1024, 1024},
                              {64, 12288, 2048},
                              {64, 16384, 768},
                              {1, 8192, 16384}}) {
      double weights = 0;
      double rate = rateOf(machine, what, rows, {64, N, K, 0, 126}, weights);
      std::printf(
          "%-24s %-7s %5ld x %5ld x %5ld: %7.1f GOP/s, in L1 %7.1f, ratio %.2f, weights %5.1f "
          "GB/s\n",
          nameOf(machine).c_str(), what.name, long(rows), long(N), long(K), rate, inside,
          rate / inside, weights);
    }
  }
}

} // namespace glm::test
