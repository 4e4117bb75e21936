// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/fixture/Toy.h"

#include "runtime/devices/cpu/CodeImage.h"
#include "runtime/schema/kernel_abi.h"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>

using namespace glm::runtime;

namespace {

struct Object {
  std::vector<uint8_t> bytes = toy::kernels();

  Elf64_Ehdr &head() { return *reinterpret_cast<Elf64_Ehdr *>(bytes.data()); }
  Elf64_Phdr *segment(uint32_t type, uint32_t flags = 0) {
    auto *segments = reinterpret_cast<Elf64_Phdr *>(bytes.data() + head().e_phoff);
    for (int i = 0; i < head().e_phnum; ++i)
      if (segments[i].p_type == type && (segments[i].p_flags & flags) == flags)
        return &segments[i];
    return nullptr;
  }
  Elf64_Dyn *dynamic(int64_t tag) {
    auto *items = reinterpret_cast<Elf64_Dyn *>(bytes.data() + segment(PT_DYNAMIC)->p_offset);
    for (; items->d_tag != DT_NULL; ++items)
      if (items->d_tag == tag)
        return items;
    return nullptr;
  }
  Elf64_Rela *relocation() {
    uint64_t address = dynamic(DT_RELA)->d_un.d_ptr;
    for (int i = 0; i < head().e_phnum; ++i) {
      auto &load = reinterpret_cast<Elf64_Phdr *>(bytes.data() + head().e_phoff)[i];
      if (load.p_type == PT_LOAD && address >= load.p_vaddr &&
          address < load.p_vaddr + load.p_filesz)
        return reinterpret_cast<Elf64_Rela *>(bytes.data() + load.p_offset + address -
                                              load.p_vaddr);
    }
    return nullptr;
  }
};

std::string refusal(const std::function<void(Object &)> &change) {
  Object object;
  change(object);
  CodeImage image;
  glm_status status = okStatus();
  bool loaded = image.load(object.bytes.data(), object.bytes.size(), "code", false, status);
  EXPECT_EQ(status.code, loaded ? GLM_OK : GLM_CODE_REFUSED);
  return status.message;
}

bool writable(const void *address) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uint64_t begin = strtoull(line.c_str(), nullptr, 16),
             end = strtoull(line.c_str() + line.find('-') + 1, nullptr, 16);
    auto at = reinterpret_cast<uintptr_t>(address);
    if (at >= begin && at < end)
      return line[line.find(' ') + 2] == 'w';
  }
  return true;
}

} // namespace

// A kernel runs after loading, through either loader, with its relocations done and its memory not
// writable.
TEST(CodeImage, Runs) {
  for (bool throughLinker : {false, true}) {
    Object object;
    CodeImage image;
    glm_status status = okStatus();
    ASSERT_TRUE(image.load(object.bytes.data(), object.bytes.size(), "code", throughLinker, status))
        << status.message;
    const void *entry = image.entry(toy::symbol(object.bytes, "mark"));
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(writable(entry));
    int64_t marker = 0;
    uint64_t arguments[] = {reinterpret_cast<uintptr_t>(&marker), 1};
    reinterpret_cast<glm_kernel>(reinterpret_cast<uintptr_t>(entry))(arguments, 0, 1, nullptr);
    EXPECT_EQ(marker, 22);
    EXPECT_EQ(image.entry(0), nullptr);
    EXPECT_EQ(image.entry(~0ull), nullptr);
  }
}

// Other kinds of files are refused by what they are.
TEST(CodeImage, Kind) {
  EXPECT_EQ(refusal([](Object &o) { o.bytes.resize(10); }),
            "segment code: native code is shorter than an ELF header");
  EXPECT_EQ(refusal([](Object &o) { o.bytes[0] = 0; }),
            "segment code: native code is not an ELF file");
  EXPECT_EQ(refusal([](Object &o) { o.bytes[EI_CLASS] = ELFCLASS32; }),
            "segment code: native code is not 64-bit little-endian");
  EXPECT_EQ(refusal([](Object &o) { o.head().e_type = ET_EXEC; }),
            "segment code: native code is not a shared object");
  EXPECT_NE(refusal([](Object &o) {
              o.head().e_machine = EM_PPC64;
            }).find("compile the artifact for this machine"),
            std::string::npos);
}

