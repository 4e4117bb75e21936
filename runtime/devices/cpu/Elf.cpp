// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/Elf.h"

#include <bit>
#include <cstring>

namespace glm::runtime {

static_assert(std::endian::native == std::endian::little,
              "artifacts are little endian and used in place");

#if defined(__x86_64__)
static constexpr uint16_t machine = EM_X86_64;
static constexpr uint32_t relative = R_X86_64_RELATIVE;
static constexpr const char *wrongMachine =
    "is not code for x86-64; compile the artifact for this machine";
#else
static constexpr uint16_t machine = EM_AARCH64;
static constexpr uint32_t relative = R_AARCH64_RELATIVE;
static constexpr const char *wrongMachine =
    "is not code for AArch64; compile the artifact for this machine";
#endif

static constexpr uint64_t maxSpan = uint64_t(1) << 30;

const char *Elf::parse(const uint8_t *data, size_t length) {
  bytes = data;
  size = length;
  Elf64_Ehdr header;
  if (const char *wrong = parseHeader(header))
    return wrong;
  Elf64_Phdr dynamic = {};
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
    if (const char *wrong = parseSegment(segment))
      return wrong;
    if (segment.p_type == PT_DYNAMIC)
      dynamic = segment;
    if (segment.p_type == PT_GNU_RELRO)
      relro = segment;
  }
  if (segmentCount == 0)
    return "has nothing to load";
  if (relro.p_memsz && (relro.p_vaddr > span || relro.p_memsz > span - relro.p_vaddr))
    return "protects memory outside of its segments";
  return dynamic.p_type == PT_DYNAMIC ? parseDynamic(dynamic) : nullptr;
}

const char *Elf::parseHeader(Elf64_Ehdr &header) const {
  if (size < sizeof(header))
    return "is shorter than an ELF header";
  memcpy(&header, bytes, sizeof(header));
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return "is not an ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return "is not 64-bit little-endian";
  if (header.e_type != ET_DYN)
    return "is not a shared object";
  if (header.e_machine != machine)
    return wrongMachine;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > 64)
    return "has program headers of another form";
  if (header.e_phoff > size || header.e_phnum * sizeof(Elf64_Phdr) > size - header.e_phoff)
    return "has program headers beyond its end";
  return nullptr;
}

const char *Elf::parseSegment(const Elf64_Phdr &segment) {
  if (segment.p_type == PT_INTERP || segment.p_type == PT_TLS)
    return segment.p_type == PT_TLS ? "has thread-local storage" : "asks for an interpreter";
  if (segment.p_type == PT_GNU_STACK)
    return segment.p_flags & PF_X ? "asks for an executable stack" : nullptr;
  if (segment.p_type != PT_LOAD)
    return nullptr;
  if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
    return "has a segment both writable and executable";
  if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
    return "has a segment beyond its end";
  if (segment.p_filesz > segment.p_memsz || segment.p_vaddr > maxSpan ||
      segment.p_memsz > maxSpan - segment.p_vaddr)
    return "has a segment larger than 1 GiB or than its memory";
  // Pages have one protection each, so two segments may not share one.
  if (segmentCount && (segment.p_vaddr & ~uint64_t(4095)) < span)
    return "has segments that overlap or are not in ascending order";
  if (segmentCount == maxSegments)
    return "has more than 8 segments";
  segments[segmentCount++] = segment;
  span = (segment.p_vaddr + segment.p_memsz + 4095) & ~uint64_t(4095);
  return nullptr;
}

const uint8_t *Elf::at(uint64_t address, uint64_t length) const {
  for (int i = 0; i < segmentCount; ++i) {
    const Elf64_Phdr &segment = segments[i];
    uint64_t offset = address - segment.p_vaddr;
    if (address >= segment.p_vaddr && offset <= segment.p_filesz &&
        length <= segment.p_filesz - offset)
      return bytes + segment.p_offset + offset;
  }
  return nullptr;
}

const char *Elf::parseDynamic(const Elf64_Phdr &dynamic) {
  const uint8_t *table = at(dynamic.p_vaddr, dynamic.p_filesz);
  if (!table)
    return "has a dynamic section beyond its segments";
  uint64_t address = 0, length = 0;
  for (uint64_t i = 0; i + sizeof(Elf64_Dyn) <= dynamic.p_filesz; i += sizeof(Elf64_Dyn)) {
    Elf64_Dyn item;
    memcpy(&item, table + i, sizeof(item));
    if (item.d_tag == DT_NULL)
      break;
    switch (item.d_tag) {
    case DT_NEEDED:
      return "needs another library";
    case DT_INIT:
    case DT_FINI:
    case DT_INIT_ARRAY:
    case DT_FINI_ARRAY:
    case DT_PREINIT_ARRAY:
      return "has initialisers";
    case DT_REL:
    case 36: // DT_RELR, unknown to older headers
    case DT_JMPREL:
    case DT_TEXTREL:
      return "has relocations of another form than RELA";
    case DT_RELAENT:
      if (item.d_un.d_val != sizeof(Elf64_Rela))
        return "has relocations of another size";
      break;
    case DT_RELA:
      address = item.d_un.d_ptr;
      break;
    case DT_RELASZ:
      length = item.d_un.d_val;
      break;
    default:
      break;
    }
  }
  if (length == 0)
    return nullptr;
  const uint8_t *place = at(address, length);
  if (!place || length % sizeof(Elf64_Rela) != 0)
    return "has relocations beyond its segments";
  relocations = reinterpret_cast<const Elf64_Rela *>(place);
  relocationCount = length / sizeof(Elf64_Rela);
  return nullptr;
}

const char *Elf::relocation(size_t index, uint64_t &offset, uint64_t &target) const {
  Elf64_Rela item;
  memcpy(&item, reinterpret_cast<const uint8_t *>(relocations) + index * sizeof(item),
         sizeof(item));
  if (ELF64_R_TYPE(item.r_info) != relative || ELF64_R_SYM(item.r_info) != 0)
    return "has a relocation that is not relative: it imports something";
  offset = item.r_offset;
  target = uint64_t(item.r_addend);
  if (target >= span)
    return "has a relocation to outside of the image";
  for (int i = 0; i < segmentCount; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if ((segment.p_flags & PF_W) && offset >= segment.p_vaddr &&
        segment.p_memsz >= sizeof(uint64_t) &&
        offset - segment.p_vaddr <= segment.p_memsz - sizeof(uint64_t))
      return nullptr;
  }
  return "has a relocation outside of its writable segments";
}

} // namespace glm::runtime
