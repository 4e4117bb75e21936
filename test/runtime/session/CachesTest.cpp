// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include "runtime/session/Caches.h"

#include <cstring>
#include <numeric>
#include <set>

using namespace toy;
using namespace glm::runtime;

// Slots that grow in turns get pages that lie interleaved; each still reads its own rows only.
TEST(Caches, InterleavedSlots) {
  Loaded toy({}, {.slots = 4});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  for (int round = 0; round < 4; ++round)
    for (int32_t slot = 0; slot < 4; ++slot)
      feedAll(toy.session, slot, tokensFrom(slot, size_t(round + 1) * 15), size_t(round) * 15);
  for (int32_t slot = 0; slot < 4; ++slot) {
    auto all = tokensFrom(slot, 61);
    ASSERT_EQ(feed(toy.session, slot, {all.back()}, 60).code, GLM_OK);
    EXPECT_EQ(floats(toy.session, "sums"), referenceSum(all));
    EXPECT_EQ(floats(toy.session, "line_sums"), referenceSum(all));
  }
}

// Truncating and going on differently gives what the other text would have given.
TEST(Caches, TruncateAndGoOn) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  auto all = tokensFrom(0, 40);
  feedAll(toy.session, 0, all);
  for (size_t keep : {33ul, 16ul, 15ul, 0ul}) {
    ASSERT_EQ(glm_session_truncate(toy.session, 0, int64_t(keep)).code, GLM_OK);
    all.resize(keep);
    all.push_back(7);
    ASSERT_EQ(feed(toy.session, 0, {7}, int32_t(keep)).code, GLM_OK);
    EXPECT_EQ(floats(toy.session, "logits"), referenceLogits(all));
  }
  EXPECT_EQ(glm_session_truncate(toy.session, 0, 2).code, GLM_BAD_POSITION);
  EXPECT_EQ(glm_session_truncate(toy.session, 0, -1).code, GLM_BAD_POSITION);
  EXPECT_EQ(glm_session_truncate(toy.session, 1, 0).code, GLM_BAD_SLOT);
}

// With fewer pages than all slots could fill, one slot's release is another's space.
TEST(Caches, PagesAreReused) {
  Loaded toy({}, {.slots = 3, .pages = 4});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 48));
  feedAll(toy.session, 1, tokensFrom(1, 16));
  glm_status status = feed(toy.session, 2, {5}, 0);
  EXPECT_EQ(status.code, GLM_CACHE_FULL);
  EXPECT_STREQ(status.message, "caches: 1 more pages of 16 rows are needed, 0 of 4 are free; "
                               "release or truncate slots, or create the session with more pages");
  EXPECT_EQ(glm_session_length(toy.session, 2), 0);
  ASSERT_EQ(glm_session_release(toy.session, 0).code, GLM_OK);
  feedAll(toy.session, 2, tokensFrom(3, 48));
  auto all = tokensFrom(1, 16);
  EXPECT_EQ(feed(toy.session, 1, {0}, 16).code, GLM_CACHE_FULL);
  ASSERT_EQ(glm_session_truncate(toy.session, 1, 15).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 1, {all.back()}, 15).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits(all));
}

// The page tables themselves: no page is ever in two places, and none gets lost, over many random
// changes.
TEST(Caches, NoPageTwice) {
  CacheShape shape = {5, 100, 8, 13, 40};
  Layout layout;
  Caches::Places places = Caches::plan(shape, layout);
  std::vector<uint64_t> block(layout.size() / 8 + 8);
  Caches caches;
  caches.place(shape, reinterpret_cast<uint8_t *>(block.data()), places, {});
  glm_status status;
  uint32_t random = 1;
  for (int round = 0; round < 5000; ++round) {
    random = random * 1664525 + 1013904223;
    int32_t slot = int32_t(random >> 16) % 5;
    int64_t length = (random >> 8) % 101, before = caches.length(slot);
    if (length < before) {
      ASSERT_TRUE(caches.truncate(slot, length, status));
    } else {
      ASSERT_TRUE(caches.admitLength(slot, length, status));
      if (caches.reserve(status))
        random % 3 ? caches.commit(true) : caches.rollBack();
    }
    std::set<int32_t> used;
    int64_t held = 0;
    for (int32_t s = 0; s < 5; ++s)
      for (int64_t p = 0; p < caches.length(s); p += 8, ++held)
        used.insert(caches.pageOf(s, p));
    ASSERT_EQ(int64_t(used.size()), held);
    ASSERT_EQ(held + caches.freePages(), 40);
  }
}

// A filled slot is long at once, its rows are numbers of magnitude 0.5 to 1, equal for equal seeds,
// and it goes on from there.
TEST(Caches, Fill) {
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {2}, 0).code, GLM_OK);
  ASSERT_EQ(glm_session_fill(toy.session, 0, 50, 42).code, GLM_OK);
  EXPECT_EQ(glm_session_length(toy.session, 0), 50);
  ASSERT_EQ(feed(toy.session, 0, {3}, 50).code, GLM_OK);
  auto sums = floats(toy.session, "sums"), lines = floats(toy.session, "line_sums");
  for (int c = 0; c < width; ++c) {
    EXPECT_LT(std::abs(sums[size_t(c)] - embedding(2, c) - embedding(3, c)), 49.f);
    EXPECT_NE(sums[size_t(c)], lines[size_t(c)]); // other numbers in another cache
  }
  ASSERT_EQ(glm_session_truncate(toy.session, 0, 1).code, GLM_OK);
  ASSERT_EQ(glm_session_fill(toy.session, 0, 50, 42).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 0, {3}, 50).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "sums"), sums);
  EXPECT_EQ(floats(toy.session, "line_sums"), lines);
  EXPECT_EQ(glm_session_fill(toy.session, 0, 65, 1).code, GLM_BAD_POSITION);
}

// One filled row adds one number of magnitude 0.5 to 1 in every column of both layouts, and leaves
// the row before alone.
TEST(Caches, FillOneRow) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {2}, 0).code, GLM_OK);
  ASSERT_EQ(glm_session_fill(toy.session, 0, 2, 7).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 0, {3}, 2).code, GLM_OK);
  for (const char *name : {"sums", "line_sums"})
    for (int c = 0; c < width; ++c) {
      float added =
          std::abs(floats(toy.session, name)[size_t(c)] - embedding(2, c) - embedding(3, c));
      EXPECT_GE(added, 0.49f) << name << c;
      EXPECT_LE(added, 1.01f) << name << c;
    }
}
