// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/Barrier.h"

#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace glm::runtime {

static inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory"); // `yield` is a no-op on most cores
#endif
}

static void futex(std::atomic<uint32_t> &word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), operation | FUTEX_PRIVATE_FLAG, value,
          nullptr, nullptr, 0);
}

void Signal::wait(uint32_t seen) {
  uint32_t spins = patience.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < spins; ++i) {
    if (word.load(std::memory_order_acquire) != seen) {
      if (spins < most)
        patience.store(spins * 2 < most ? spins * 2 : most, std::memory_order_relaxed);
      return;
    }
    pause();
  }
  patience.store(spins / 2 > most / 16 ? spins / 2 : most / 16, std::memory_order_relaxed);
  // `parked` before `word` here, `word` before `parked` in advance(): one of the two sees the
  // other.
  parked.fetch_add(1, std::memory_order_seq_cst);
  while (word.load(std::memory_order_seq_cst) == seen) {
    parkCount.fetch_add(1, std::memory_order_relaxed);
    futex(word, FUTEX_WAIT, seen);
  }
  parked.fetch_sub(1, std::memory_order_relaxed);
}

void Signal::advance() {
  word.fetch_add(1, std::memory_order_seq_cst);
  if (parked.load(std::memory_order_seq_cst))
    futex(word, FUTEX_WAKE, INT_MAX);
}

uint32_t Barrier::arrive(const std::atomic<uint32_t> &question) {
  uint32_t seen = left.value();
  if (remaining.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    remaining.store(total, std::memory_order_relaxed);
    answer.store(question.load(std::memory_order_relaxed), std::memory_order_relaxed);
    left.advance();
  } else {
    left.wait(seen);
  }
  return answer.load(std::memory_order_relaxed);
}

uint32_t pausesFor(uint32_t microseconds) {
  constexpr uint32_t sample = 256;
  int64_t best = INT64_MAX;
  for (int round = 0; round < 3; ++round) {
    timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (uint32_t i = 0; i < sample; ++i)
      pause();
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t taken = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    best = taken < best ? taken : best;
  }
  uint64_t pauses = uint64_t(microseconds) * 1000 * sample / uint64_t(best < 1 ? 1 : best);
  return pauses > 10000000 ? 10000000 : uint32_t(pauses);
}

} // namespace glm::runtime
