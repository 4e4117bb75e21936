// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Memory.h"

#include <sys/mman.h>

namespace glm::runtime {

void *mapAligned(size_t size) {
  size = alignUp(size, 4096);
  size_t reserved = size + hugePage;
  if (reserved < size)
    return nullptr;
  void *mapping = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return nullptr;
  auto start = reinterpret_cast<uintptr_t>(mapping);
  uintptr_t aligned = alignUp(start, hugePage);
  if (aligned > start)
    munmap(mapping, aligned - start);
  if (uintptr_t rest = start + reserved - (aligned + size))
    munmap(reinterpret_cast<void *>(aligned + size), rest);
  auto *result = reinterpret_cast<void *>(aligned);
  madvise(result, size, MADV_HUGEPAGE); // a wish: systems without huge pages refuse it
  return result;
}

static void *mapPages(size_t size) {
  void *mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

void *Memory::allocate(size_t size, size_t alignment) {
  void *memory = allocateCall                           ? allocateCall(user, size, alignment)
                 : size >= hugeFrom || alignment > 4096 ? mapAligned(size)
                                                        : mapPages(size);
  if (memory)
    count(size);
  return memory;
}

void Memory::release(void *memory, size_t size) {
  if (!memory)
    return;
  uncount(size);
  if (!allocateCall)
    munmap(memory, alignUp(size, 4096));
  else if (releaseCall)
    releaseCall(user, memory, size);
}

void Memory::count(size_t size) {
  uint64_t now = current.fetch_add(size, std::memory_order_relaxed) + size;
  uint64_t seen = most.load(std::memory_order_relaxed);
  while (now > seen && !most.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
}

uint64_t Layout::take(uint64_t size, uint64_t alignment) {
  uint64_t start = alignUp(total, alignment);
  overflow |=
      start < total || __builtin_add_overflow(start, size, &total) || total > (uint64_t(1) << 56);
  return start;
}

uint64_t Layout::take(uint64_t count, uint64_t size, uint64_t alignment) {
  uint64_t bytes = 0;
  overflow |= __builtin_mul_overflow(count, size, &bytes);
  return take(bytes, alignment);
}

} // namespace glm::runtime
