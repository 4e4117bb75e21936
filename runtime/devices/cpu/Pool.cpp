// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/Pool.h"

#include <cerrno>
#include <sched.h>

namespace glm::runtime {

// Kernels keep spilled tiles on the stack and call nothing.
static constexpr size_t stackSize = size_t(1) << 20;
static const std::atomic<uint32_t> nothing{0};

static int startThread(Worker &worker, void *(*entry)(void *)) {
  pthread_attr_t attributes;
  if (int wrong = pthread_attr_init(&attributes))
    return wrong;
  pthread_attr_setstacksize(&attributes, stackSize);
  int wrong = pthread_create(&worker.thread, &attributes, entry, &worker);
  pthread_attr_destroy(&attributes);
  return wrong;
}

bool Pool::start(Worker *workerStorage, uint32_t count, uint32_t spins, bool pin,
                 glm_status &status) {
  storage = workerStorage;
  workers = count;
  begin.reset(spins);
  barrier.reset(count, spins);
  for (uint32_t i = 1; i < count; ++i) {
    storage[i] = {this, i, pin ? coreOfMask(i) : -1, {}};
    if (int wrong = startThread(storage[i], threadMain)) {
      join(i);
      workers = 0;
      errno = wrong;
      return failWithReason(status, "runtime", "cannot start a thread, fewer threads may fit");
    }
  }
  return true;
}

void Pool::join(uint32_t started) {
  task = nullptr;
  begin.advance();
  for (uint32_t i = 1; i < started; ++i)
    pthread_join(storage[i].thread, nullptr);
}

void Pool::stop() {
  join(workers);
  workers = 0;
}

void *Pool::threadMain(void *argument) {
  auto *worker = static_cast<Worker *>(argument);
  if (worker->core >= 0) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(worker->core, &mask);
    pthread_setaffinity_np(pthread_self(), sizeof(mask), &mask);
  }
  worker->pool->work(worker->number);
  return nullptr;
}

void Pool::work(uint32_t number) {
  // Every task advances the signal once, and no task begins before all workers have left the one
  // before.
  for (uint32_t seen = 0;; ++seen) {
    begin.wait(seen);
    if (!task)
      return;
    task(context, *this, number);
    barrier.arrive(nothing);
  }
}

void Pool::run(Task newTask, void *newContext) {
  task = newTask;
  context = newContext;
  begin.advance();
  newTask(newContext, *this, 0);
  barrier.arrive(nothing);
}

} // namespace glm::runtime
