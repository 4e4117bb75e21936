// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Profiles: where the time of a step goes, launch by launch.
#include "tools/engine/Failure.h"
#include "tools/glm-bench/Measure.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <tuple>

namespace glm::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Times of `step`'s launches and its barriers, summed over the steps since the last reset.
struct Profile {
  struct Line {
    const glm_launch_times *times;
    const ProgramCosts::Launch *launch; ///< null: the barriers
    Work work;
  };
  std::vector<Line> lines;

  Profile(const Session &session, const ProgramCosts &costs) {
    size_t next = 0;
    for (const glm_launch_times &times : session.profile()) {
      bool isBarrier = times.kernel == std::string("barrier") && !*times.label;
      if (isBarrier)
        lines.push_back({&times, nullptr, {}});
      else if (times.entry == std::string("step") && next < costs.launches().size())
        lines.push_back({&times, &costs.launches()[next++], {}});
    }
  }
};

double slowest(const glm_launch_times &times, int workers) {
  return 1e-6 *
         static_cast<double>(*std::max_element(times.nanoseconds, times.nanoseconds + workers));
}

double average(const glm_launch_times &times, int workers) {
  return 1e-6 *
         static_cast<double>(
             std::accumulate(times.nanoseconds, times.nanoseconds + workers, uint64_t(0))) /
         workers;
}

/// One profiled measurement, of which `parts` equal ones are averaged: steps of decoding, or one
/// prefill.
class Table {
public:
  Table(const Run &run, Json head, double parts)
      : run(run), head(std::move(head)), parts(parts), workers(run.engine.statistics().threads) {}

  /// What `work` does is what the profile shows.
  void measure(Session &session, const std::function<void()> &work,
               const std::function<Work(const ProgramCosts::Launch &)> &workOf);
  /// Rows and sums, once the limits are known.
  void finish(const Limits &limits, KernelFigures &figures);

private:
  struct Line {
    std::string name, path;
    double calls, ms, busy;
    Work work;
    const ProgramCosts::Launch *launch;
  };
  Json rowOf(const Line &line, const Limits &limits, double total) const;

  const Run &run;
  Json head;
  double parts, wall = 0;
  int workers;
  std::vector<Line> lines;
};

} // namespace

void Table::measure(Session &session, const std::function<void()> &work,
                    const std::function<Work(const ProgramCosts::Launch &)> &workOf) {
  glm_session_reset_profile(session.get());
  Clock::time_point start = Clock::now();
  work();
  wall = std::chrono::duration<double, std::milli>(Clock::now() - start).count() / parts;
  for (const Profile::Line &line : Profile(session, run.costs).lines) {
    if (line.times->calls == 0)
      continue;
    Work done = line.launch ? workOf(*line.launch) : Work();
    lines.push_back({line.times->kernel,
                     line.times->label,
                     static_cast<double>(line.times->calls) / parts,
                     slowest(*line.times, workers) / parts,
                     average(*line.times, workers) / parts,
                     {done.flop / parts, done.bytes / parts},
                     line.launch});
  }
}

Json Table::rowOf(const Line &line, const Limits &limits, double total) const {
  Json row = {{"name", line.name}, {"path", line.path}};
  row.update(head);
  row["calls"] = line.calls;
  row["ms"] = line.ms;
  row["busy_ms"] = line.busy;
  row["share_of_time"] = line.ms / total;
  if (!run.costs.known())
    return row;
  double seconds = line.ms / 1e3;
  row["bytes"] = static_cast<int64_t>(line.work.bytes);
  row["flop"] = static_cast<int64_t>(line.work.flop);
  row["gb_per_s"] = line.work.bytes / seconds / 1e9;
  row["gflop_per_s"] = line.work.flop / seconds / 1e9;
  if (!run.limits || !line.launch)
    return row;
  std::string peak = run.peakName(line.launch->peak);
  double read = line.work.bytes / limits.read / seconds;
  double multiplied = line.work.flop / limits.peak(peak) / seconds;
  row["share"] = std::max(read, multiplied);
  row["share_of_read"] = read;
  row["peak"] = peak;
  row["share_of_peak"] = multiplied;
  return row;
}

