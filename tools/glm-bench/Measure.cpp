// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-bench/Measure.h"

#include "tools/engine/Failure.h"
#include "tools/glm-bench/Statistics.h"

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

std::vector<int32_t> randomTokens(int64_t count, int64_t vocabulary, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(random() % static_cast<uint64_t>(vocabulary));
  return tokens;
}

/// Median, least and most, in milliseconds.
void addTimes(Json &row, const Summary &seconds) {
  row["ms"] = 1e3 * seconds.median;
  row["least_ms"] = 1e3 * seconds.least;
  row["most_ms"] = 1e3 * seconds.most;
}

} // namespace

//===--- Work ---------------------------------------------------------------------------------===//

void Total::add(const std::array<Work, 3> &step) {
  for (size_t i = 0; i < byPeak.size(); ++i)
    byPeak[i] += step[i];
}

Work Total::sum() const {
  Work all;
  for (const Work &work : byPeak)
    all += work;
  return all;
}

Peak Total::mainPeak() const {
  auto most = std::max_element(byPeak.begin(), byPeak.end(),
                               [](const Work &a, const Work &b) { return a.flop < b.flop; });
  return Peak(most - byPeak.begin());
}

double Total::peakSeconds(const Run &run, const Limits &limits) const {
  double seconds = 0;
  for (size_t i = 0; i < byPeak.size(); ++i)
    if (double peak = limits.peak(run.peakName(Peak(i))); peak > 0)
      seconds += byPeak[i].flop / peak;
  return seconds;
}

std::vector<bool> launchesThatRan(const Session &session) {
  std::vector<bool> ran;
  for (const glm_launch_times &launch : session.profile())
    if (launch.entry && std::string(launch.entry) == "step")
      ran.push_back(launch.calls > 0);
  return ran;
}

//===--- Prefill ------------------------------------------------------------------------------===//

/// A run that takes longer than this has warmed itself.
static constexpr double warmSeconds = 20;

Prompt::Prompt(const Run &run, int64_t length, bool profile)
    : chunk(run.engine.rowsFor(length)),
      tokens(randomTokens(length, run.engine.info().vocabulary, run.arguments.seed)) {
  run.engine.requireContext("--prefill", length);
  session = run.openSession(length, chunk, 1, profile);
  glm_session_reset_profile(session.get());
  firstSeconds = secondsOf([&] {
    tool::prefill(session, tokens, chunk, false, [&](size_t first, size_t count) {
      auto rows = tool::rowsOf(tokens.data() + first, count, static_cast<int64_t>(first));
      bool isLast = first + count == tokens.size();
      steps.push_back({run.countsOf(rows, isLast ? 1 : 0), launchesThatRan(session)});
      glm_session_reset_profile(session.get());
    });
  });
}

void Prompt::run() {
  tool::check(glm_session_release(session.get(), 0));
  tool::prefill(session, tokens, chunk, false, [](size_t, size_t) {});
}

Json measurePrefill(const Run &run) {
  auto results = Json::array();
  std::vector<Total> totals;
  run.limits.before("prefill");
  for (int64_t length : run.arguments.prefill) {
    Prompt prompt(run, length);
    std::vector<double> times;
    if (prompt.firstSeconds > warmSeconds)
      times.push_back(prompt.firstSeconds);
    while (times.size() < static_cast<size_t>(run.arguments.repetitions))
      times.push_back(secondsOf([&] { prompt.run(); }));
    Summary seconds(times);
    Json row = {{"tokens", length}, {"tokens_per_s", static_cast<double>(length) / seconds.median}};
    addTimes(row, seconds);
    results.push_back(row);
    Total total;
    for (const Prompt::Step &step : prompt.steps)
      total.add(run.costs.total(step.counts, step.ran));
    totals.push_back(total);
  }
  Limits limits = run.limits.after("prefill");
  for (size_t i = 0; i < totals.size(); ++i) {
    Work work = totals[i].sum();
    double seconds = results[i]["ms"].get<double>() / 1e3;
    if (work.flop == 0)
      continue;
    results[i]["flop"] = static_cast<int64_t>(work.flop);
    results[i]["gflop_per_s"] = work.flop / seconds / 1e9;
    results[i]["peak"] = run.peakName(totals[i].mainPeak());
    if (run.limits)
      results[i]["share_of_peak"] = totals[i].peakSeconds(run, limits) / seconds;
  }
  return results;
}

