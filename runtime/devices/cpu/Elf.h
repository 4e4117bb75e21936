// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the ELF form of SCHEMA.md: a view of the bytes that has been checked against their size and
// against the rules.
#ifndef GLM_RUNTIME_DEVICES_CPU_ELF_H
#define GLM_RUNTIME_DEVICES_CPU_ELF_H

#include <cstddef>
#include <cstdint>
#include <elf.h>

namespace glm::runtime {

struct Elf final {
  static constexpr int maxSegments = 8;

  const uint8_t *bytes = nullptr;
  size_t size = 0;
  Elf64_Phdr segments[maxSegments]; // PT_LOAD, ascending
  int segmentCount = 0;
  uint64_t span = 0; // bytes of address space from virtual address 0 on
  Elf64_Phdr relro = {};
  const Elf64_Rela *relocations = nullptr; // may lie at any alignment
  size_t relocationCount = 0;

  /// Null, or the rule that the bytes break.
  const char *parse(const uint8_t *data, size_t length);

  /// Relocation `index`, checked: 8 bytes inside a writable segment and a target inside the image.
  const char *relocation(size_t index, uint64_t &offset, uint64_t &target) const;

private:
  const char *parseHeader(Elf64_Ehdr &header) const;
  const char *parseSegment(const Elf64_Phdr &segment);
  const char *parseDynamic(const Elf64_Phdr &dynamic);
  /// The file bytes of `length` bytes at a virtual address; null when they are not all in one
  /// segment's file part.
  const uint8_t *at(uint64_t address, uint64_t length) const;
};

} // namespace glm::runtime

#endif
