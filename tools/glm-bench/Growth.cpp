// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a longer context costs, beyond what it must.
#include "tools/glm-bench/Measure.h"

#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/engine/Failure.h"
#include "tools/glm-bench/Statistics.h"

namespace glm::bench {
namespace {

/// A row of the table whose keys are selected, or all of them when none says so.
const Json *rowOf(const Json &decode, bool largest, int64_t topK) {
  const Json *found = nullptr;
  for (const Json &row : decode) {
    int64_t context = row["context"];
    if (context < topK || !row.contains("bytes_per_token"))
      continue;
    int64_t best = found ? (*found)["context"].get<int64_t>() : 0;
    if (!found || (largest ? context > best : context < best))
      found = &row;
  }
  return found;
}

/// Index keys are scored and selected once for each launch that scores.
int64_t scoringLaunches(const Run &run) {
  StepCounts keys; // what only scoring costs
  keys.scoredKeys = 1;
  int64_t count = 0;
  for (const ProgramCosts::Launch &launch : run.costs.launches())
    count += run.costs.workOf(launch, keys).flop > 0;
  return count;
}

} // namespace

Json growthOf(const Run &run, const Json &decode, const Limits &limits) {
  int64_t topK = run.engine.info().index_topk;
  const Json *from = rowOf(decode, false, topK), *to = rowOf(decode, true, topK);
  if (!run.limits || topK == 0 || !from || from == to)
    return nullptr;
  auto number = [](const Json &row, const char *name) { return row[name].get<double>(); };
  auto slots = number(*to, "slots");
  double extra = number(*to, "ms") - number(*from, "ms");
  double bytes = (number(*to, "bytes_per_token") - number(*from, "bytes_per_token")) * slots;
  double flop = (number(*to, "flop_per_token") - number(*from, "flop_per_token")) * slots;
  int threads = run.engine.statistics().threads;
  double peak = limits.peak(
      run.peakName(run.engine.info().precision == std::string("f32") ? Peak::f32 : Peak::bf16));
  double readMs = 1e3 * bytes / limits.read, peakMs = 1e3 * flop / peak;
  int64_t context = (*to)["context"];
  double topKMs = 1e3 * LimitLoops::topKSeconds(context, topK) * slots *
                  static_cast<double>(scoringLaunches(run)) / threads;
  double limitMs = std::max(readMs, peakMs) + topKMs;
  return {{"from", (*from)["context"]},
          {"to", context},
          {"extra_ms", extra},
          {"bytes", bytes},
          {"flop", flop},
          {"read_ms", readMs},
          {"peak_ms", peakMs},
          {"top_k_ms", topKMs},
          {"limit_ms", limitMs},
          {"ratio", extra / limitMs}};
}

//===--- A busy neighbour ---------------------------------------------------------------------===//

namespace {

/// A process that uses one core for as long as the object lives.
class Neighbour {
public:
  Neighbour() : child(fork()) {
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL); // never longer than its parent
      for (volatile uint64_t turns = 0;; turns = turns + 1)
        ;
    }
    if (child < 0)
      throw tool::Failure(tool::Code::BadArguments, "--neighbour", "no process can be started");
  }
  ~Neighbour() {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  Neighbour(const Neighbour &) = delete;
  Neighbour &operator=(const Neighbour &) = delete;

private:
  pid_t child;
};

} // namespace

Json measureNeighbour(const Run &run) {
  int64_t context = run.arguments.contexts.front();
  Session session = openFilled(run, context, false);
  auto median = [&] {
    std::vector<double> times;
    for (int i = 0; i < run.arguments.repetitions; ++i)
      decodeSteps(run, session, context,
                  [&](auto, double seconds) { times.push_back(1e3 * seconds); });
    return Summary(times).median;
  };
  decodeSteps(run, session, context);
  double quiet = median(), busy;
  {
    Neighbour neighbour;
    busy = median();
  }
  return {{"context", context}, {"quiet_ms", quiet}, {"busy_ms", busy}, {"ratio", busy / quiet}};
}

} // namespace glm::bench
