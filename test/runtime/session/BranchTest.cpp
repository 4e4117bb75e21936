// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include "runtime/session/Session.h"

#include <map>
#include <set>

using namespace toy;
using namespace glm::runtime;

static glm_status branch(const Loaded &toy, int32_t from, int32_t to, int64_t length) {
  return glm_session_branch(toy.session, from, to, length);
}

// Branches of one prefix, cut on and off a page's end, go on like sequences that were never
// together, in turns, so that a page written by one would show in the others.
TEST(Branch, DecodesLikeSeparateSequences) {
  for (size_t length : {1ul, 15ul, 16ul, 17ul, 31ul, 32ul, 40ul}) {
    Loaded toy({}, {.slots = 4});
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    auto prefix = tokensFrom(3, 40);
    feedAll(toy.session, 0, prefix);
    std::vector<std::vector<int32_t>> texts(4, {prefix.begin(), prefix.begin() + long(length)});
    texts[0] = prefix;
    for (int32_t to : {1, 2, 3}) {
      glm_status status = branch(toy, to == 3 ? 1 : 0, to, int64_t(length));
      ASSERT_EQ(status.code, GLM_OK) << status.message;
      EXPECT_EQ(glm_session_length(toy.session, to), int64_t(length));
    }
    for (int32_t i = 0; i < 20; ++i)
      for (int32_t slot = 0; slot < 4; ++slot)
        goOn(toy.session, slot, texts[size_t(slot)], (i * 5 + slot * 3) % vocabulary);
  }
}

// Four branches share the whole pages of their prefix: they need one more page each, not three.
TEST(Branch, SharesPages) {
  Loaded toy({}, {.slots = 4, .pages = 6});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 40));
  Caches &caches = toy.session->caches;
  EXPECT_EQ(caches.freePages(), 3);
  for (int32_t to : {1, 2, 3})
    ASSERT_EQ(branch(toy, 0, to, 40).code, GLM_OK);
  EXPECT_EQ(caches.freePages(), 0);
  for (int32_t to : {1, 2, 3}) {
    EXPECT_EQ(caches.pageOf(to, 0), caches.pageOf(0, 0));
    EXPECT_EQ(caches.pageOf(to, 31), caches.pageOf(0, 31));
    EXPECT_NE(caches.pageOf(to, 32), caches.pageOf(0, 32));
  }
}

// In whatever order branches are released, the others keep what they had, and in the end every page
// is free.
TEST(Branch, ReleasedInAnyOrder) {
  std::vector<int32_t> order = {0, 1, 2, 3};
  do {
    Loaded toy({}, {.slots = 4});
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    auto prefix = tokensFrom(5, 35);
    feedAll(toy.session, 0, prefix);
    for (int32_t to : {1, 2, 3})
      ASSERT_EQ(branch(toy, to - 1, to, 35).code, GLM_OK);
    std::vector<std::vector<int32_t>> texts(4, prefix);
    for (size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(glm_session_release(toy.session, order[i]).code, GLM_OK);
      // Whoever takes freed pages now must not be handed one that is still read.
      std::vector<int32_t> other;
      for (int32_t token : {7, 8, 9})
        goOn(toy.session, order[i], other, token);
      for (size_t j = i + 1; j < 4; ++j)
        goOn(toy.session, order[j], texts[size_t(order[j])], order[i]);
      ASSERT_EQ(glm_session_release(toy.session, order[i]).code, GLM_OK);
    }
    ASSERT_EQ(toy.session->caches.freePages(), toy.session->caches.form().pages);
  } while (std::next_permutation(order.begin(), order.end()));
}

