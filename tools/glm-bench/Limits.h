// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the machine gives at the moment. Taken right before and right after every table, with the
// table's threads and on pages of the weights' kind, because a shared machine gives another amount
// every minute: shares of a limit use the mean of both, and both are printed.
#ifndef GLM_TOOLS_GLM_BENCH_LIMITS_H
#define GLM_TOOLS_GLM_BENCH_LIMITS_H

#include "tools/glm-bench/Loops.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace glm::bench {

/// Rates of all threads together. A peak that this processor or artifact has no instruction for is
/// 0.
struct Limits {
  double read = 0;                    ///< bytes a second
  double f32 = 0, bf16 = 0, int8 = 0; ///< operations a second

  /// Peak of the arithmetic called "f32", "bf16" or "int8".
  double peak(const std::string &name) const;
};

Limits meanOf(const Limits &before, const Limits &after);
/// The largest relative difference of two.
double spreadOf(const Limits &before, const Limits &after);
/// `{"read_gb_per_s", "peak_gflop_per_s": {"f32", "bf16", "int8"}}`.
nlohmann::ordered_json toJson(const Limits &limits);

class LimitLoops {
public:
  struct Options {
    int threads = 1;
    bool hugePages = true; ///< as the weights have them
    bool bf16Dot = false;  ///< the artifact multiplies bf16 by dot instructions, not by f32 FMA
    size_t bytes = size_t(1) << 30;
  };

  explicit LimitLoops(const Options &options);
  ~LimitLoops();
  LimitLoops(const LimitLoops &) = delete;
  LimitLoops &operator=(const LimitLoops &) = delete;

  /// Medians of several runs of every loop; about a second.
  Limits take() const;

  /// Seconds that one thread needs to find the best `kept` of `count` scores.
  static double topKSeconds(int64_t count, int64_t kept);

private:
  double readRate(ReadLoop loop) const;
  double peakRate(const PeakLoop &loop) const;

  Options options;
  Loops loops;
  uint8_t *data = nullptr;
};

/// Seconds from a common start of `work(thread)` on so many threads to the end of the last.
double parallelSeconds(int threads, const std::function<void(int)> &work);

/// The limits around the tables of one run, in the order they were taken.
class LimitLog {
public:
  /// Null loops: no limits, every share is unknown.
  explicit LimitLog(const LimitLoops *loops) : loops(loops) {}

  explicit operator bool() const { return loops != nullptr; }

  /// Before a table: what was taken last serves, if it was taken right now.
  void before(const std::string &table);
  /// After it. The mean of both sides.
  Limits after(const std::string &table);
  /// That mean of the latest table.
  Limits latestMean() const {
    return tables.empty() ? Limits() : meanOf(tables.back().before, tables.back().after);
  }

  /// The mean of all, what each table met, and the tables whose two sides differ too much.
  nlohmann::ordered_json toJson() const;

private:
  struct Table {
    std::string name;
    Limits before, after;
  };
  const LimitLoops *loops;
  Limits latest;
  bool fresh = false;
  std::vector<Table> tables;
};

} // namespace glm::bench

#endif
