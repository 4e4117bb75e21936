// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loader's walk over the program against the one that flatbuffers generates from the schema.
#include "test/runtime/fixture/Toy.h"

#include "runtime/artifact/Program.h"
#include "runtime/artifact/Structure.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace glm::runtime;

namespace {

bool generated(const std::vector<uint64_t> &bytes, size_t size) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(bytes.data()), size, 64,
                                 10000000);
  return glm::schema::VerifyProgramBuffer(verifier);
}

bool ours(const std::vector<uint64_t> &bytes, size_t size) {
  return isProgram(reinterpret_cast<const uint8_t *>(bytes.data()), size);
}

/// The program of the toy, at a multiple of 8.
std::vector<uint64_t> program(size_t &size, const toy::Knobs &knobs = {}) {
  auto file = toy::build(knobs);
  size = toy::header(file).program_size;
  std::vector<uint64_t> bytes(size / 8 + 1);
  memcpy(bytes.data(), file.data() + 64, size);
  return bytes;
}

} // namespace

// Whatever word is damaged, what passes here passes there; only elements of vectors that are not
// aligned are refused here alone.
TEST(Structure, DamagedWords) {
  size_t size;
  auto good = program(size, {.ledger = true, .bodyDepth = 3});
  ASSERT_TRUE(ours(good, size));
  int kept = 0, refused = 0, stricter = 0;
  uint32_t random = 7;
  for (size_t at = 0; at + 4 <= size; at += 6)
    for (uint32_t change : {1u, 2u, 4u, 8u, 64u, 0x10000u, 0x80000000u, random * 4u}) {
      random = random * 1664525 + 1013904223;
      auto bytes = good;
      uint32_t word;
      uint8_t *place = reinterpret_cast<uint8_t *>(bytes.data()) + at;
      memcpy(&word, place, 4);
      word += change;
      memcpy(place, &word, 4);
      bool here = ours(bytes, size), there = generated(bytes, size);
      ASSERT_LE(here, there) << "at " << at << ", " << change;
      kept += here;
      refused += !there;
      stricter += there && !here;
    }
  EXPECT_GT(kept, refused / 8);
  EXPECT_GT(refused, 1000);
  EXPECT_LT(stricter, refused / 8);
}

// A program cut anywhere is refused wherever the generated walk refuses it.
TEST(Structure, Cut) {
  size_t size;
  auto good = program(size);
  for (size_t shorter = size; shorter-- > 0;)
    ASSERT_LE(ours(good, shorter), generated(good, shorter)) << shorter;
}

// Nested branches end where 64 tables do.
TEST(Structure, Depth) {
  for (int depth : {29, 30, 31, 40}) {
    size_t size;
    auto bytes = program(size, {.bodyDepth = depth});
    EXPECT_EQ(ours(bytes, size), generated(bytes, size)) << depth;
  }
}
