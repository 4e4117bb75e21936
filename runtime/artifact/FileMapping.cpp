// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/artifact/FileMapping.h"

#include "runtime/core/Memory.h"
#include "runtime/core/TextFile.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace glm::runtime {

bool FileMapping::open(const char *path, glm_status &status) {
  file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return failWithReason(status, path, "cannot open the file");
  struct stat facts;
  if (fstat(file, &facts) != 0)
    return failWithReason(status, path, "cannot read the file's size");
  if (!S_ISREG(facts.st_mode))
    return fail(status, GLM_NOT_ARTIFACT, "%s: is not a regular file; name one", path);
  length = size_t(facts.st_size);
  return true;
}

bool FileMapping::map(const char *path, glm_status &status) {
  // Address space first, to choose an aligned place in it; the file then takes that place.
  void *place = mapAligned(length);
  if (!place)
    return fail(status, GLM_OUT_OF_MEMORY, "%s: no address space for %zu bytes; raise ulimit -v",
                path, length);
  void *mapping = mmap(place, length, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
  if (mapping == MAP_FAILED) {
    failWithReason(status, path, "cannot map the file");
    munmap(place, alignUp(length, 4096));
    return false;
  }
  base = static_cast<uint8_t *>(mapping);
  return true;
}

void FileMapping::close() {
  if (base)
    munmap(base, alignUp(length, 4096));
  if (file >= 0)
    ::close(file);
  base = nullptr;
  length = 0;
  file = -1;
}

namespace {
struct Tally {
  uint64_t begin, end;
  bool inside;
  uint64_t bytes;
};
} // namespace

// A mapping opens with "7f00-7f20 r--s …"; then lines "Name:   12 kB" tell about it.
static void tallyLine(void *context, const char *text) {
  auto &tally = *static_cast<Tally *>(context);
  char *rest = nullptr;
  uint64_t begin = strtoull(text, &rest, 16);
  if (rest != text && *rest == '-') {
    uint64_t end = strtoull(rest + 1, &rest, 16);
    tally.inside = begin < tally.end && end > tally.begin;
    return;
  }
  for (const char *name : {"AnonHugePages:", "FilePmdMapped:", "ShmemPmdMapped:"})
    if (tally.inside && strncmp(text, name, strlen(name)) == 0)
      tally.bytes += strtoull(text + strlen(name), nullptr, 10) * 1024;
}

uint64_t hugeBytesIn(const void *begin, size_t size) {
  auto start = reinterpret_cast<uintptr_t>(begin);
  Tally tally = {start, start + size, false, 0};
  readLines("/proc/self/smaps", tallyLine, &tally);
  return tally.bytes;
}

} // namespace glm::runtime
