// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/fixture/Toy.h"

#include "runtime/artifact/Artifact.h"

#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace glm::runtime;

static int32_t codeOf(const char *path) {
  glm_status status = okStatus();
  Artifact artifact;
  bool opened = artifact.open(path, status);
  EXPECT_EQ(opened, status.code == GLM_OK);
  EXPECT_EQ(strchr(status.message, '\n'), nullptr);
  return opened ? GLM_OK : status.code;
}

// An artifact cut anywhere is refused: as no artifact inside the magic, as cut off behind it.
TEST(Damage, CutAtEveryByte) {
  auto bytes = toy::build();
  toy::File file(bytes);
  ASSERT_EQ(codeOf(file.path()), GLM_OK);
  // From the end, so that one file serves; where zeros fill megabytes, every 509th byte is enough.
  size_t dense = 64 + toy::header(bytes).program_size, last = toy::weightsAt - 4096;
  for (size_t size = bytes.size(); size-- > 0;) {
    if (size > dense && size < last && size % 509 != 0)
      continue;
    ASSERT_EQ(truncate(file.path(), off_t(size)), 0);
    ASSERT_EQ(codeOf(file.path()), size == 0 ? GLM_NOT_ARTIFACT : GLM_TRUNCATED) << size;
  }
}

// A byte too many is as wrong as one too few.
TEST(Damage, TooLong) {
  auto bytes = toy::build();
  bytes.push_back(0);
  EXPECT_EQ(toy::load(bytes).code, GLM_TRUNCATED);
}

// Every single flipped bit in header, program, code and tokenizer is noticed.
TEST(Damage, FlippedBits) {
  toy::Knobs knobs;
  auto bytes = toy::build();
  size_t program = 64 + toy::header(bytes).program_size, code = toy::kernels().size();
  toy::File file(bytes);
  int handle = open(file.path(), O_WRONLY);
  ASSERT_GE(handle, 0);
  auto flip = [&](size_t at, int bit) {
    uint8_t damaged = bytes[at] ^ uint8_t(1 << bit);
    ASSERT_EQ(pwrite(handle, &damaged, 1, off_t(at)), 1);
    ASSERT_NE(codeOf(file.path()), GLM_OK) << "byte " << at << ", bit " << bit;
    ASSERT_EQ(pwrite(handle, &bytes[at], 1, off_t(at)), 1);
  };
  for (size_t at = 0; at < 64; ++at)
    for (int bit = 0; bit < 8; ++bit)
      flip(at, bit);
  for (size_t at = 64; at < program; ++at)
    flip(at, int(at % 8));
  for (size_t at = 0; at < code; ++at)
    flip(knobs.codeSegmentOffset + at, int(at % 8));
  flip(toy::tokenizerAt, 0);
  close(handle);
  EXPECT_EQ(codeOf(file.path()), GLM_OK);
}

// A program whose hash is right but whose bytes are not never crashes the loader (nor the tools
// above it).
TEST(Damage, ResealedNoise) {
  auto good = toy::build();
  size_t size = toy::header(good).program_size;
  uint32_t random = 12345;
  toy::File file(good);
  for (int round = 0; round < 3000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 3; ++i) {
      random = random * 1664525 + 1013904223;
      bytes[64 + random % size] ^= uint8_t(1 << (random >> 29));
    }
    toy::reseal(bytes);
    int handle = open(file.path(), O_WRONLY);
    ASSERT_EQ(pwrite(handle, bytes.data(), 64 + size, 0), ssize_t(64 + size));
    close(handle);
    codeOf(file.path()); // any status is right
  }
}

// Damaged weights are found when asked for, and only then.
TEST(Damage, WeightsOnRequest) {
  auto bytes = toy::build();
  bytes[toy::weightsAt] ^= 1;
  EXPECT_EQ(toy::load(bytes).code, GLM_OK);
  glm_status status = toy::load(bytes, {.verify_weights = 1});
  EXPECT_EQ(status.code, GLM_CORRUPT);
  EXPECT_NE(strstr(status.message, "segment weights"), nullptr) << status.message;
}

// Other files, folders and nothing at all are told apart.
TEST(Damage, NoArtifact) {
  EXPECT_EQ(toy::load({'h', 'e', 'l', 'l', 'o'}).code, GLM_NOT_ARTIFACT);
  EXPECT_EQ(toy::load({}).code, GLM_NOT_ARTIFACT);
  EXPECT_EQ(codeOf("/"), GLM_NOT_ARTIFACT);
  glm_status status = okStatus();
  Artifact artifact;
  EXPECT_FALSE(artifact.open("/nowhere/model.glm", status));
  EXPECT_STREQ(status.message,
               "/nowhere/model.glm: cannot open the file; No such file or directory");
}

// Formats and features from the future are refused with what to do.
TEST(Damage, Future) {
  auto bytes = toy::build();
  toy::header(bytes).version = 2;
  glm_status status = toy::load(bytes);
  EXPECT_EQ(status.code, GLM_VERSION_UNKNOWN);
  EXPECT_NE(strstr(status.message,
                   "format version 2, this runtime (0.1.0) reads version 1; use a newer runtime"),
            nullptr)
      << status.message;
  bytes = toy::build();
  toy::header(bytes).flags = 4;
  EXPECT_EQ(toy::load(bytes).code, GLM_FEATURE_UNKNOWN);
  toy::Knobs knobs;
  knobs.features = 0x10;
  status = toy::load(toy::build(knobs));
  EXPECT_EQ(status.code, GLM_FEATURE_UNKNOWN);
  EXPECT_NE(strstr(status.message, "features 0x10"), nullptr) << status.message;
}
