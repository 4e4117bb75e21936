// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Native code of an artifact in memory. The loader takes one narrow form of ELF (SCHEMA.md, Code):
// no imports, only relative relocations, no page both writable and executable. Everything else is
// refused with the rule it breaks, and every offset is checked before it is used. For debuggers and
// profilers the same bytes can go through dlopen instead.
#ifndef GLM_RUNTIME_DEVICES_CPU_CODEIMAGE_H
#define GLM_RUNTIME_DEVICES_CPU_CODEIMAGE_H

#include "runtime/core/Status.h"

#include <cstddef>
#include <cstdint>

namespace glm::runtime {

class CodeImage final {
public:
  CodeImage() = default;
  CodeImage(const CodeImage &) = delete;
  CodeImage &operator=(const CodeImage &) = delete;
  ~CodeImage() { unload(); }

  /// Loads the `size` bytes of an object file; `name` is for messages. `throughLinker`: with memfd
  /// and dlopen.
  bool load(const uint8_t *bytes, size_t size, const char *name, bool throughLinker,
            glm_status &status);
  void unload();
  bool isLoaded() const { return mapping || handle; }

  /// The address of a virtual address of the object; null unless it lies in executable memory.
  const void *entry(uint64_t offset) const;

private:
  static constexpr int maxRanges = 8;
  struct Range {
    uint64_t begin;
    uint64_t end;
  };

  bool loadThroughLinker(const uint8_t *bytes, size_t size, const char *name, glm_status &status);

  uint8_t *base = nullptr; // where virtual address 0 lies
  void *mapping = nullptr;
  size_t mapped = 0;
  void *handle = nullptr; // of dlopen
  Range executable[maxRanges] = {};
  int executableCount = 0;
};

} // namespace glm::runtime

#endif