// Tables that point beyond the file are noticed.
TEST(CodeImage, Bounds) {
  EXPECT_NE(refusal([](Object &o) { o.head().e_phoff = ~0ull - 8; }), "");
  EXPECT_NE(refusal([](Object &o) { o.head().e_phnum = 65; }), "");
  EXPECT_NE(refusal([](Object &o) { o.segment(PT_LOAD)->p_filesz = ~0ull; }), "");
  EXPECT_NE(refusal([](Object &o) { o.segment(PT_LOAD)->p_memsz = 1ull << 40; }), "");
  EXPECT_NE(refusal([](Object &o) { o.segment(PT_LOAD, PF_X)->p_vaddr = 0; }), "");
  EXPECT_NE(refusal([](Object &o) { o.segment(PT_DYNAMIC)->p_vaddr = 1 << 29; }), "");
  EXPECT_NE(refusal([](Object &o) { o.dynamic(DT_RELASZ)->d_un.d_val = 24 << 20; }), "");
  EXPECT_NE(refusal([](Object &o) { o.dynamic(DT_RELASZ)->d_un.d_val = 23; }), "");
  EXPECT_NE(refusal([](Object &o) { o.segment(PT_GNU_RELRO)->p_memsz = ~0ull; }), "");
}

// Imports, initialisers and memory both writable and executable are refused.
TEST(CodeImage, Form) {
  EXPECT_EQ(refusal([](Object &o) { o.segment(PT_LOAD, PF_X)->p_flags |= PF_W; }),
            "segment code: native code has a segment both writable and executable");
  EXPECT_EQ(refusal([](Object &o) { o.segment(PT_GNU_STACK)->p_flags |= PF_X; }),
            "segment code: native code asks for an executable stack");
  EXPECT_EQ(refusal([](Object &o) { o.segment(PT_GNU_STACK)->p_type = PT_TLS; }),
            "segment code: native code has thread-local storage");
  EXPECT_EQ(refusal([](Object &o) { o.dynamic(DT_HASH)->d_tag = DT_NEEDED; }),
            "segment code: native code needs another library");
  EXPECT_EQ(refusal([](Object &o) { o.dynamic(DT_HASH)->d_tag = DT_INIT_ARRAY; }),
            "segment code: native code has initialisers");
  EXPECT_EQ(refusal([](Object &o) { o.dynamic(DT_HASH)->d_tag = DT_JMPREL; }),
            "segment code: native code has relocations of another form than RELA");
}

// Relocations are relative ones, from writable memory to the image.
TEST(CodeImage, Relocations) {
  EXPECT_EQ(
      refusal([](Object &o) { o.relocation()->r_info = ELF64_R_INFO(1, R_X86_64_64); }),
      "segment code: native code has a relocation that is not relative: it imports something");
  EXPECT_NE(refusal([](Object &o) { o.relocation()->r_offset = 0; }), "");
  EXPECT_NE(refusal([](Object &o) { o.relocation()->r_offset = ~0ull; }), "");
  EXPECT_NE(refusal([](Object &o) { o.relocation()->r_addend = -8; }), "");
}

// Whatever bits are wrong, the loader refuses or loads; it never touches memory that is not its
// own.
TEST(CodeImage, Noise) {
  Object good;
  uint32_t random = 99;
  for (int round = 0; round < 5000; ++round) {
    Object object;
    for (int i = 0; i < 4; ++i) {
      random = random * 1664525 + 1013904223;
      object.bytes[(random >> 8) % object.bytes.size()] ^= uint8_t(1 << (random >> 29));
    }
    CodeImage image;
    glm_status status = okStatus();
    image.load(object.bytes.data(), object.bytes.size(), "code", false, status);
  }
}