//===--- Decode -------------------------------------------------------------------------------===//

void decodeSteps(const Run &run, Session &session, int64_t context,
                 const std::function<void(std::span<const glm_row>, double)> &seen) {
  std::mt19937_64 random(run.arguments.seed);
  auto vocabulary = static_cast<uint64_t>(run.engine.info().vocabulary);
  std::vector<glm_row> rows(static_cast<size_t>(run.arguments.slots));
  std::vector<int32_t> wanted(rows.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  for (int32_t slot : wanted)
    tool::check(glm_session_truncate(session.get(), slot, context));
  for (int64_t step = 0; step < run.arguments.decode; ++step) {
    for (int32_t slot : wanted)
      rows[static_cast<size_t>(slot)] = {static_cast<int32_t>(random() % vocabulary), slot,
                                         static_cast<int32_t>(context + step), 0};
    double seconds = secondsOf([&] {
      tool::check(
          glm_session_step(session.get(), rows.data(), rows.size(), wanted.data(), wanted.size()));
    });
    if (seen)
      seen(rows, seconds);
  }
}

Session openFilled(const Run &run, int64_t context, bool profile) {
  const Arguments &arguments = run.arguments;
  run.engine.requireContext("--context with --decode", context + arguments.decode);
  Session session =
      run.openSession(context + arguments.decode, arguments.slots, arguments.slots, profile);
  for (int32_t slot = 0; slot < arguments.slots; ++slot)
    tool::check(glm_session_fill(session.get(), slot, context,
                                 arguments.seed + static_cast<uint64_t>(slot)));
  return session;
}

Json measureDecode(const Run &run) {
  const Arguments &arguments = run.arguments;
  auto results = Json::array();
  std::vector<Total> totals; // of one step
  run.limits.before("decode");
  for (int64_t context : arguments.contexts) {
    Session session = openFilled(run, context, false);
    decodeSteps(run, session, context); // pages of weights and caches come in
    std::vector<double> times;
    Total total;
    for (int i = 0; i < arguments.repetitions; ++i)
      decodeSteps(run, session, context, [&](std::span<const glm_row> rows, double seconds) {
        times.push_back(seconds);
        if (i == 0)
          total.add(run.costs.total(run.countsOf(rows, rows.size()), launchesThatRan(session)));
      });
    for (Work &work : total.byPeak)
      work = {work.flop / static_cast<double>(arguments.decode),
              work.bytes / static_cast<double>(arguments.decode)};
    Summary seconds(times);
    Json row = {{"context", context},
                {"slots", arguments.slots},
                {"tokens_per_s", static_cast<double>(arguments.slots) / seconds.median}};
    addTimes(row, seconds);
    results.push_back(row);
    totals.push_back(total);
  }
  Limits limits = run.limits.after("decode");
  for (size_t i = 0; i < totals.size(); ++i) {
    Work work = totals[i].sum();
    double seconds = results[i]["ms"].get<double>() / 1e3;
    if (work.bytes == 0)
      continue;
    auto slots = static_cast<double>(arguments.slots);
    results[i]["bytes_per_token"] = static_cast<int64_t>(work.bytes / slots);
    results[i]["flop_per_token"] = static_cast<int64_t>(work.flop / slots);
    results[i]["gb_per_s"] = work.bytes / seconds / 1e9;
    if (run.limits) {
      results[i]["share_of_read"] = work.bytes / limits.read / seconds;
      results[i]["share_of_peak"] = totals[i].peakSeconds(run, limits) / seconds;
    }
  }
  return results;
}

} // namespace glm::bench
