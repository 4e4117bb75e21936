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
  Session session = engine.openSession(context + arguments.decode, 1, true);
  tool::check(glm_session_fill(session.get(), 0, context, arguments.seed));
  std::vector<int32_t> tokens(static_cast<size_t>(arguments.decode), 0);
  tool::prefill(session, tokens, 1, true, [](size_t, size_t) {});
  tool::check(glm_session_truncate(session.get(), 0, context));
  glm_session_reset_profile(session.get());
  tool::prefill(session, tokens, 1, true, [](size_t, size_t) {});
  int workers = engine.statistics().threads;
  std::vector<nlohmann::ordered_json> rows;
  for (const glm_launch_times &launch : session.profile())
    if (launch.calls > 0)
      rows.push_back({{"name", launch.kernel}, {"path", launch.label}, {"calls", launch.calls},
                      {"ms", slowestWorker(launch, workers) / 1e6 / static_cast<double>(arguments.decode)}});
  std::sort(rows.begin(), rows.end(), [](const auto &a, const auto &b) { return a["ms"] > b["ms"]; });
  return rows;
}

} // namespace glm::bench
