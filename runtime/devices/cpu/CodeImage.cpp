// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/CodeImage.h"

#include "runtime/core/Memory.h"
#include "runtime/devices/cpu/Elf.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace glm::runtime {

static bool refuse(const char *name, const char *rule, glm_status &status) {
  return fail(status, GLM_CODE_REFUSED, "segment %s: native code %s", name, rule);
}

// Memory is writable here; protection comes last.
static const char *fillImage(const Elf &elf, uint8_t *image) {
  for (int i = 0; i < elf.segmentCount; ++i)
    memcpy(image + elf.segments[i].p_vaddr, elf.bytes + elf.segments[i].p_offset,
           elf.segments[i].p_filesz);
  for (size_t i = 0; i < elf.relocationCount; ++i) {
    uint64_t offset, target;
    if (const char *wrong = elf.relocation(i, offset, target))
      return wrong;
    uint64_t address = reinterpret_cast<uintptr_t>(image) + target;
    memcpy(image + offset, &address, sizeof(address));
  }
  return nullptr;
}

static bool protect(uint8_t *image, const Elf64_Phdr &segment, int protection) {
  uint64_t begin = segment.p_vaddr & ~uint64_t(4095);
  uint64_t end = alignUp(segment.p_vaddr + segment.p_memsz, 4096);
  return begin == end || mprotect(image + begin, end - begin, protection) == 0;
}

static bool protectImage(const Elf &elf, uint8_t *image) {
  if (mprotect(image, elf.span, PROT_NONE) != 0)
    return false;
  for (int i = 0; i < elf.segmentCount; ++i) {
    uint32_t flags = elf.segments[i].p_flags;
    int protection = PROT_READ | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
    if (!protect(image, elf.segments[i], protection))
      return false;
  }
  // Whole pages only: what shares a page with the end of RELRO stays writable.
  uint64_t begin = elf.relro.p_vaddr & ~uint64_t(4095);
  uint64_t end = (elf.relro.p_vaddr + elf.relro.p_memsz) & ~uint64_t(4095);
  return end <= begin || mprotect(image + begin, end - begin, PROT_READ) == 0;
}

bool CodeImage::load(const uint8_t *bytes, size_t size, const char *name, bool throughLinker,
                     glm_status &status) {
  Elf elf;
  if (const char *wrong = elf.parse(bytes, size))
    return refuse(name, wrong, status);
  for (int i = 0; i < elf.segmentCount; ++i)
    if (elf.segments[i].p_flags & PF_X)
      executable[executableCount++] = {elf.segments[i].p_vaddr,
                                       elf.segments[i].p_vaddr + elf.segments[i].p_filesz};
  if (throughLinker)
    return loadThroughLinker(bytes, size, name, status);

  void *memory =
      mmap(nullptr, elf.span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return failWithReason(status, name, "cannot map memory for native code");
  mapping = memory;
  mapped = elf.span;
  base = static_cast<uint8_t *>(memory);
  if (const char *wrong = fillImage(elf, base))
    return refuse(name, wrong, status);
#if defined(__aarch64__) // before protection: gaps between segments cannot be read afterwards
  __builtin___clear_cache(reinterpret_cast<char *>(base), reinterpret_cast<char *>(base) + mapped);
#endif
  return protectImage(elf, base) ||
         failWithReason(status, name, "the system does not let memory become executable");
}

static int writeMemoryFile(const uint8_t *bytes, size_t size, const char *name) {
  int file = memfd_create(name, MFD_CLOEXEC);
  for (size_t done = 0; file >= 0 && done < size;) {
    ssize_t written = write(file, bytes + done, size - done);
    if (written <= 0) {
      close(file);
      return -1;
    }
    done += size_t(written);
  }
  return file;
}

bool CodeImage::loadThroughLinker(const uint8_t *bytes, size_t size, const char *name,
                                  glm_status &status) {
  int file = writeMemoryFile(bytes, size, name);
  if (file < 0)
    return failWithReason(status, name, "cannot create a file in memory for native code");
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
  handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  close(file);
  if (!handle) {
    const char *reason = dlerror();
    return fail(status, GLM_CODE_REFUSED, "segment %s: dlopen: %s", name,
                reason ? reason : "no reason given");
  }
  link_map *map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
    return refuse(name, "has no link map", status);
  base = reinterpret_cast<uint8_t *>(map->l_addr);
  return true;
}

void CodeImage::unload() {
  if (handle)
    dlclose(handle);
  if (mapping)
    munmap(mapping, mapped);
  handle = mapping = nullptr;
  base = nullptr;
  executableCount = 0;
}

const void *CodeImage::entry(uint64_t offset) const {
  for (int i = 0; i < executableCount; ++i)
    if (offset >= executable[i].begin && offset < executable[i].end)
      return base + offset;
  return nullptr;
}

} // namespace glm::runtime
