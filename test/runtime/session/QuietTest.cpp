// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The promise of runtime.h that a step makes no system call but a futex, kept by the kernel: a
// process that has forbidden itself all others runs steps and lives.
#include "test/runtime/session/Quiet.h"
#include "test/runtime/session/Reference.h"

using namespace toy;

namespace {

enum Outcome { fine = 0, wrong = 1, noSeccomp = 2 };

int runQuietly(Loaded &toy, bool breakPromise) {
  if (toy.status.code != GLM_OK || feed(toy.session, 0, {1, 2, 3}, 0).code != GLM_OK)
    return wrong;
  if (!quiet::forbidSystemCalls())
    return noSeccomp;
  for (int32_t position = 3; position < 40; ++position)
    if (feed(toy.session, 0, {position % vocabulary}, position).code != GLM_OK)
      return wrong;
  if (glm_session_truncate(toy.session, 0, 2).code != GLM_OK ||
      feed(toy.session, 0, {99}, 2).code != GLM_BAD_TOKEN)
    return wrong;
  if (breakPromise)
    getppid();
  return fine;
}

int statusOf(bool breakPromise) {
  return quiet::statusOfChild([=] {
    Loaded toy({}, {}, {.threads = 3});
    quiet::end(runQuietly(toy, breakPromise));
  });
}

} // namespace

// Steps, a truncation and a refused step need nothing but futexes; anything else would have killed
// the process.
TEST(Quiet, StepsMakeNoSystemCalls) {
#if defined(GLM_INSTRUMENTED)
  GTEST_SKIP() << "sanitizers make system calls of their own";
#endif
  int status = statusOf(false);
  if (WIFEXITED(status) && WEXITSTATUS(status) == noSeccomp)
    GTEST_SKIP() << "no seccomp here";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == fine) << status;
  int broken = statusOf(true);
  EXPECT_TRUE(WIFSIGNALED(broken)) << "the filter lets calls through: " << broken;
}
