// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where memory comes from: the caller's callbacks, or mappings of our own on huge pages. Blocks are
// few and large (a runtime, a model, a session: one each), so there is no heap. Contents of a new
// block are undefined. Thread-safe when the callbacks are.
#ifndef GLM_RUNTIME_CORE_MEMORY_H
#define GLM_RUNTIME_CORE_MEMORY_H

#include "glm/runtime.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace glm::runtime {

inline constexpr size_t hugePage = size_t(2) << 20;

/// Blocks from this size on lie on huge pages. The system clears a page when it is first touched:
/// 0.1 to 2 ms of a huge one, which a session of a few caches would wait for at its first token,
/// and smaller blocks need few entries of the processor's tables anyway.
inline constexpr size_t hugeFrom = 16 * hugePage;

/// Where a block of that size starts.
constexpr size_t alignmentOf(uint64_t size) { return size >= hugeFrom ? hugePage : 4096; }

constexpr uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

class Memory final {
public:
  Memory() = default;
  explicit Memory(const glm_runtime_options &options)
      : allocateCall(options.allocate), releaseCall(options.release), user(options.user) {}
  Memory(const Memory &other)
      : allocateCall(other.allocateCall), releaseCall(other.releaseCall), user(other.user) {}
  Memory &operator=(const Memory &) = delete;

  /// `size` bytes at a multiple of `alignment` (a power of two up to 2 MiB); null when there are
  /// none.
  void *allocate(size_t size, size_t alignment);
  void release(void *memory, size_t size);

  /// Counts memory that came from elsewhere (copied weights).
  void count(size_t size);
  void uncount(size_t size) { current.fetch_sub(size, std::memory_order_relaxed); }

  uint64_t allocated() const { return current.load(std::memory_order_relaxed); }
  uint64_t peak() const { return most.load(std::memory_order_relaxed); }

private:
  void *(*allocateCall)(void *, size_t, size_t) = nullptr;
  void (*releaseCall)(void *, void *, size_t) = nullptr;
  void *user = nullptr;
  std::atomic<uint64_t> current{0};
  std::atomic<uint64_t> most{0};
};

/// Reserves address space of `size` bytes at a multiple of 2 MiB, readable and writable, on huge
/// pages where the system grants them. Null when there is none. Give it back with munmap, `size`
/// rounded up to 4 KiB.
void *mapAligned(size_t size);

/// A plan of a block: what lies where, and how long the whole is. Overflow sticks and shows in
/// `valid`.
class Layout final {
public:
  /// The offset of `size` bytes at a multiple of `alignment`.
  uint64_t take(uint64_t size, uint64_t alignment);
  /// As above for `count` elements of `size` bytes.
  uint64_t take(uint64_t count, uint64_t size, uint64_t alignment);
  uint64_t size() const { return total; }
  bool valid() const { return !overflow; }

private:
  uint64_t total = 0;
  bool overflow = false;
};

} // namespace glm::runtime

#endif
