// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The object behind glm_runtime: the memory, the threads and the callbacks that models and sessions
// share. It lies with its workers in one block.
#ifndef GLM_RUNTIME_CORE_RUNTIME_H
#define GLM_RUNTIME_CORE_RUNTIME_H

#include "runtime/core/Memory.h"
#include "runtime/core/Status.h"
#include "runtime/devices/cpu/Pool.h"

struct glm_runtime {
  explicit glm_runtime(const glm_runtime_options &options) : options(options), memory(options) {}

  glm_runtime_options options;
  glm::runtime::Memory memory;
  glm::runtime::Pool pool;
  pthread_mutex_t stepping = PTHREAD_MUTEX_INITIALIZER; // the pool serves one step at a time
  std::atomic<uint64_t> mapped{0};
  size_t blockSize = 0;

  [[gnu::format(printf, 3, 4)]] void log(int32_t level, const char *format, ...) const;

  /// False when the caller wants the work to end.
  bool proceed(const char *what, uint64_t done, uint64_t total) const {
    return !options.progress || options.progress(options.user, what, done, total) == 0;
  }
};

#endif
