// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-bench/Limits.h"

#include "tools/engine/Failure.h"
#include "tools/glm-bench/Statistics.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <random>
#include <sys/mman.h>
#include <thread>

namespace glm::bench {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Where results of loops go, so that none is left out.
std::atomic<float> sink;

constexpr int limitRuns = 7;
constexpr double peakSeconds = 0.015;

} // namespace

double Limits::peak(const std::string &name) const {
  return name == "int8" ? int8 : name == "bf16" ? bf16 : f32;
}

Limits meanOf(const Limits &a, const Limits &b) {
  return {(a.read + b.read) / 2, (a.f32 + b.f32) / 2, (a.bf16 + b.bf16) / 2, (a.int8 + b.int8) / 2};
}

double spreadOf(const Limits &a, const Limits &b) {
  return std::max({spreadOf(a.read, b.read), spreadOf(a.f32, b.f32), spreadOf(a.bf16, b.bf16),
                   spreadOf(a.int8, b.int8)});
}

nlohmann::ordered_json toJson(const Limits &limits) {
  nlohmann::ordered_json peaks = {{"f32", limits.f32 / 1e9}};
  if (limits.bf16 > 0)
    peaks["bf16"] = limits.bf16 / 1e9;
  if (limits.int8 > 0)
    peaks["int8"] = limits.int8 / 1e9;
  return {{"read_gb_per_s", limits.read / 1e9}, {"peak_gflop_per_s", peaks}};
}

double parallelSeconds(int threads, const std::function<void(int)> &work) {
  std::atomic<int> ready{0}, done{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&, i] {
      ++ready;
      while (!go.load(std::memory_order_acquire))
        std::this_thread::yield();
      work(i);
      ++done;
    });
  while (ready.load() < threads - 1)
    std::this_thread::yield();
  Clock::time_point start = Clock::now();
  go.store(true, std::memory_order_release);
  work(0);
  while (done.load() < threads - 1)
    std::this_thread::yield();
  double seconds = secondsSince(start);
  for (std::thread &other : others)
    other.join();
  return seconds;
}

