// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include <cstring>

using namespace toy;

// A prompt and then single tokens give the logits of the definition, with any number of threads.
TEST(Step, PrefillThenDecode) {
  for (int32_t threads : {1, 2, 7}) {
    Loaded toy({}, {}, {.threads = threads});
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    std::vector<int32_t> all = {3, 1, 4, 1, 5};
    ASSERT_EQ(feed(toy.session, 0, all, 0).code, GLM_OK);
    EXPECT_EQ(floats(toy.session, "logits"), referenceLogits(all));
    for (int32_t token = 0; token < 30; ++token) {
      ASSERT_EQ(feed(toy.session, 0, {token % vocabulary}, int32_t(all.size())).code, GLM_OK);
      all.push_back(token % vocabulary);
      ASSERT_EQ(floats(toy.session, "logits"), referenceLogits(all)) << token;
    }
    EXPECT_EQ(glm_session_length(toy.session, 0), 35);
    EXPECT_EQ(floats(toy.session, "sums"), floats(toy.session, "line_sums"));
  }
}

// One step may hold rows of several slots, interleaved, and give logits for some of them in any
// order.
TEST(Step, SeveralSlots) {
  Loaded toy({}, {.slots = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_row rows[] = {{1, 2, 0, 0}, {5, 0, 0, 0}, {2, 2, 1, 0}, {6, 0, 1, 0}, {3, 2, 2, 0}};
  int32_t wanted[] = {4, 0, 3};
  ASSERT_EQ(glm_session_step(toy.session, rows, 5, wanted, 3).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits", 0), referenceLogits({1, 2, 3}));
  EXPECT_EQ(floats(toy.session, "logits", 1), referenceLogits({1}));
  EXPECT_EQ(floats(toy.session, "logits", 2), referenceLogits({5, 6}));
  EXPECT_EQ(glm_session_length(toy.session, 1), 0);
  EXPECT_EQ(glm_session_length(toy.session, 2), 3);
  EXPECT_EQ(glm_session_length(toy.session, 3), -1);
}

// A branch takes the way its sizes say: fewer than three rows, or not.
TEST(Step, Branch) {
  for (int depth : {0, 5}) {
    Knobs knobs;
    knobs.bodyDepth = depth;
    Loaded toy(knobs);
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    glm_tensor marker;
    ASSERT_EQ(feed(toy.session, 0, {1, 2}, 0).code, GLM_OK);
    ASSERT_EQ(glm_session_output(toy.session, "marker", &marker).code, GLM_OK);
    EXPECT_EQ(*static_cast<const int64_t *>(marker.data), 11);
    ASSERT_EQ(feed(toy.session, 0, {1, 2, 3}, 2).code, GLM_OK);
    EXPECT_EQ(*static_cast<const int64_t *>(marker.data), 22);
  }
}

// Logits cost nothing when no row wants them.
TEST(Step, NoLogits) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_row row = {1, 0, 0, 0};
  ASSERT_EQ(glm_session_step(toy.session, &row, 1, nullptr, 0).code, GLM_OK);
  glm_tensor logits;
  ASSERT_EQ(glm_session_output(toy.session, "logits", &logits).code, GLM_OK);
  EXPECT_EQ(logits.shape[0], 0);
  EXPECT_EQ(logits.shape[1], vocabulary);
}

// A session has room for the logits of so many rows as it asks for; of few if it does not.
TEST(Step, RoomForLogits) {
  std::vector<glm_row> rows;
  std::vector<int32_t> wanted;
  for (int32_t i = 0; i < maxRows; ++i) {
    rows.push_back({i, 0, i, 0});
    wanted.push_back(i);
  }
  glm_dim all = {"max_logit_rows", maxRows};
  Loaded usual, roomy({}, {.dims = &all, .dim_count = 1}), few({}, {.max_rows = 4});
  auto step = [&](Loaded &toy, size_t count, size_t logits) {
    EXPECT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    return glm_session_step(toy.session, rows.data(), count, wanted.data(), logits);
  };
  glm_status status = step(usual, maxRows, usualLogitRows + 1);
  EXPECT_EQ(status.code, GLM_TOO_MANY_ROWS);
  EXPECT_STREQ(status.message, "input logit_rows: logit_rows is 7, this session allows 6; give "
                               "less, or create it with more");
  EXPECT_EQ(step(usual, maxRows, usualLogitRows).code, GLM_OK);
  EXPECT_EQ(step(roomy, maxRows, maxRows).code, GLM_OK);
  EXPECT_EQ(step(few, 4, 5).code, GLM_TOO_MANY_ROWS);
  EXPECT_EQ(step(few, 4, 4).code, GLM_OK);
}

// Every wrong row is refused by its own code, and the session goes on as if nothing had been asked.
TEST(Step, Refusals) {
  Loaded toy({}, {.max_rows = 4, .slots = 2, .context = 20});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {1, 2, 3}, 0).code, GLM_OK);
  auto code = [&](std::vector<glm_row> rows, std::vector<int32_t> wanted = {}) {
    return glm_session_step(toy.session, rows.data(), rows.size(), wanted.data(), wanted.size())
        .code;
  };
  EXPECT_EQ(code({}), GLM_BAD_INPUT);
  EXPECT_EQ(code(std::vector<glm_row>(5)), GLM_TOO_MANY_ROWS);
  EXPECT_EQ(code({{1, 2, 0, 0}}), GLM_BAD_SLOT);
  EXPECT_EQ(code({{1, -1, 0, 0}}), GLM_BAD_SLOT);
  EXPECT_EQ(code({{16, 0, 3, 0}}), GLM_BAD_TOKEN);
  EXPECT_EQ(code({{-1, 0, 3, 0}}), GLM_BAD_TOKEN);
  EXPECT_EQ(code({{1, 0, 4, 0}}), GLM_BAD_POSITION);
  EXPECT_EQ(code({{1, 0, 2, 0}}), GLM_BAD_POSITION);
  EXPECT_EQ(code({{1, 0, 3, 0}, {1, 0, 3, 0}}), GLM_BAD_POSITION);
  EXPECT_EQ(code({{1, 0, 3, 0}}, {1}), GLM_BAD_LOGIT_ROW);
  EXPECT_EQ(code({{1, 0, 3, 0}}, {-1}), GLM_BAD_LOGIT_ROW);
  EXPECT_EQ(glm_session_step(toy.session, nullptr, 1, nullptr, 0).code, GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_session_length(toy.session, 0), 3);
  ASSERT_EQ(feed(toy.session, 0, {4}, 3).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({1, 2, 3, 4}));
}

// The context is a limit of its own, below what a last page could hold.
TEST(Step, ContextEnds) {
  Loaded toy({}, {.context = 9});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {1, 2, 3, 4, 5, 6, 7, 8}, 0).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 0, {9}, 8).code, GLM_OK);
  glm_status status = feed(toy.session, 0, {9}, 9);
  EXPECT_EQ(status.code, GLM_BAD_POSITION);
  EXPECT_STREQ(
      status.message,
      "row 0: position 9 is not below the session's context of 9; create it with a larger one");
}

// Two sessions of one model share nothing but weights.
TEST(Step, TwoSessions) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_session *other = nullptr;
  ASSERT_EQ(glm_session_create(toy.model, nullptr, &other).code, GLM_OK);
  ASSERT_EQ(feed(toy.session, 0, {1, 2}, 0).code, GLM_OK);
  ASSERT_EQ(feed(other, 0, {7}, 0).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({1, 2}));
  EXPECT_EQ(floats(other, "logits"), referenceLogits({7}));
  glm_session_destroy(other);
}