void Table::finish(const Limits &limits, KernelFigures &figures) {
  double total = 0, busy = 0, barriers = 0;
  for (const Line &line : lines) {
    total += line.ms;
    (line.launch ? busy : barriers) += line.busy;
  }
  std::sort(lines.begin(), lines.end(), [](const Line &a, const Line &b) {
    return std::tie(b.ms, a.path) < std::tie(a.ms, b.path);
  });
  for (const Line &line : lines)
    figures.kernels.push_back(rowOf(line, limits, total));
  Json sums = head;
  sums["wall_ms"] = wall;
  sums["launches_ms"] = busy;
  sums["barriers_ms"] = barriers;
  sums["rest_ms"] = wall - busy - barriers;
  figures.tables.push_back(sums);
}

namespace {

Table decodeTable(const Run &run, int64_t context) {
  Session session = openFilled(run, context, /*profile=*/true);
  decodeSteps(run, session, context);
  std::vector<StepCounts> steps;
  Table table(run, {{"table", "decode"}, {"context", context}},
              static_cast<double>(run.arguments.decode));
  table.measure(
      session,
      [&] {
        decodeSteps(run, session, context, [&](std::span<const glm_row> rows, double) {
          steps.push_back(run.countsOf(rows, rows.size()));
        });
      },
      [&](const ProgramCosts::Launch &launch) {
        Work sum;
        for (const StepCounts &step : steps)
          sum += run.costs.workOf(launch, step);
        return sum;
      });
  return table;
}

Table prefillTable(const Run &run, int64_t length) {
  Prompt prompt(run, length, /*profile=*/true);
  Table table(run, {{"table", "prefill"}, {"tokens", length}}, 1);
  table.measure(
      prompt.session, [&] { prompt.run(); },
      [&](const ProgramCosts::Launch &launch) {
        auto number = static_cast<size_t>(&launch - run.costs.launches().data());
        Work sum;
        for (const Prompt::Step &step : prompt.steps)
          if (step.ran.at(number))
            sum += run.costs.workOf(launch, step.counts);
        return sum;
      });
  return table;
}

} // namespace

KernelFigures measureKernels(const Run &run) {
  run.limits.before("kernels");
  std::vector<Table> tables;
  for (int64_t context : run.arguments.contexts)
    tables.push_back(decodeTable(run, context));
  for (int64_t length : run.arguments.prefill)
    tables.push_back(prefillTable(run, length));
  Limits limits = run.limits.after("kernels");
  KernelFigures figures;
  for (Table &table : tables)
    table.finish(limits, figures);
  return figures;
}

//===--- Trace --------------------------------------------------------------------------------===//

/// The runtime keeps how long each launch took each worker, and no time of day. Every worker runs
/// the launches in order, and a barrier ends for all when the last has come: from that the times
/// follow, up to what a barrier itself costs.
std::string traceOf(const Run &run) {
  int64_t context = run.arguments.contexts.front();
  Session session = openFilled(run, context, /*profile=*/true);
  decodeSteps(run, session, context);
  Arguments once = run.arguments;
  once.decode = 1;
  Run one = {once, run.engine, run.costs, run.limits};
  glm_session_reset_profile(session.get());
  decodeSteps(one, session, context);
  Profile profile(session, run.costs);
  auto workers = static_cast<size_t>(run.engine.statistics().threads);
  std::vector<double> now(workers, 0); // microseconds
  auto events = Json::array();
  for (size_t worker = 0; worker < workers; ++worker)
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", 1},
                      {"tid", worker},
                      {"args", {{"name", "worker " + std::to_string(worker)}}}});
  auto add = [&](size_t worker, const std::string &name, double microseconds, Json details) {
    events.push_back({{"name", name},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", worker},
                      {"ts", now[worker]},
                      {"dur", microseconds},
                      {"args", std::move(details)}});
    now[worker] += microseconds;
  };
  for (const CommandLine &command : run.costs.commands()) {
    if (command.isBarrier) {
      double end = *std::max_element(now.begin(), now.end());
      for (size_t worker = 0; worker < workers; ++worker)
        if (now[worker] < end)
          add(worker, "barrier", end - now[worker], Json::object());
      continue;
    }
    const Profile::Line &line = profile.lines[command.launch];
    for (size_t worker = 0; line.times->calls > 0 && worker < workers; ++worker)
      add(worker, line.times->kernel, 1e-3 * static_cast<double>(line.times->nanoseconds[worker]),
          {{"path", line.times->label}});
  }
  Json trace = {{"traceEvents", events},
                {"displayTimeUnit", "ms"},
                {"otherData",
                 {{"artifact", run.engine.info().path},
                  {"context", context},
                  {"times", "durations are measured; starts follow from the order of launches and "
                            "from barriers, which end for all workers together"}}}};
  return trace.dump() + "\n";
}

} // namespace glm::bench
