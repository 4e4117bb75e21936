// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/Pool.h"

#include <gtest/gtest.h>
#include <vector>

using namespace glm::runtime;

namespace {

const std::atomic<uint32_t> never{0};

struct Counting {
  std::vector<int64_t> arrived; // by worker
  int rounds;
  std::atomic<int> early{0};
};

// Before a barrier a worker writes its round; behind it, it must see everybody's.
void countRounds(void *context, Pool &pool, uint32_t worker) {
  auto &counting = *static_cast<Counting *>(context);
  for (int round = 1; round <= counting.rounds; ++round) {
    counting.arrived[worker] = round;
    pool.meet(never);
    for (int64_t other : counting.arrived)
      counting.early += other != round;
    pool.meet(never);
  }
}

void stress(uint32_t threads, uint32_t spins, int rounds) {
  Pool pool;
  std::vector<Worker> workers(threads);
  glm_status status;
  ASSERT_TRUE(pool.start(workers.data(), threads, spins, false, status));
  Counting counting{std::vector<int64_t>(threads), rounds};
  pool.run(countRounds, &counting);
  pool.run(countRounds, &counting); // the pool is ready again at once
  pool.stop();
  EXPECT_EQ(counting.early, 0);
}

} // namespace

// Nobody leaves a barrier before all have arrived: many more threads than cores, most of them
// parked.
TEST(Barrier, MoreThreadsThanCores) { stress(16, 0, 500); }

// The same when waiters spin, give up and park in between.
TEST(Barrier, SpinThenPark) { stress(8, 300, 1000); }

// Two threads that spin long enough.
TEST(Barrier, TwoThreads) { stress(2, 5000, 5000); }

// A pool of one worker runs tasks on the caller and starts nothing.
TEST(Barrier, Alone) { stress(1, 0, 1000); }

// All workers get the same answer, even when the question changes while they arrive.
TEST(Barrier, OneAnswer) {
  struct Asking {
    std::atomic<uint32_t> question{0};
    std::vector<int> left;
  } asking;
  Pool pool;
  std::vector<Worker> workers(8);
  asking.left.resize(8);
  glm_status status;
  ASSERT_TRUE(pool.start(workers.data(), 8, 100, false, status));
  pool.run(
      [](void *context, Pool &pool, uint32_t worker) {
        auto &asking = *static_cast<Asking *>(context);
        for (int round = 0; round < 2000; ++round) {
          if (worker == 3 && round == 1000)
            asking.question = 1;
          if (pool.meet(asking.question))
            return void(asking.left[worker] = round);
        }
      },
      &asking);
  pool.stop();
  for (int round : asking.left)
    EXPECT_EQ(round, asking.left[0]);
  EXPECT_GE(asking.left[0], 999);
}

// Starting and stopping leaves nothing behind that would hang.
TEST(Barrier, ManyPools) {
  for (int i = 0; i < 100; ++i)
    stress(4, 50, 3);
}

// The time of a pause is measured, so a spin is bounded in time on every processor.
TEST(Barrier, PausesAreBounded) {
  EXPECT_GT(pausesFor(50), 10u);
  EXPECT_LT(pausesFor(50), 100000u);
}

TEST(Cores, AtLeastOne) {
  EXPECT_GE(usableCores(), 1u);
  EXPECT_GE(coreOfMask(0), 0);
  EXPECT_GE(coreOfMask(1000), 0);
}
