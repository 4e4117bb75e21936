// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm/text.h as a C program sees it: sizes asked for and then filled, statuses instead of
// exceptions.
#include "glm/text.h"
#include "test/runtime/text/Checkpoint.h"

#include <gmock/gmock.h>

using namespace glm::text::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

class Interface : public ::testing::Test {
protected:
  void SetUp() override {
    const std::string &blob = glm5().blob;
    ASSERT_EQ(glm_tokenizer_open(blob.data(), blob.size(), &tokenizer).code, GLM_OK);
  }
  void TearDown() override { glm_tokenizer_close(tokenizer); }

  glm_tokenizer *tokenizer = nullptr;
};

// A buffer that is too small is told its size and left alone.
TEST_F(Interface, AsksAndFills) {
  std::string text = "I'm<|user|>";
  size_t count = 0;
  ASSERT_EQ(glm_tokenizer_encode(tokenizer, text.data(), text.size(), 0, nullptr, 0, &count).code,
            GLM_OK);
  EXPECT_EQ(count, 4u);
  std::vector<int32_t> ids(4, -7);
  ASSERT_EQ(
      glm_tokenizer_encode(tokenizer, text.data(), text.size(), 0, ids.data(), 3, &count).code,
      GLM_OK);
  EXPECT_THAT(ids, ElementsAre(-7, -7, -7, -7));
  ASSERT_EQ(
      glm_tokenizer_encode(tokenizer, text.data(), text.size(), 0, ids.data(), 4, &count).code,
      GLM_OK);
  EXPECT_THAT(ids, ElementsAre(40, 6, 76, 704));

  char out[64];
  size_t size = 0;
  ASSERT_EQ(
      glm_tokenizer_decode(tokenizer, ids.data(), 4, GLM_TEXT_SKIP_SPECIAL, out, 64, &size).code,
      GLM_OK);
  EXPECT_EQ(std::string(out, size), "I'm");
}

// The flags reach the tokenizer.
TEST_F(Interface, TreatsTokensAsText) {
  auto count = [&](uint32_t flags) {
    std::string text = "<|user|><think>";
    size_t n = 0;
    EXPECT_EQ(glm_tokenizer_encode(tokenizer, text.data(), text.size(), flags, nullptr, 0, &n).code,
              GLM_OK);
    return n;
  };
  size_t all = count(0), special = count(GLM_TEXT_SPECIAL_AS_TEXT),
         none = count(GLM_TEXT_ADDED_AS_TEXT);
  EXPECT_EQ(all, 2u);
  EXPECT_GT(special, all);
  EXPECT_GT(none, special);
}

// Token by token gives the text of the whole; a state that could not deliver stays as it was.
TEST_F(Interface, StreamsText) {
  std::string text = "h\xf0\x9f\x98\x80i\xe2\x82";
  std::vector<int32_t> ids(32);
  size_t count = 0;
  ASSERT_EQ(
      glm_tokenizer_encode(tokenizer, text.data(), text.size(), 0, ids.data(), 32, &count).code,
      GLM_OK);
  ids.resize(count);
  ids.push_back(-1);
  glm_text_state state{};
  std::string streamed;
  for (int32_t id : ids) {
    char piece[32];
    size_t size = 0;
    ASSERT_EQ(glm_tokenizer_decode_next(tokenizer, &state, id, 0, nullptr, 0, &size).code, GLM_OK);
    ASSERT_EQ(glm_tokenizer_decode_next(tokenizer, &state, id, 0, piece, sizeof piece, &size).code,
              GLM_OK);
    streamed.append(piece, size);
  }
  EXPECT_EQ(streamed, "h😀i\uFFFD");
  EXPECT_EQ(state.count, 0);
}

// A chat from JSON, and its failures.
TEST_F(Interface, RendersChats) {
  std::string request =
      R"({"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true})";
  char text[128];
  size_t size = 0;
  ASSERT_EQ(
      glm_chat_render(tokenizer, request.data(), request.size(), text, sizeof text, &size).code,
      GLM_OK);
  EXPECT_EQ(std::string(text, size), "[gMASK]<sop><|user|>Hi<|assistant|><think>");
  glm_status status = glm_chat_render(tokenizer, "{", 1, text, sizeof text, &size);
  EXPECT_EQ(status.code, GLM_MALFORMED);
  EXPECT_THAT(status.message, HasSubstr("chat: "));
}

// A sampler reports the picked token and the best ones.
TEST(SamplerInterface, PicksAndReports) {
  glm_sampling sampling{};
  glm_sampler *sampler = nullptr;
  ASSERT_EQ(glm_sampler_create(&sampling, &sampler).code, GLM_OK);
  float logits[] = {1, 3, 2};
  int32_t token = -1;
  glm_token_probability best[5];
  ASSERT_EQ(glm_sampler_pick(sampler, logits, 3, nullptr, 0, &token, best, 4).code, GLM_OK);
  EXPECT_EQ(token, 1);
  EXPECT_EQ(best[0].token, 1);
  EXPECT_EQ(best[2].token, 2);
  EXPECT_EQ(best[4].token, -1);
  logits[0] = NAN;
  EXPECT_EQ(glm_sampler_pick(sampler, logits, 3, nullptr, 0, &token, nullptr, 0).code,
            GLM_BAD_INPUT);
  glm_sampler_destroy(sampler);

  sampling.temperature = -1;
  glm_status status = glm_sampler_create(&sampling, &sampler);
  EXPECT_EQ(status.code, GLM_INVALID_ARGUMENT);
  EXPECT_THAT(status.message, HasSubstr("temperature -1"));
}

// A failing callback's status is what the caller gets.
TEST(GenerateInterface, ReturnsTheModelsStatus) {
  glm_generation_model model{};
  model.max_rows = 1;
  model.max_positions = 8;
  model.vocabulary = 4;
  model.step = [](void *, const glm_row *, size_t, const int32_t *, size_t, const float **) {
    return glm_status{GLM_BAD_TOKEN, "token 9"};
  };
  glm_generation_options options{};
  int32_t prompt[] = {9};
  glm_status status = glm_generate(&model, nullptr, prompt, 1, &options, nullptr);
  EXPECT_EQ(status.code, GLM_BAD_TOKEN);
  EXPECT_STREQ(status.message, "token 9");
  EXPECT_EQ(glm_generate(&model, nullptr, prompt, 0, &options, nullptr).code, GLM_INVALID_ARGUMENT);
}

// NULL where something is needed is an error, not a crash; closing nothing is fine.
TEST(NullInterface, IsAnError) {
  glm_tokenizer *tokenizer = nullptr;
  size_t count = 0;
  EXPECT_EQ(glm_tokenizer_open(nullptr, 0, &tokenizer).code, GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_tokenizer_encode(nullptr, "a", 1, 0, nullptr, 0, &count).code,
            GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_sampler_create(nullptr, nullptr).code, GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_generate(nullptr, nullptr, nullptr, 0, nullptr, nullptr).code,
            GLM_INVALID_ARGUMENT);
  alignas(8) char junk[16] = "no tables";
  EXPECT_EQ(glm_tokenizer_open(junk, sizeof junk, &tokenizer).code, GLM_MALFORMED);
  glm_tokenizer_close(nullptr);
  glm_sampler_destroy(nullptr);
}

} // namespace
