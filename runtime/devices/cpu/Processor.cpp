// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bits as in Intel's SDM volume 2, CPUID, and in Linux' arch/arm64 documentation of the hardware
// capabilities.
#include "runtime/devices/cpu/Processor.h"

#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace glm::runtime {

#if defined(__x86_64__)

namespace {
// Which registers the operating system must save: bits of XCR0.
enum State : uint8_t { general, avx, avx512, tiles };
constexpr uint8_t masks[] = {0, 0x6, 0xe6};
enum Register : uint8_t { eax, ebx, ecx, edx };

struct Bit {
  std::string_view name;
  uint8_t leaf; // 0x81: extended leaf 0x80000001
  uint8_t subleaf;
  Register from;
  uint8_t bit;
  State state;
};
} // namespace

static constexpr Bit table[] = {
    {"sse", 1, 0, edx, 25, general},
    {"sse2", 1, 0, edx, 26, general},
    {"mmx", 1, 0, edx, 23, general},
    {"fxsr", 1, 0, edx, 24, general},
    {"cx8", 1, 0, edx, 8, general},
    {"cmov", 1, 0, edx, 15, general},
    {"sse3", 1, 0, ecx, 0, general},
    {"pclmul", 1, 0, ecx, 1, general},
    {"ssse3", 1, 0, ecx, 9, general},
    {"fma", 1, 0, ecx, 12, avx},
    {"cx16", 1, 0, ecx, 13, general},
    {"sse4.1", 1, 0, ecx, 19, general},
    {"sse4.2", 1, 0, ecx, 20, general},
    {"movbe", 1, 0, ecx, 22, general},
    {"popcnt", 1, 0, ecx, 23, general},
    {"aes", 1, 0, ecx, 25, general},
    {"xsave", 1, 0, ecx, 26, general},
    {"avx", 1, 0, ecx, 28, avx},
    {"f16c", 1, 0, ecx, 29, avx},
    {"rdrnd", 1, 0, ecx, 30, general},
    {"sahf", 0x81, 0, ecx, 0, general},
    {"lzcnt", 0x81, 0, ecx, 5, general},
    {"prfchw", 0x81, 0, ecx, 8, general},
    {"64bit", 0x81, 0, edx, 29, general},
    {"fsgsbase", 7, 0, ebx, 0, general},
    {"bmi", 7, 0, ebx, 3, general},
    {"avx2", 7, 0, ebx, 5, avx},
    {"bmi2", 7, 0, ebx, 8, general},
    {"avx512f", 7, 0, ebx, 16, avx512},
    {"avx512dq", 7, 0, ebx, 17, avx512},
    {"rdseed", 7, 0, ebx, 18, general},
    {"adx", 7, 0, ebx, 19, general},
    {"avx512ifma", 7, 0, ebx, 21, avx512},
    {"clflushopt", 7, 0, ebx, 23, general},
    {"clwb", 7, 0, ebx, 24, general},
    {"avx512cd", 7, 0, ebx, 28, avx512},
    {"sha", 7, 0, ebx, 29, general},
    {"avx512bw", 7, 0, ebx, 30, avx512},
    {"avx512vl", 7, 0, ebx, 31, avx512},
    {"avx512vbmi", 7, 0, ecx, 1, avx512},
    {"avx512vbmi2", 7, 0, ecx, 6, avx512},
    {"gfni", 7, 0, ecx, 8, general},
    {"vaes", 7, 0, ecx, 9, avx},
    {"vpclmulqdq", 7, 0, ecx, 10, avx},
    {"avx512vnni", 7, 0, ecx, 11, avx512},
    {"avx512bitalg", 7, 0, ecx, 12, avx512},
    {"avx512vpopcntdq", 7, 0, ecx, 14, avx512},
    {"rdpid", 7, 0, ecx, 22, general},
    {"movdiri", 7, 0, ecx, 27, general},
    {"movdir64b", 7, 0, ecx, 28, general},
    {"avx512vp2intersect", 7, 0, edx, 8, avx512},
    {"serialize", 7, 0, edx, 14, general},
    {"amx-bf16", 7, 0, edx, 22, tiles},
    {"avx512fp16", 7, 0, edx, 23, avx512},
    {"amx-tile", 7, 0, edx, 24, tiles},
    {"amx-int8", 7, 0, edx, 25, tiles},
    {"avxvnni", 7, 1, eax, 4, avx},
    {"avx512bf16", 7, 1, eax, 5, avx512},
    {"amx-fp16", 7, 1, eax, 21, tiles},
    {"avxifma", 7, 1, eax, 23, avx},
    {"avxvnniint8", 7, 1, edx, 4, avx},
    {"avxneconvert", 7, 1, edx, 5, avx},
    {"avxvnniint16", 7, 1, edx, 10, avx},
};

