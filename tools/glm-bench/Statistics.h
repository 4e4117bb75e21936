// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef GLM_TOOLS_GLM_BENCH_STATISTICS_H
#define GLM_TOOLS_GLM_BENCH_STATISTICS_H

#include <algorithm>
#include <cmath>
#include <vector>

namespace glm::bench {

/// Repeated measurements of one thing. Machines are shared: the median is the figure, the rest says
/// how far to trust it.
struct Summary {
  double median = 0, least = 0, most = 0;

  /// Of at least one value; the middle two of an even number are averaged.
  explicit Summary(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    size_t half = values.size() / 2;
    median = values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
    least = values.front();
    most = values.back();
  }
};

/// How far two values of one limit are apart, as a share of their mean.
inline double spreadOf(double before, double after) {
  double mean = (before + after) / 2;
  return mean > 0 ? std::abs(after - before) / mean : 0;
}

/// Limits that differ by more say that somebody else was using the machine.
inline constexpr double noisySpread = 0.15;

} // namespace glm::bench

#endif