LimitLoops::LimitLoops(const Options &given) : options(given), loops(loopsOfHost()) {
  // Room to begin at a multiple of a huge page.
  constexpr size_t huge = size_t(2) << 20;
  void *block = mmap(nullptr, options.bytes + huge, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED)
    throw tool::Failure(tool::Code::BadArguments, "limits",
                        "no memory of " + std::to_string(options.bytes >> 20) +
                            " MiB for the loop that reads it",
                        "give --no-limits");
  data = static_cast<uint8_t *>(block);
  madvise(data, options.bytes + huge, options.hugePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  uint8_t *begin = data + (huge - reinterpret_cast<uintptr_t>(data) % huge) % huge;
  size_t share = options.bytes / size_t(options.threads);
  parallelSeconds(options.threads, [&](int thread) {
    std::memset(begin + size_t(thread) * share, 0x3f, share); // bf16 0.75 everywhere
  });
}

LimitLoops::~LimitLoops() { munmap(data, options.bytes + (size_t(2) << 20)); }

double LimitLoops::readRate(ReadLoop loop) const {
  constexpr size_t huge = size_t(2) << 20;
  const uint8_t *begin = data + (huge - reinterpret_cast<uintptr_t>(data) % huge) % huge;
  size_t share = options.bytes / size_t(options.threads) / streamBlock * streamBlock;
  std::vector<double> rates;
  for (int run = 0; run < limitRuns; ++run) {
    double seconds = parallelSeconds(options.threads, [&](int thread) {
      sink.store(loop(begin + size_t(thread) * share, share), std::memory_order_relaxed);
    });
    rates.push_back(double(share) * options.threads / seconds);
  }
  return Summary(rates).median;
}

double LimitLoops::peakRate(const PeakLoop &loop) const {
  if (!loop)
    return 0;
  constexpr uint64_t trial = 1 << 16;
  double once = parallelSeconds(1, [&](int) { sink.store(loop.run(trial)); });
  auto rounds = uint64_t(double(trial) * peakSeconds / once) + 1;
  std::vector<double> rates;
  for (int run = 0; run < limitRuns; ++run) {
    double seconds = parallelSeconds(
        options.threads, [&](int) { sink.store(loop.run(rounds), std::memory_order_relaxed); });
    rates.push_back(double(rounds) * loop.operations * options.threads / seconds);
  }
  return Summary(rates).median;
}

Limits LimitLoops::take() const {
  Limits limits;
  limits.read = std::max(readRate(loops.plain), readRate(loops.gemv));
  limits.f32 = peakRate(loops.f32);
  if (options.bf16Dot)
    limits.bf16 = peakRate(loops.bf16Dot);
  limits.int8 = peakRate(loops.int8Dot);
  return limits;
}

namespace {

/// The top-k loop, as a good kernel does it: scores become keys of the same order, what beats the
/// worst of the best so far is set aside, and whenever too much lies there it is cut to the best.
class Selection {
public:
  Selection(int64_t count, int64_t kept)
      : keys(size_t(count)), kept(size_t(kept)), aside(4 * size_t(kept) + streak) {
    std::mt19937 random(1);
    for (uint32_t &key : keys)
      key = random();
  }

  uint64_t run() {
    size_t held = 0;
    uint32_t threshold = 0;
    for (size_t i = 0; i < keys.size();) {
      for (size_t end = std::min(i + streak, keys.size()); i < end; ++i) {
        aside[held] = uint64_t(keys[i]) << 32 | i;
        held += keys[i] > threshold;
      }
      if (held >= 4 * kept)
        threshold = cut(held);
    }
    cut(held);
    return aside[kept - 1];
  }

private:
  /// Elements between two looks at how many lie aside.
  static constexpr size_t streak = 256;

  /// Keeps the best in front; the worst of them.
  uint32_t cut(size_t &held) {
    auto worst = aside.begin() + ptrdiff_t(kept) - 1;
    std::nth_element(aside.begin(), worst, aside.begin() + ptrdiff_t(held), std::greater<>());
    held = kept;
    return uint32_t(*worst >> 32);
  }

  std::vector<uint32_t> keys;
  size_t kept;
  std::vector<uint64_t> aside;
};

} // namespace

double LimitLoops::topKSeconds(int64_t count, int64_t kept) {
  if (count <= kept)
    return 0;
  Selection selection(count, kept);
  std::vector<double> times;
  for (int run = 0; run < limitRuns; ++run) {
    Clock::time_point start = Clock::now();
    sink.store(float(selection.run()));
    times.push_back(secondsSince(start));
  }
  return Summary(times).median;
}

//===--- The log ------------------------------------------------------------------------------===//

void LimitLog::before(const std::string &) {
  if (loops && !fresh)
    latest = loops->take();
  fresh = false;
}

Limits LimitLog::after(const std::string &table) {
  if (!loops)
    return {};
  Limits then = latest;
  latest = loops->take();
  fresh = true;
  tables.push_back({table, then, latest});
  return meanOf(then, latest);
}

nlohmann::ordered_json LimitLog::toJson() const {
  Limits sum;
  auto around = nlohmann::ordered_json::array(), noisy = nlohmann::ordered_json::array();
  for (const Table &table : tables) {
    Limits mean = meanOf(table.before, table.after);
    double n = double(tables.size());
    sum = {sum.read + mean.read / n, sum.f32 + mean.f32 / n, sum.bf16 + mean.bf16 / n,
           sum.int8 + mean.int8 / n};
    around.push_back({{"table", table.name},
                      {"before", bench::toJson(table.before)},
                      {"after", bench::toJson(table.after)}});
    if (spreadOf(table.before, table.after) > noisySpread)
      noisy.push_back(table.name);
  }
  nlohmann::ordered_json result = bench::toJson(sum);
  result["around"] = around;
  result["noisy"] = noisy;
  return result;
}

} // namespace glm::bench