static bool tilesGranted() {
  constexpr long requestPermission = 0x1023,
                 tileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}

static bool saved(State state) {
  if (state == general)
    return true;
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) // OSXSAVE
    return false;
  if (state == tiles)
    return tilesGranted();
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & masks[state]) == masks[state];
}

namespace {
struct Place {
  uint16_t leaf : 2, subleaf : 1, from : 2, bit : 5, state : 2;
};
constexpr uint32_t leaves[] = {1, 7, 0x80000001};
} // namespace

static constexpr Place placeOf(const Bit &bit) {
  uint16_t leaf = bit.leaf == 1 ? 0 : bit.leaf == 7 ? 1 : 2;
  return {leaf, bit.subleaf, bit.from, bit.bit, bit.state};
}

static bool present(Place place) {
  uint32_t values[4] = {};
  return __get_cpuid_count(leaves[place.leaf], place.subleaf, &values[eax], &values[ebx],
                           &values[ecx], &values[edx]) &&
         (values[place.from] >> place.bit & 1) && saved(State(place.state));
}

const char *processorArchitecture() { return "x86-64"; }

#else

namespace {
struct Bit {
  std::string_view name;
  uint8_t word; // 0: AT_HWCAP, 1: AT_HWCAP2, 2: SVE with vectors of at least `bit` * 8 bytes
  uint8_t bit;
};
} // namespace

static constexpr Bit table[] = {
    {"fp-armv8", 0, 0}, {"neon", 0, 1},       {"aes", 0, 3},      {"sha2", 0, 6},
    {"crc", 0, 7},      {"lse", 0, 8},        {"fullfp16", 0, 9}, {"rdm", 0, 12},
    {"jsconv", 0, 13},  {"complxnum", 0, 14}, {"rcpc", 0, 15},    {"dotprod", 0, 20},
    {"fp16fml", 0, 23}, {"sve", 0, 22},       {"sve2", 1, 1},     {"i8mm", 1, 13},
    {"bf16", 1, 14},    {"sme", 1, 23},       {"sve256", 2, 4},
};

namespace {
struct Place {
  uint8_t word : 2, bit : 5;
};
} // namespace

static constexpr Place placeOf(const Bit &bit) { return {bit.word, bit.bit}; }

static bool present(Place place) {
#if defined(__aarch64__)
  if (place.word == 2) {
    constexpr int getVectorLength = 51; // PR_SVE_GET_VL: bytes in the low 16 bits, or an error
    int length = prctl(getVectorLength);
    return length > 0 && (length & 0xffff) >= place.bit * 8;
  }
  return getauxval(place.word ? AT_HWCAP2 : AT_HWCAP) >> place.bit & 1;
#else
  return false;
#endif
}

const char *processorArchitecture() { return "aarch64"; }

#endif

namespace {
// Strings in a table would be pointers with relocations, arrays of the longest one's length mostly
// zeros; so what the loader keeps is one text with a zero behind each name, and the bits apart.
constexpr size_t textSize = [] {
  size_t size = 0;
  for (const Bit &bit : table)
    size += bit.name.size() + 1;
  return size;
}();

struct Names {
  char text[textSize] = {};
  constexpr Names() {
    char *end = text;
    for (const Bit &bit : table) {
      for (char c : bit.name)
        *end++ = c;
      ++end;
    }
  }
};

struct Places {
  Place places[std::size(table)] = {};
  constexpr Places() {
    for (size_t i = 0; i < std::size(table); ++i)
      places[i] = placeOf(table[i]);
  }
};
} // namespace

static constexpr Names names;
static constexpr Places places;

Feature processorFeature(const char *name) {
  if (*name == '+')
    ++name;
  const char *known = names.text;
  for (const Place &place : places.places) {
    if (strcmp(known, name) == 0)
      return present(place) ? Feature::present : Feature::absent;
    known += strlen(known) + 1;
  }
  return Feature::unknown;
}

} // namespace glm::runtime
