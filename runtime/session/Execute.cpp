// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every worker does in a step: walk the plan, in the same order as all others, and meet them
// at barriers.
//
// Cancelling. A worker that sees the flag skips launches; at a barrier all get the same answer to
// whether it is set, so they leave together and nobody waits for one who is gone.
#include "runtime/session/Session.h"

#include <cstring>
#include <ctime>

namespace glm::runtime {

namespace {

struct Run {
  glm_session &session;
  const EntryPlan &plan;
};

class Stopwatch {
public:
  /// Adds the time since the last call to `sum`.
  void add(uint64_t &sum) {
    uint64_t now = read();
    sum += now - last;
    last = now;
  }

private:
  static uint64_t read() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return uint64_t(time.tv_sec) * 1000000000 + uint64_t(time.tv_nsec);
  }
  uint64_t last = read();
};

} // namespace

static void copyShare(const Instruction &instruction, uint64_t bytes, uint32_t worker,
                      uint32_t workers) {
  uint64_t share = alignUp((bytes + workers - 1) / workers, 64);
  uint64_t begin = share * worker;
  if (begin < bytes)
    memmove(instruction.destination + begin, instruction.source + begin,
            bytes - begin < share ? bytes - begin : share);
}

static void record(glm_session &session, Stopwatch &watch, uint32_t row, uint32_t worker) {
  watch.add(session.nanoseconds(row)[worker]);
  if (worker == 0) // the others must not even write back what they read
    ++session.times[row].calls;
}

static void walk(void *context, Pool &pool, uint32_t worker) {
  Run &run = *static_cast<Run *>(context);
  glm_session &session = run.session;
  const glm_runtime &runtime = *session.model->runtime;
  const std::span<Instruction> instructions = run.plan.instructions;
  uint32_t workers = pool.size();
  uint8_t *scratch = session.scratch + session.shape.scratchStride * worker;
  auto barrierRow = uint32_t(session.shape.plans.launches);
  bool reports = worker == 0 && runtime.options.progress;
  bool timed = session.shape.profile;
  Stopwatch watch;
  for (size_t i = 0; i < instructions.size();) {
    const Instruction &instruction = instructions[i++];
    switch (instruction.kind) {
    case Instruction::Kind::launch:
      if (reports && !runtime.proceed("step", i, instructions.size()))
        session.cancelled.store(1, std::memory_order_relaxed);
      if (!session.cancelled.load(std::memory_order_relaxed))
        instruction.kernel(instruction.arguments, worker, workers, scratch);
      if (timed)
        record(session, watch, instruction.target, worker);
      break;
    case Instruction::Kind::barrier:
      if (pool.meet(session.cancelled))
        return;
      if (timed)
        record(session, watch, barrierRow, worker);
      break;
    case Instruction::Kind::copy:
      copyShare(instruction, run.plan.values[instruction.value], worker, workers);
      break;
    case Instruction::Kind::branch:
      i = run.plan.values[instruction.value] ? i : instruction.target;
      break;
    case Instruction::Kind::jump:
      i = instruction.target;
      break;
    }
  }
}

void execute(glm_session &session, uint32_t number) {
  Run run = {session, session.plans[number]};
  glm_runtime &runtime = *session.model->runtime;
  pthread_mutex_lock(&runtime.stepping);
  runtime.pool.run(walk, &run);
  pthread_mutex_unlock(&runtime.stepping);
}

} // namespace glm::runtime
