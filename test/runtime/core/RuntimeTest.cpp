// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Memory.h"
#include "runtime/core/Status.h"

#include "glm/glm.hpp"
#include <cstring>
#include <gtest/gtest.h>
#include <string>

using namespace glm::runtime;

// A message stays one line, whatever a file is called, and is cut instead of overflowing.
TEST(Status, OneLine) {
  glm_status status;
  EXPECT_FALSE(fail(status, GLM_CORRUPT, "%s: broken", "a\nb\x1b[31m"));
  EXPECT_STREQ(status.message, "a?b?[31m: broken");
  fail(status, GLM_CORRUPT, "%s", std::string(5000, 'x').c_str());
  EXPECT_EQ(strlen(status.message), sizeof(status.message) - 1);
}

// A layout keeps alignments and notices when sizes overflow.
TEST(Layout, AlignsAndNoticesOverflow) {
  Layout layout;
  EXPECT_EQ(layout.take(3, 1), 0u);
  EXPECT_EQ(layout.take(10, 64), 64u);
  EXPECT_EQ(layout.take(2, 8, 8), 80u);
  EXPECT_TRUE(layout.valid());
  layout.take(uint64_t(1) << 40, uint64_t(1) << 40, 8);
  EXPECT_FALSE(layout.valid());
}

// Large blocks start at 2 MiB, so that the system can put them on huge pages.
TEST(Memory, LargeBlocksAreAligned) {
  Memory memory;
  void *block = memory.allocate(hugeFrom, alignmentOf(hugeFrom));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % hugePage, 0u);
  memset(block, 1, hugeFrom);
  EXPECT_EQ(memory.allocated(), hugeFrom);
  memory.release(block, hugeFrom);
  EXPECT_EQ(memory.allocated(), 0u);
  EXPECT_EQ(memory.peak(), hugeFrom);
}

// The number of threads is what was asked for; by default at least the calling one.
TEST(Runtime, Threads) {
  glm::Runtime runtime;
  ASSERT_TRUE(glm::Runtime::create({.threads = 5}, runtime));
  EXPECT_EQ(runtime.statistics().threads, 5);
  ASSERT_TRUE(glm::Runtime::create({}, runtime));
  EXPECT_GE(runtime.statistics().threads, 1);
  ASSERT_TRUE(glm::Runtime::create({.threads = 2, .pin_threads = 1}, runtime));
}

// Options out of range are refused with the numbers.
TEST(Runtime, BadOptions) {
  glm::Runtime runtime;
  glm::Status status = glm::Runtime::create({.threads = -3}, runtime);
  EXPECT_EQ(status.code(), GLM_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message(), "runtime: threads is -3, not in 0 to 4096");
  EXPECT_FALSE(runtime);
  auto allocate = [](void *, size_t, size_t) -> void * { return nullptr; };
  EXPECT_EQ(glm::Runtime::create({.allocate = allocate}, runtime).code(), GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_runtime_create(nullptr, nullptr).code, GLM_INVALID_ARGUMENT);
  glm_runtime_destroy(nullptr);
}

// More threads than cores is allowed, and said.
TEST(Runtime, SaysWhenThreadsExceedCores) {
  std::string said;
  auto log = [](void *user, int32_t, const char *line) {
    *static_cast<std::string *>(user) += line;
  };
  glm::Runtime runtime;
  ASSERT_TRUE(glm::Runtime::create({.threads = 300, .log = log, .user = &said}, runtime));
  EXPECT_NE(said.find("300 threads on"), std::string::npos);
}
