// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include <cstring>

using namespace toy;

// An entry of any name takes named arrays; a copy, an event, a hand-off and a collective of one
// rank do what they say.
TEST(Run, AnyEntry) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  float x[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  glm_tensor input = {"x", GLM_F32, 2, {3, 4}, x};
  ASSERT_EQ(glm_session_run(toy.session, "twice", &input, 1).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "y", 2), (std::vector<float>{18, 20, 22, 24}));
}

// Inputs of the wrong name, type, rank, size or number are refused.
TEST(Run, WrongInputs) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  float x[64] = {};
  auto code = [&](glm_tensor input, size_t count = 1) {
    return glm_session_run(toy.session, "twice", &input, count).code;
  };
  EXPECT_EQ(code({"y", GLM_F32, 2, {3, 4}, x}), GLM_BAD_INPUT);
  EXPECT_EQ(code({"x", GLM_BF16, 2, {3, 4}, x}), GLM_BAD_INPUT);
  EXPECT_EQ(code({"x", GLM_F32, 1, {3}, x}), GLM_BAD_INPUT);
  EXPECT_EQ(code({"x", GLM_F32, 2, {3, 5}, x}), GLM_BAD_INPUT);
  EXPECT_EQ(code({"x", GLM_F32, 2, {9, 4}, x}), GLM_TOO_MANY_ROWS);
  EXPECT_EQ(code({"x", GLM_F32, 2, {-1, 4}, x}), GLM_TOO_MANY_ROWS);
  EXPECT_EQ(code({"x", GLM_F32, 2, {3, 4}, nullptr}), GLM_BAD_INPUT);
  EXPECT_EQ(code({"x", GLM_F32, 2, {3, 4}, x}, 0), GLM_BAD_INPUT);
  EXPECT_EQ(glm_session_run(toy.session, "none", nullptr, 0).code, GLM_NOT_FOUND);
}

// Drafts write ahead of a slot's length, which stays; later steps write over them.
TEST(Run, DraftsRunAhead) {
  Loaded toy({}, {.context = 40});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  ASSERT_EQ(feed(toy.session, 0, {1, 2}, 0).code, GLM_OK);
  glm_row ahead[] = {{9, 0, 2, 0}, {9, 0, 20, 0}};
  glm_tensor input = {"rows", GLM_I32, 2, {2, 4}, ahead};
  ASSERT_EQ(glm_session_run(toy.session, "draft", &input, 1).code, GLM_OK);
  EXPECT_EQ(glm_session_length(toy.session, 0), 2);
  ASSERT_EQ(feed(toy.session, 0, {3}, 2).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({1, 2, 3}));
  ahead[1].position = 40;
  EXPECT_EQ(glm_session_run(toy.session, "draft", &input, 1).code, GLM_BAD_POSITION);
}

// The general call behaves like a step for the entry `step`.
TEST(Run, StepByName) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_row rows[] = {{1, 0, 0, 0}, {2, 0, 1, 0}};
  int32_t wanted = 1;
  glm_tensor inputs[] = {{"logit_rows", GLM_I32, 1, {1}, &wanted},
                         {"rows", GLM_I32, 2, {2, 4}, rows}};
  ASSERT_EQ(glm_session_run(toy.session, "step", inputs, 2).code, GLM_OK);
  EXPECT_EQ(floats(toy.session, "logits"), referenceLogits({1, 2}));
  EXPECT_EQ(glm_session_length(toy.session, 0), 2);
}

// Launches between barriers see what others wrote: two hundred turns of seven workers lose none.
TEST(Run, BarriersOrderMemory) {
  Loaded toy({}, {}, {.threads = 7, .spin_microseconds = 1});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  int64_t start = 5;
  glm_tensor input = {"start", GLM_I64, 1, {1}, &start}, count;
  for (int round = 0; round < 10; ++round) {
    ASSERT_EQ(glm_session_run(toy.session, "turns", &input, 1).code, GLM_OK);
    ASSERT_EQ(glm_session_output(toy.session, "count", &count).code, GLM_OK);
    ASSERT_EQ(*static_cast<const int64_t *>(count.data), 205);
  }
}

// There is no output before something has run, and none of a name that the entry does not have.
TEST(Run, MissingOutputs) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_tensor tensor;
  EXPECT_EQ(glm_session_output(toy.session, "logits", &tensor).code, GLM_NOT_FOUND);
  ASSERT_EQ(feed(toy.session, 0, {1}, 0).code, GLM_OK);
  EXPECT_EQ(glm_session_output(toy.session, "y", &tensor).code, GLM_NOT_FOUND);
}
