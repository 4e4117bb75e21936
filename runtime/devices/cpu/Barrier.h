// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting that survives a stolen core. A worker that waits spins for a bounded time, because the
// others are usually a few microseconds behind, and then parks in a futex, because when another
// process has taken a core they are milliseconds behind and spinning would only keep it from them.
// How long it spins adapts: a spin that ended in vain halves the next one, down to a sixteenth, one
// that did not doubles it. The waker pays a system call only if somebody is parked.
#ifndef GLM_RUNTIME_DEVICES_CPU_BARRIER_H
#define GLM_RUNTIME_DEVICES_CPU_BARRIER_H

#include <atomic>
#include <cstdint>

namespace glm::runtime {

/// A word that workers wait on until it changes.
class Signal final {
public:
  uint32_t value() const { return word.load(std::memory_order_acquire); }

  /// `spins`: the most pauses before a waiter parks.
  void reset(uint32_t spins) {
    most = spins;
    patience.store(spins, std::memory_order_relaxed);
  }

  /// Returns once the word differs from `seen`.
  void wait(uint32_t seen);

  /// Makes the word differ from what it was and wakes all who wait. What was written before is
  /// visible to them.
  void advance();

  uint64_t parks() const { return parkCount.load(std::memory_order_relaxed); }

private:
  alignas(64) std::atomic<uint32_t> word{0};
  uint32_t most = 0;
  alignas(64) std::atomic<uint32_t> parked{0};
  std::atomic<uint32_t> patience{0}; // pauses; all waiters share it, so it is a guess and no count
  std::atomic<uint64_t> parkCount{0};
};

/// All `workers` arrive, then all leave; reusable at once (the signal's word is the sense).
class Barrier final {
public:
  void reset(uint32_t workers, uint32_t spins) {
    total = workers;
    left.reset(spins);
    remaining.store(workers, std::memory_order_relaxed);
  }

  /// Returns what `question` held when the last worker arrived: the same answer for every worker.
  uint32_t arrive(const std::atomic<uint32_t> &question);

  uint64_t parks() const { return left.parks(); }

private:
  uint32_t total = 1;
  alignas(64) std::atomic<uint32_t> remaining{1};
  std::atomic<uint32_t> answer{0};
  Signal left;
};

/// How many pauses fill `microseconds` on this core: measured, since a pause is 10 to 140 cycles
/// long.
uint32_t pausesFor(uint32_t microseconds);

} // namespace glm::runtime

#endif
