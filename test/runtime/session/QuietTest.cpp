// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The promise of runtime.h that a step makes no system call but a futex, kept by the kernel: a
// process that has forbidden itself all others runs steps and lives.
#include "test/runtime/session/Reference.h"

#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace toy;

namespace {

/// From now on every thread of this process that asks for anything but a futex or its end is
/// killed.
bool forbidSystemCalls() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

enum Outcome { fine = 0, wrong = 1, noSeccomp = 2 };

int runQuietly(Loaded &toy, bool breakPromise) {
  if (toy.status.code != GLM_OK || feed(toy.session, 0, {1, 2, 3}, 0).code != GLM_OK)
    return wrong;
  if (!forbidSystemCalls())
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
  pid_t child = fork();
  if (child == 0) {
    Loaded toy({}, {}, {.threads = 3});
    syscall(SYS_exit_group, runQuietly(toy, breakPromise)); // before anything is given back
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

} // namespace

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GLM_INSTRUMENTED
#endif
#endif

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
