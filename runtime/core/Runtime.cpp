// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Runtime.h"

#include <cstdarg>
#include <cstdio>
#include <new>

using namespace glm::runtime;

static constexpr int32_t maxThreads = 4096;

const char *glm_version(void) { return GLM_VERSION; }

void glm_runtime::log(int32_t level, const char *format, ...) const {
  if (!options.log)
    return;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  options.log(options.user, level, line);
}

static uint32_t spinsOf(const glm_runtime_options &options, uint32_t threads, uint32_t cores) {
  if (options.spin_microseconds < 0 || threads == 1)
    return 0;
  if (options.spin_microseconds > 0)
    return pausesFor(uint32_t(options.spin_microseconds));
  return pausesFor(threads > cores ? 2 : 50);
}

static bool checkOptions(const glm_runtime_options &options, glm_status &status) {
  if (options.threads < 0 || options.threads > maxThreads)
    return fail(status, GLM_INVALID_ARGUMENT, "runtime: threads is %d, not in 0 to %d",
                options.threads, maxThreads);
  if (options.spin_microseconds < -1)
    return fail(status, GLM_INVALID_ARGUMENT, "runtime: spin_microseconds is %d, at least -1",
                options.spin_microseconds);
  if (!options.allocate != !options.release)
    return fail(status, GLM_INVALID_ARGUMENT,
                "runtime: allocate and release come together; one of them is missing");
  return true;
}

glm_status glm_runtime_create(const glm_runtime_options *options, glm_runtime **result) {
  if (!result)
    return nullArgument("runtime");
  glm_status status = okStatus();
  glm_runtime_options chosen = options ? *options : glm_runtime_options{};
  *result = nullptr;
  if (!checkOptions(chosen, status))
    return status;
  uint32_t cores = usableCores();
  uint32_t threads = chosen.threads ? uint32_t(chosen.threads) : cores;
  size_t size = alignUp(sizeof(glm_runtime), 64) + threads * sizeof(Worker);
  void *block = Memory(chosen).allocate(size, 64);
  if (!block) {
    fail(status, GLM_OUT_OF_MEMORY, "runtime: no memory for %zu bytes", size);
    return status;
  }
  auto *runtime = new (block) glm_runtime(chosen);
  runtime->blockSize = size;
  runtime->memory.count(size);
  auto *workers =
      reinterpret_cast<Worker *>(static_cast<uint8_t *>(block) + alignUp(sizeof(glm_runtime), 64));
  if (!runtime->pool.start(workers, threads, spinsOf(chosen, threads, cores),
                           chosen.pin_threads == 1, status)) {
    Memory(chosen).release(block, size);
    return status;
  }
  if (threads > cores)
    runtime->log(GLM_LOG_WARNING, "runtime: %u threads on %u cores; steps will wait for each other",
                 threads, cores);
  *result = runtime;
  return status;
}

void glm_runtime_destroy(glm_runtime *runtime) {
  if (!runtime)
    return;
  runtime->pool.stop();
  Memory memory(runtime->memory);
  size_t size = runtime->blockSize;
  runtime->~glm_runtime();
  memory.release(runtime, size);
}

glm_status glm_runtime_describe(const glm_runtime *runtime, glm_runtime_statistics *statistics) {
  if (!runtime || !statistics)
    return nullArgument("runtime");
  *statistics = {int32_t(runtime->pool.size()), runtime->memory.allocated(), runtime->memory.peak(),
                 runtime->mapped.load(std::memory_order_relaxed), runtime->pool.parks()};
  return okStatus();
}
