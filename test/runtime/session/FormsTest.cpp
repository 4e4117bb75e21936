// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The step's dim `keys`, which decides between two forms of attention. In the toy a session expands
// up to 64 keys (its context), from 2 rows on up to 8 keys and from 6 rows on at 64.
#include "test/runtime/session/Reference.h"

using namespace toy;

namespace {

/// Keys that a run over these rows expands, and that the branch agrees.
int64_t keysOf(glm_session *session, const std::vector<glm_row> &rows) {
  glm_tensor input = {"rows", GLM_I32, 2, {int64_t(rows.size()), 4}, rows.data()}, output;
  glm_status status = glm_session_run(session, "forms", &input, 1);
  EXPECT_EQ(status.code, GLM_OK) << status.message;
  EXPECT_EQ(glm_session_output(session, "marker", &output).code, GLM_OK);
  int64_t marker = *static_cast<const int64_t *>(output.data);
  EXPECT_EQ(glm_session_output(session, "keys", &output).code, GLM_OK);
  EXPECT_EQ(marker, output.shape[0] ? 22 : 11);
  return output.shape[0];
}

std::vector<glm_row> sequence(int32_t slot, int32_t position, int32_t count) {
  std::vector<glm_row> rows;
  for (int32_t i = 0; i < count; ++i)
    rows.push_back({1, slot, position + i, 0});
  return rows;
}

uint64_t arenaWith(const glm_model *model, glm_session_options options) {
  glm_memory_sizes sizes = {};
  glm_status status = glm_session_measure(model, &options, &sizes);
  EXPECT_EQ(status.code, GLM_OK) << status.message;
  return sizes.arena;
}

} // namespace

// Rows of one slot at consecutive positions expand everything up to the last of them.
TEST(Forms, OneSequence) {
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  EXPECT_EQ(keysOf(toy.session, sequence(0, 0, 2)), 2);
  EXPECT_EQ(keysOf(toy.session, sequence(1, 3, 5)), 8);
}

// One row, rows of two slots, and rows with a gap or out of order gather.
TEST(Forms, OtherRows) {
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  EXPECT_EQ(keysOf(toy.session, sequence(0, 0, 1)), 0);
  EXPECT_EQ(keysOf(toy.session, {{1, 0, 0, 0}, {1, 1, 1, 0}}), 0);
  EXPECT_EQ(keysOf(toy.session, {{1, 0, 0, 0}, {1, 0, 2, 0}}), 0);
  EXPECT_EQ(keysOf(toy.session, {{1, 0, 1, 0}, {1, 0, 0, 0}}), 0);
}

// Beyond the keys that need no mask it takes more rows, in proportion.
TEST(Forms, RowsThatPay) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  EXPECT_EQ(keysOf(toy.session, sequence(0, 6, 2)), 8);
  EXPECT_EQ(keysOf(toy.session, sequence(0, 7, 2)), 0); // 2 + 4 / 56
  EXPECT_EQ(keysOf(toy.session, sequence(0, 32, 4)), 36);
  EXPECT_EQ(keysOf(toy.session, sequence(0, 33, 4)), 0);
  EXPECT_EQ(keysOf(toy.session, sequence(0, 58, 6)), 64);
  EXPECT_EQ(keysOf(toy.session, sequence(0, 59, 5)), 0);
}

// Sessions choose: none, some (in whole blocks of 64), or from how many rows on.
TEST(Forms, Chosen) {
  glm_dim none[] = {{"expanded_keys", 0}};
  Loaded gathers({}, {.dims = none, .dim_count = 1});
  ASSERT_EQ(gathers.status.code, GLM_OK) << gathers.status.message;
  EXPECT_EQ(keysOf(gathers.session, sequence(0, 0, 8)), 0);

  glm_dim early[] = {{"expanded_keys", 1}, {"expanded_rows", 1}, {"full_rows", 1}};
  Loaded expands({}, {.dims = early, .dim_count = 3});
  ASSERT_EQ(expands.status.code, GLM_OK) << expands.status.message;
  EXPECT_EQ(keysOf(expands.session, sequence(0, 63, 1)), 64);

  glm_dim unmasked[] = {{"unmasked_keys", 64}};
  Loaded hides({}, {.dims = unmasked, .dim_count = 1});
  ASSERT_EQ(hides.status.code, GLM_OK) << hides.status.message;
  EXPECT_EQ(keysOf(hides.session, sequence(0, 62, 2)), 64);
}

// Memory follows the choice, whose default is the artifact's, and never exceeds the context.
TEST(Forms, Memory) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_dim most[] = {{"expanded_keys", maxKeys}}, none[] = {{"expanded_keys", 0}};
  uint64_t preset = arenaWith(toy.model, {});
  EXPECT_EQ(preset - arenaWith(toy.model, {.dims = none, .dim_count = 1}), 64u * bytesOfKey);
  EXPECT_EQ(arenaWith(toy.model, {.dims = most, .dim_count = 1}), preset);
  EXPECT_EQ(arenaWith(toy.model, {.context = 1}), preset); // a block of 64
  glm_model_info info;
  ASSERT_EQ(glm_model_describe(toy.model, &info).code, GLM_OK);
  EXPECT_EQ(info.expanded_keys, 64);
  EXPECT_EQ(info.max_expanded_keys, maxKeys);
}

// What the artifact does not allow is refused: more than the bound, less than none, 0 where it has
// no meaning.
TEST(Forms, Refused) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  for (glm_dim dim : {glm_dim{"expanded_keys", maxKeys + 1}, glm_dim{"expanded_keys", -1},
                      glm_dim{"expanded_rows", 0}, glm_dim{"keys", 8}, glm_dim{"max_rows", 0}}) {
    glm_session_options options = {.dims = &dim, .dim_count = 1};
    glm_memory_sizes sizes;
    EXPECT_EQ(glm_session_measure(toy.model, &options, &sizes).code, GLM_INVALID_ARGUMENT)
        << dim.name << ' ' << dim.value;
  }
}
