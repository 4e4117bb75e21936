// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Failure.h"
#include "tools/glm-bench/Measure.h"

#include <algorithm>

namespace glm::bench {
namespace {

double slowestWorker(const glm_launch_times &launch, int workers) {
  return static_cast<double>(*std::max_element(launch.nanoseconds, launch.nanoseconds + workers));
}

} // namespace

nlohmann::ordered_json measureKernels(const Arguments &arguments, const tool::Engine &engine) {
  int64_t context = arguments.contexts.front();
  Session session = openFilled(arguments, engine, context, /*profile=*/true);
  decodeSteps(arguments, engine, session, context);
  glm_session_reset_profile(session.get());
  decodeSteps(arguments, engine, session, context);
  int workers = engine.statistics().threads;
  std::vector<nlohmann::ordered_json> rows;
  double total = 0;
  for (const glm_launch_times &launch : session.profile()) {
    if (launch.calls == 0)
      continue;
    double milliseconds =
        slowestWorker(launch, workers) / 1e6 / static_cast<double>(arguments.decode);
    total += milliseconds;
    rows.push_back({{"name", launch.kernel}, {"path", launch.label}, {"ms", milliseconds}});
  }
  for (auto &row : rows)
    row["share"] = row["ms"].get<double>() / total;
  std::sort(rows.begin(), rows.end(),
            [](const auto &a, const auto &b) { return a["ms"] > b["ms"]; });
  return rows;
}

} // namespace glm::bench
