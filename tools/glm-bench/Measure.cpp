// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-bench/Measure.h"

#include "tools/engine/Failure.h"

#include <algorithm>
#include <chrono>
#include <numeric>
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
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
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
    engine.requireContext("--prefill", length);
    int64_t chunk = engine.rowsFor(length);
    Session session = engine.openSession(length, chunk);
    std::vector<int32_t> tokens = randomTokens(length, engine.info().vocabulary, arguments.seed);
    double seconds = medianSeconds(arguments.repetitions, [&] {
      tool::check(glm_session_release(session.get(), 0));
      tool::prefill(session, tokens, chunk, false, [](size_t, size_t) {});
    });
    results.push_back(
        {{"tokens", length}, {"tokens_per_s", static_cast<double>(length) / seconds}});
  }
  return results;
}

void decodeSteps(const Arguments &arguments, const tool::Engine &engine, Session &session,
                 int64_t context) {
  std::mt19937_64 random(arguments.seed);
  auto vocabulary = static_cast<uint64_t>(engine.info().vocabulary);
  std::vector<glm_row> rows(static_cast<size_t>(arguments.slots));
  std::vector<int32_t> wanted(rows.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  for (int32_t slot : wanted)
    tool::check(glm_session_truncate(session.get(), slot, context));
  for (int64_t step = 0; step < arguments.decode; ++step) {
    for (int32_t slot : wanted)
      rows[static_cast<size_t>(slot)] = {static_cast<int32_t>(random() % vocabulary), slot,
                                         static_cast<int32_t>(context + step), 0};
    tool::check(
        glm_session_step(session.get(), rows.data(), rows.size(), wanted.data(), wanted.size()));
  }
}

Session openFilled(const Arguments &arguments, const tool::Engine &engine, int64_t context,
                   bool profile) {
  engine.requireContext("--context with --decode", context + arguments.decode);
  Session session =
      engine.openSession(context + arguments.decode, arguments.slots, arguments.slots, profile);
  for (int32_t slot = 0; slot < arguments.slots; ++slot)
    tool::check(glm_session_fill(session.get(), slot, context,
                                 arguments.seed + static_cast<uint64_t>(slot)));
  return session;
}

nlohmann::ordered_json measureDecode(const Arguments &arguments, const tool::Engine &engine) {
  auto results = nlohmann::ordered_json::array();
  for (int64_t context : arguments.contexts) {
    Session session = openFilled(arguments, engine, context, false);
    double seconds = medianSeconds(arguments.repetitions,
                                   [&] { decodeSteps(arguments, engine, session, context); });
    results.push_back(
        {{"context", context},
         {"slots", arguments.slots},
         {"tokens_per_s", static_cast<double>(arguments.decode * arguments.slots) / seconds}});
  }
  return results;
}

} // namespace glm::bench