// A slot cut back into a shared page writes into its own copy of it.
TEST(Branch, CopiesBeforeWriting) {
  Loaded toy({}, {.slots = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  auto first = tokensFrom(0, 32);
  feedAll(toy.session, 0, first);
  ASSERT_EQ(branch(toy, 0, 1, 32).code, GLM_OK);
  ASSERT_EQ(branch(toy, 0, 2, 32).code, GLM_OK);
  Caches &caches = toy.session->caches;
  int64_t free = caches.freePages();
  ASSERT_EQ(glm_session_truncate(toy.session, 1, 7).code, GLM_OK);
  EXPECT_EQ(caches.freePages(), free);
  std::vector<int32_t> second(first.begin(), first.begin() + 7);
  goOn(toy.session, 1, second, 15);
  EXPECT_NE(caches.pageOf(1, 0), caches.pageOf(0, 0));
  EXPECT_EQ(caches.freePages(), free - 1);
  auto third = first;
  goOn(toy.session, 0, first, 1);
  goOn(toy.session, 2, third, 2);
  // The last one that holds a page needs no copy.
  ASSERT_EQ(glm_session_release(toy.session, 0).code, GLM_OK);
  ASSERT_EQ(glm_session_truncate(toy.session, 2, 20).code, GLM_OK);
  third.resize(20);
  free = caches.freePages();
  goOn(toy.session, 2, third, 9);
  EXPECT_EQ(caches.freePages(), free);
}

// An entry that writes rows below a slot's length, as a draft does, changes no other branch.
TEST(Branch, RunsWriteIntoCopies) {
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  auto first = tokensFrom(0, 16), second = first;
  feedAll(toy.session, 0, first);
  ASSERT_EQ(branch(toy, 0, 1, 16).code, GLM_OK);
  glm_row row = {9, 1, 3, 0};
  glm_tensor rows = {"rows", GLM_I32, 2, {1, 4}, &row};
  ASSERT_EQ(glm_session_run(toy.session, "draft", &rows, 1).code, GLM_OK);
  goOn(toy.session, 0, first, 5);
  second[3] = 9;
  goOn(toy.session, 1, second, 6);
}

// Without a page for its unfinished rows, or for the copy of a shared page, nothing changes.
TEST(Branch, OutOfPages) {
  Loaded toy({}, {.slots = 3, .pages = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  auto first = tokensFrom(0, 40);
  feedAll(toy.session, 0, first);
  glm_status status = branch(toy, 0, 1, 40);
  EXPECT_EQ(status.code, GLM_CACHE_FULL);
  EXPECT_STREQ(status.message, "caches: 1 more pages of 16 rows are needed, 0 of 3 are free; "
                               "release or truncate slots, or create the session with more pages");
  EXPECT_EQ(glm_session_length(toy.session, 1), 0);
  ASSERT_EQ(branch(toy, 0, 1, 32).code, GLM_OK); // whole pages need none
  ASSERT_EQ(glm_session_truncate(toy.session, 1, 20).code, GLM_OK);
  EXPECT_EQ(feed(toy.session, 1, {5}, 20).code, GLM_CACHE_FULL);
  EXPECT_EQ(glm_session_length(toy.session, 1), 20);
  goOn(toy.session, 0, first, 3);
  ASSERT_EQ(glm_session_truncate(toy.session, 0, 32).code, GLM_OK); // frees one
  auto second = tokensFrom(0, 20);
  goOn(toy.session, 1, second, 5);
}

TEST(Branch, Refusals) {
  Loaded toy({}, {.slots = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 20));
  feedAll(toy.session, 1, tokensFrom(0, 2));
  EXPECT_EQ(branch(toy, 0, 3, 1).code, GLM_BAD_SLOT);
  EXPECT_EQ(branch(toy, -1, 2, 1).code, GLM_BAD_SLOT);
  EXPECT_EQ(branch(toy, 0, 1, 1).code, GLM_BAD_SLOT);
  EXPECT_EQ(branch(toy, 0, 0, 1).code, GLM_BAD_SLOT);
  EXPECT_EQ(branch(toy, 0, 2, -1).code, GLM_BAD_POSITION);
  EXPECT_EQ(branch(toy, 0, 2, 21).code, GLM_BAD_POSITION);
  EXPECT_EQ(glm_session_branch(nullptr, 0, 1, 0).code, GLM_INVALID_ARGUMENT);
  ASSERT_EQ(branch(toy, 0, 2, 0).code, GLM_OK);
  EXPECT_EQ(glm_session_length(toy.session, 2), 0);
}

// The tables alone, over many random changes: what a slot should hold stands in a model of the
// memory, in which a row knows who wrote it; a page is free exactly when no slot uses it.
TEST(Branch, RandomChanges) {
  struct Memory {
    std::map<std::pair<int32_t, int64_t>, uint32_t> rows; // (page, row) -> what was written
    int64_t pageRows = 8;
    static void copy(void *context, int32_t source, int32_t destination, int64_t count) {
      auto &memory = *static_cast<Memory *>(context);
      ASSERT_LE(count, memory.pageRows);
      for (int64_t row = 0; row < count; ++row)
        memory.rows[{destination, row}] = memory.rows[{source, row}];
    }
  } memory;
  CacheShape shape = {5, 100, memory.pageRows, 13, 30};
  Layout layout;
  Caches::Places places = Caches::plan(shape, layout);
  std::vector<uint64_t> block(layout.size() / 8 + 8);
  Caches caches;
  caches.place(shape, reinterpret_cast<uint8_t *>(block.data()), places, {Memory::copy, &memory});
  std::vector<std::vector<uint32_t>> expected(5);
  glm_status status;
  uint32_t random = 1, written = 0;
  auto below = [&](uint32_t limit) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % limit;
  };
  auto write = [&](int32_t slot, int64_t position) {
    auto &text = expected[size_t(slot)];
    text.resize(std::max(text.size(), size_t(position) + 1));
    memory.rows[{caches.pageOf(slot, position), position % 8}] = text[size_t(position)] = ++written;
  };
  for (int round = 0; round < 20000; ++round) {
    int32_t slot = int32_t(below(5)), other = int32_t(below(5));
    auto &text = expected[size_t(slot)];
    int64_t length = caches.length(slot), target = below(101);
    int64_t free = caches.freePages();
    if (round % 4 == 0 && expected[size_t(other)].empty() && other != slot) {
      int64_t part = below(uint32_t(length) + 1);
      if (caches.branch(slot, other, part, status))
        expected[size_t(other)].assign(text.begin(), text.begin() + part);
      else
        ASSERT_EQ(caches.freePages(), free);
    } else if (round % 4 == 1 && length) { // as a run does
      glm_row rows[] = {{0, slot, int32_t(below(uint32_t(length))), 0}};
      ASSERT_TRUE(caches.admit(rows, 1, false, status));
      if (caches.reserve(status)) {
        write(slot, rows[0].position);
        caches.commit(false);
      }
    } else if (target < length) {
      ASSERT_TRUE(caches.truncate(slot, target, status));
      text.resize(size_t(target));
    } else {
      ASSERT_TRUE(caches.admitLength(slot, target, status));
      if (!caches.reserve(status)) {
        ASSERT_EQ(caches.freePages(), free);
      } else if (below(3)) {
        for (int64_t p = length; p < target; ++p)
          write(slot, p);
        caches.commit(true);
      } else {
        caches.rollBack();
      }
    }
    std::set<int32_t> used;
    for (int32_t s = 0; s < 5; ++s) {
      ASSERT_EQ(caches.length(s), int64_t(expected[size_t(s)].size()));
      for (int64_t p = 0; p < caches.length(s); ++p) {
        used.insert(caches.pageOf(s, p));
        ASSERT_EQ((memory.rows[{caches.pageOf(s, p), p % 8}]), expected[size_t(s)][size_t(p)])
            << round << " slot " << s << " position " << p;
      }
    }
    ASSERT_EQ(int64_t(used.size()) + caches.freePages(), shape.pages);
  }
}
