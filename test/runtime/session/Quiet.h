// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A process that forbids itself system calls: the kernel as witness of what makes none.
#ifndef GLM_TEST_RUNTIME_SESSION_QUIET_H
#define GLM_TEST_RUNTIME_SESSION_QUIET_H

#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GLM_INSTRUMENTED // sanitizers make system calls of their own
#endif
#endif

namespace quiet {

/// From now on every thread of this process that asks for anything but a futex or its end is
/// killed.
inline bool forbidSystemCalls() {
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

/// Ends this process with nothing given back, which would take system calls.
[[noreturn]] inline void end(int result) {
  for (;;)
    syscall(SYS_exit_group, result);
}

/// Runs `work`, which calls `end`, in a process of its own; the status that waitpid tells.
template <typename Work> int statusOfChild(Work work) {
  pid_t child = fork();
  if (child == 0)
    work();
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

} // namespace quiet

#endif
