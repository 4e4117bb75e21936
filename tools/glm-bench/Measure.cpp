// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-bench/Measure.h"

#include "tools/engine/Failure.h"

#include <algorithm>
#include <chrono>
#include <random>

namespace glm::bench {
namespace {

using Clock = std::chrono::steady_clock;

double secondsOf(const std::function<void()> &work) {
  Clock::time_point start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// The median over the repetitions, after one that does not count.
double medianSeconds(int repetitions, const std::function<void()> &work) {
  work();
  std::vector<double> times;
  for (int i = 0; i < repetitions; ++i)
    times.push_back(secondsOf(work));
  return median(times);
}

std::vector<int32_t> randomTokens(int64_t count, int64_t vocabulary, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(random() % static_cast<uint64_t>(vocabulary));
  return tokens;
}

} // namespace

nlohmann::ordered_json measurePrefill(const Arguments &arguments, const tool::Engine &engine) {
  auto results = nlohmann::ordered_json::array();
  for (int64_t length : arguments.prefill) {
    engine.requireContext(length, 0);
    int64_t chunk = engine.rowsFor(length);
    Session session = engine.openSession(length, chunk);
    std::vector<int32_t> tokens = randomTokens(length, engine.info().vocabulary, arguments.seed);
    double seconds = medianSeconds(arguments.repetitions, [&] {
      tool::check(glm_session_release(session.get(), 0));
      tool::prefill(session, tokens, chunk, false, [](size_t, size_t) {});
    });
    results.push_back({{"tokens", length}, {"tokens_per_s", static_cast<double>(length) / seconds}});
  }
  return results;
}

nlohmann::ordered_json measureDecode(const Arguments &arguments, const tool::Engine &engine) {
  auto results = nlohmann::ordered_json::array();
  for (int64_t context : arguments.contexts) {
    engine.requireContext(context + arguments.decode, 0);
    Session session = engine.openSession(context + arguments.decode, 1);
    std::vector<int32_t> tokens = randomTokens(arguments.decode, engine.info().vocabulary, arguments.seed);
    tool::check(glm_session_fill(session.get(), 0, context, arguments.seed));
    double seconds = medianSeconds(arguments.repetitions, [&] {
      tool::check(glm_session_truncate(session.get(), 0, context));
      tool::prefill(session, tokens, 1, true, [](size_t, size_t) {});
    });
    results.push_back({{"context", context}, {"tokens_per_s", static_cast<double>(arguments.decode) / seconds}});
  }
  return results;
}

} // namespace glm::bench
