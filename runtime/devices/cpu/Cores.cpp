// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many cores there are for us: a container often shows all of the machine's in /proc and grants
// two of them.
#include "runtime/core/TextFile.h"
#include "runtime/devices/cpu/Pool.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>

namespace glm::runtime {

static uint32_t ceilQuota(long quota, long period) {
  return quota > 0 && period > 0 ? uint32_t((quota + period - 1) / period) : UINT32_MAX;
}

// cgroup v2: "max 100000" or "150000 100000", here and in every folder above.
static uint32_t quotaOfGroup(char *path) {
  uint32_t least = UINT32_MAX;
  for (;;) {
    char file[640], text[64];
    snprintf(file, sizeof(file), "/sys/fs/cgroup%s/cpu.max", path);
    if (readTextFile(file, text, sizeof(text))) {
      char *rest = nullptr;
      long quota = strtol(text, &rest, 10);
      uint32_t cores = rest == text ? UINT32_MAX : ceilQuota(quota, strtol(rest, nullptr, 10));
      least = cores < least ? cores : least;
    }
    char *slash = strrchr(path, '/');
    if (!slash)
      return least;
    *slash = 0;
  }
}

static uint32_t quotaCores() {
  char text[512];
  if (readTextFile("/proc/self/cgroup", text, sizeof(text))) {
    if (char *line = strstr(text, "0::/")) {
      line[strcspn(line, "\n")] = 0;
      uint32_t cores = quotaOfGroup(line + 3);
      if (cores != UINT32_MAX)
        return cores;
    }
  }
  char quota[32], period[32]; // cgroup v1, as containers mount it
  if (readTextFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof(quota)) &&
      readTextFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof(period)))
    return ceilQuota(strtol(quota, nullptr, 10), strtol(period, nullptr, 10));
  return UINT32_MAX;
}

uint32_t usableCores() {
  cpu_set_t mask;
  int count = sched_getaffinity(0, sizeof(mask), &mask) == 0 ? CPU_COUNT(&mask) : 1;
  uint32_t quota = quotaCores();
  uint32_t cores = uint32_t(count) < quota ? uint32_t(count) : quota;
  return cores < 1 ? 1 : cores;
}

int32_t coreOfMask(uint32_t n) {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0 || CPU_COUNT(&mask) == 0)
    return -1;
  n %= uint32_t(CPU_COUNT(&mask));
  for (int32_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &mask) && n-- == 0)
      return core;
  return -1;
}

} // namespace glm::runtime
