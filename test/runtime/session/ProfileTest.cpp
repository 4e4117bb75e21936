// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include <string>

using namespace toy;

// Every launch has its kernel, its place in the model, its calls and a time for each worker;
// branches not taken have none.
TEST(Profile, Launches) {
  Loaded toy({}, {.profile = 1});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {1, 2}, 0).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 0, {3}, 2).code, GLM_OK);
  const glm_launch_times *launches;
  size_t count;
  ASSERT_EQ(glm_session_profile(toy.session, &launches, &count).code, GLM_OK);
  ASSERT_GT(count, 8u);
  EXPECT_STREQ(launches[0].kernel, "embed");
  EXPECT_STREQ(launches[0].label, "model.embed");
  EXPECT_STREQ(launches[2].kernel, "attend");
  EXPECT_EQ(launches[2].calls, 2u);
  EXPECT_GT(launches[2].nanoseconds[0] + launches[2].nanoseconds[1], 0u);
  EXPECT_EQ(launches[3].calls, 2u); // less than three rows
  EXPECT_EQ(launches[4].calls, 0u);
  EXPECT_STREQ(launches[count - 1].kernel, "barrier");
  EXPECT_EQ(launches[count - 1].calls, 6u);
  glm_session_reset_profile(toy.session);
  EXPECT_EQ(launches[2].calls, 0u);
  EXPECT_EQ(launches[2].nanoseconds[0], 0u);
}

// Without the option there is nothing to tell.
TEST(Profile, Off) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  const glm_launch_times *launches;
  size_t count = 7;
  ASSERT_EQ(glm_session_profile(toy.session, &launches, &count).code, GLM_OK);
  EXPECT_EQ(count, 0u);
}
