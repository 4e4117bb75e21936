// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole file in memory, read-only, at an address that is a multiple of 2 MiB: what is aligned in
// the file is aligned in memory, and the system can use huge pages for it. Resident is only what is
// read.
#ifndef GLM_RUNTIME_ARTIFACT_FILEMAPPING_H
#define GLM_RUNTIME_ARTIFACT_FILEMAPPING_H

#include "runtime/core/Status.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace glm::runtime {

class FileMapping final {
public:
  FileMapping() = default;
  FileMapping(FileMapping &&other) noexcept { *this = std::move(other); }
  FileMapping &operator=(FileMapping &&other) noexcept {
    std::swap(base, other.base);
    std::swap(length, other.length);
    std::swap(file, other.file);
    return *this;
  }
  ~FileMapping() { close(); }

  /// Opens without mapping.
  bool open(const char *path, glm_status &status);
  bool map(const char *path, glm_status &status);
  void close();

  const uint8_t *data() const { return base; }
  size_t size() const { return length; }
  int descriptor() const { return file; }

private:
  uint8_t *base = nullptr;
  size_t length = 0;
  int file = -1;
};

/// Bytes of [begin, begin + size) that lie on huge pages, as /proc/self/smaps tells; mappings count
/// as a whole.
uint64_t hugeBytesIn(const void *begin, size_t size);

} // namespace glm::runtime

#endif
