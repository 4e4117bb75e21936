// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop, without drafts.
#include "runtime/text/Error.h"
#include "test/runtime/text/FakeModel.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <gmock/gmock.h>

#include <cmath>

using namespace glm::text;
using namespace glm::text::testing;
using ::testing::ElementsAre;

namespace {

// The prompt goes through in chunks, then one row a step; the slot ends before the last token.
TEST(Generate, RunsThePromptInChunks) {
  FakeModel model;
  Recorder recorder;
  recorder.options.chunk_rows = 4;
  recorder.options.max_tokens = 3;
  recorder.run(model.callbacks(), promptOf(10));
  EXPECT_THAT(model.stepSizes, ElementsAre(4, 4, 2, 1, 1));
  EXPECT_EQ(recorder.statistics.steps, 2u);
  EXPECT_EQ(recorder.finish, GLM_FINISH_LENGTH);
  EXPECT_EQ(model.rows.size(), 12u);
}

// The size of the chunks changes nothing.
TEST(Generate, IsIndependentOfChunks) {
  std::vector<int32_t> tokens;
  for (size_t chunk : {0u, 1u, 3u, 10u, 100u}) {
    FakeModel model;
    Recorder recorder;
    recorder.options.chunk_rows = chunk;
    recorder.run(model.callbacks(), promptOf(10));
    if (chunk == 0)
      tokens = recorder.tokens;
    EXPECT_EQ(recorder.tokens, tokens);
  }
}

// A stop id ends it and is told, without text; with ignore_stop it is a token like others.
TEST(Generate, StopsAtStopIds) {
  Tiny tiny(tinyJson());
  FakeModel model;
  model.script = {'a', 'b', 'x', 'c'};
  int32_t stops[] = {7, 'x'};
  Recorder recorder;
  recorder.options.stop_ids = stops;
  recorder.options.stop_id_count = 2;
  recorder.run(model.callbacks(), {1}, &tiny.tokenizer);
  EXPECT_THAT(recorder.tokens, ElementsAre('a', 'b', 'x'));
  EXPECT_EQ(recorder.text(), "ab");
  EXPECT_EQ(recorder.finish, GLM_FINISH_STOP_ID);

  FakeModel again;
  again.script = model.script;
  Recorder ignoring;
  ignoring.options = recorder.options;
  ignoring.options.user = &ignoring;
  ignoring.options.ignore_stop = 1;
  ignoring.options.max_tokens = 5;
  ignoring.run(again.callbacks(), {1}, &tiny.tokenizer);
  EXPECT_EQ(ignoring.text(), "abxcc");
}

// A stop text that begins in one token and ends in another never shows, not even its start.
TEST(Generate, StopsAtStopTexts) {
  Tiny tiny(tinyJson());
  FakeModel model;
  model.script = {'a', '#', 256, '#', 257, 'z'};
  const char *stops[] = {"b#a"};
  Recorder recorder;
  recorder.options.stop_texts = stops;
  recorder.options.stop_text_count = 1;
  recorder.run(model.callbacks(), {1}, &tiny.tokenizer);
  EXPECT_EQ(recorder.text(), "a#a");
  EXPECT_THAT(recorder.pieces, ElementsAre("a", "#", "a", "", "", ""));
  EXPECT_EQ(recorder.finish, GLM_FINISH_STOP_TEXT);
}

// Text kept back for a stop that never came arrives with the last event.
TEST(Generate, DeliversWhatWasKeptBack) {
  Tiny tiny(tinyJson());
  FakeModel model;
  model.script = {'a', 'b', 0xe2, 0x82};
  const char *stops[] = {"bc"};
  Recorder recorder;
  recorder.options.stop_texts = stops;
  recorder.options.stop_text_count = 1;
  recorder.options.max_tokens = 4;
  recorder.run(model.callbacks(), {1}, &tiny.tokenizer);
  EXPECT_EQ(recorder.text(), "ab\xef\xbf\xbd");
}

// Special tokens are left out of the text unless asked for.
TEST(Generate, HidesSpecialTokens) {
  Tiny tiny(tinyJson());
  for (int32_t show : {0, 1}) {
    FakeModel model;
    model.script = {259, 'a'};
    Recorder recorder;
    recorder.options.max_tokens = 2;
    recorder.options.show_special = show;
    recorder.run(model.callbacks(), {1}, &tiny.tokenizer);
    EXPECT_EQ(recorder.text(), show ? "<x>a" : "a");
  }
}

// The context's end is an end like max_tokens, with and without drafts; a longer prompt is an error
// with the numbers.
TEST(Generate, StopsWhereTheContextEnds) {
  for (bool drafts : {false, true}) {
    FakeModel model;
    glm_generation_model callbacks = model.callbacks(drafts);
    callbacks.max_positions = 12;
    Recorder recorder;
    recorder.options.max_tokens = 0;
    recorder.options.drafts = 4;
    recorder.run(callbacks, promptOf(8));
    EXPECT_EQ(recorder.tokens.size(), 5u);
    EXPECT_EQ(model.rows.size(), 12u);
    EXPECT_EQ(recorder.finish, GLM_FINISH_LENGTH);
    EXPECT_THROW(recorder.run(callbacks, promptOf(13)), Error);
  }
}

// A conversation goes on in the same slot from the position it has.
TEST(Generate, ContinuesASlot) {
  FakeModel whole, parts;
  Recorder all, first, second;
  all.run(whole.callbacks(), promptOf(10));
  first.options.max_tokens = 15;
  first.run(parts.callbacks(), promptOf(10));
  second.options.position = int64_t(parts.rows.size());
  second.options.max_tokens = 25;
  second.run(parts.callbacks(), {first.tokens.back()});
  first.tokens.insert(first.tokens.end(), second.tokens.begin(), second.tokens.end());
  EXPECT_EQ(first.tokens, all.tokens);
}

// The callback's result and the flag both end it; before the first step the flag leaves the slot
// alone.
TEST(Generate, CanBeCancelled) {
  FakeModel model;
  Recorder recorder;
  recorder.stopAfter = 3;
  recorder.run(model.callbacks(), promptOf(4));
  EXPECT_EQ(recorder.tokens.size(), 3u);
  EXPECT_EQ(recorder.finish, GLM_FINISH_CANCELLED);

  FakeModel untouched;
  Recorder flagged;
  int32_t cancel = 1;
  flagged.options.cancel = &cancel;
  flagged.run(untouched.callbacks(), promptOf(4));
  EXPECT_EQ(flagged.finish, GLM_FINISH_CANCELLED);
  EXPECT_TRUE(untouched.rows.empty());
}

// Log-probabilities come with every token; for greedy tokens the picked one is the best one.
TEST(Generate, ReportsLogProbabilities) {
  FakeModel model;
  Recorder recorder;
  recorder.options.log_probabilities = 1;
  recorder.run(model.callbacks(), promptOf(4));
  for (float value : recorder.logProbabilities) {
    EXPECT_LT(value, 0);
    EXPECT_GT(value, -std::log(float(vocabulary)));
  }
}

// A failing step comes out as it is, with the tokens so far counted.
TEST(Generate, PassesFailuresOn) {
  FakeModel model;
  model.failAt = 4;
  Recorder recorder;
  try {
    recorder.run(model.callbacks(), promptOf(4));
    ADD_FAILURE();
  } catch (const StepFailure &failure) {
    EXPECT_EQ(failure.status.code, GLM_CACHE_FULL);
    EXPECT_STREQ(failure.status.message, "no page");
  }
  EXPECT_EQ(recorder.statistics.generated_tokens, 4u);
}

// What cannot work is refused before anything runs.
TEST(Generate, RefusesNonsense) {
  FakeModel model;
  Recorder recorder;
  EXPECT_THROW(recorder.run(model.callbacks(), {}), Error);
  const char *stops[] = {"x"};
  recorder.options.stop_texts = stops;
  recorder.options.stop_text_count = 1;
  EXPECT_THROW(recorder.run(model.callbacks(), {1}), Error);
  EXPECT_TRUE(model.rows.empty());
}

// generation_config.json's values, greedy unless do_sample.
TEST(Generate, TakesTheModelsDefaults) {
  glm_generation_defaults defaults{};
  defaults.temperature = 0.7;
  defaults.top_p = 0.95;
  defaults.do_sample = 1;
  EXPECT_EQ(samplingOf(defaults).temperature, 0.7);
  EXPECT_EQ(samplingOf(defaults).top_p, 0.95);
  defaults.do_sample = 0;
  EXPECT_EQ(samplingOf(defaults).temperature, 0);
}

} // namespace
