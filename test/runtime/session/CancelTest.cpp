// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include <cstring>
#include <thread>

using namespace toy;

// Cancelling from another thread ends a long run early, with every worker out of it and the session
// usable.
TEST(Cancel, FromAnotherThread) {
  Knobs knobs;
  knobs.busyLaunches = 500;
  knobs.busyIterations = 10000000; // half an hour, if nobody stops it
  Loaded toy(knobs, {}, {.threads = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  std::atomic<bool> over = false;
  std::thread canceller([&] {
    while (!over) { // until it was heard: before the run begins, nothing is
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      glm_session_cancel(toy.session);
    }
  });
  glm_row row = {1, 0, 0, 0};
  glm_tensor input = {"rows", GLM_I32, 2, {1, 4}, &row};
  glm_status status = glm_session_run(toy.session, "busy", &input, 1);
  over = true;
  canceller.join();
  EXPECT_EQ(status.code, GLM_CANCELLED);
  EXPECT_STREQ(status.message, "entry busy: was cancelled; no slot has changed");
  ASSERT_EQ(feed(toy.session, 0, {1}, 0).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({1}));
}

// A step that the progress callback ends at any of its launches changes no slot and keeps no page.
TEST(Cancel, ByProgressAtEveryLaunch) {
  struct Countdown {
    int left;
    bool armed;
  };
  for (int at = 0; at < 5; ++at) {
    Countdown countdown = {at, false};
    auto progress = [](void *user, const char *, uint64_t done, uint64_t total) -> int32_t {
      auto &countdown = *static_cast<Countdown *>(user);
      EXPECT_LE(done, total);
      return countdown.armed && countdown.left-- == 0;
    };
    Loaded toy({}, {.pages = 1}, {.threads = 2, .progress = progress, .user = &countdown});
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    countdown.armed = true;
    glm_tensor logits;
    EXPECT_EQ(feed(toy.session, 0, {1, 2, 3}, 0).code, GLM_CANCELLED);
    EXPECT_EQ(glm_session_length(toy.session, 0), 0);
    EXPECT_EQ(glm_session_output(toy.session, "logits", &logits).code, GLM_NOT_FOUND);
    countdown.armed = false;
    ASSERT_EQ(feed(toy.session, 0, {4, 5}, 0).code, GLM_OK); // the only page is free again
    EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({4, 5}));
  }
}

// A cancellation when nothing runs concerns nothing.
TEST(Cancel, Idle) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_session_cancel(toy.session);
  glm_session_cancel(nullptr);
  EXPECT_EQ(feed(toy.session, 0, {1}, 0).code, GLM_OK);
}
