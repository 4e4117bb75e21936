// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads of a runtime. They live as long as it does; between tasks they wait on a signal. The
// calling thread is worker 0 and works like the others, so a pool of one worker has no thread at
// all.
//
// One task at a time: the owner serialises calls of `run`.
#ifndef GLM_RUNTIME_DEVICES_CPU_POOL_H
#define GLM_RUNTIME_DEVICES_CPU_POOL_H

#include "runtime/core/Status.h"
#include "runtime/devices/cpu/Barrier.h"

#include <pthread.h>

namespace glm::runtime {

class Pool;

/// What a worker starts from; lies in the pool's owner's memory.
struct Worker final {
  Pool *pool;
  uint32_t number;
  int32_t core; // -1: any
  pthread_t thread;
};

class Pool final {
public:
  using Task = void (*)(void *context, Pool &pool, uint32_t worker);

  Pool() = default;
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  /// Starts `count` - 1 threads; `storage` has `count` elements and outlives the pool. On failure
  /// nothing is left running.
  bool start(Worker *storage, uint32_t count, uint32_t spins, bool pin, glm_status &status);
  void stop();

  /// Runs `task` on all workers and returns when all of them are through.
  void run(Task task, void *context);

  /// Inside a task: meets the other workers (see Barrier::arrive).
  uint32_t meet(const std::atomic<uint32_t> &question) { return barrier.arrive(question); }

  uint32_t size() const { return workers; }
  uint64_t parks() const { return barrier.parks() + begin.parks(); }

private:
  static void *threadMain(void *worker);
  void work(uint32_t number);
  void join(uint32_t started);

  Worker *storage = nullptr;
  uint32_t workers = 0;
  Task task = nullptr;
  void *context = nullptr;
  Signal begin;
  Barrier barrier;
};

/// Cores this process may use: the affinity mask, cut to the cgroup's quota (rounded up). At
/// least 1.
uint32_t usableCores();

/// Number of the n-th core of the affinity mask, counted around; -1 when the mask cannot be read.
int32_t coreOfMask(uint32_t n);

} // namespace glm::runtime

#endif
