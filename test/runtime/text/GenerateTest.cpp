// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop, around a model that is a function of the tokens it was given.
#include "runtime/text/Generate.h"
#include "runtime/text/Error.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <thread>

using namespace glm::text;
using namespace glm::text::testing;
using ::testing::ElementsAre;

namespace {

constexpr size_t vocabulary = 300;

/// Logits depend on the last three tokens; the draft layer knows them, and lies now and then.
struct FakeModel {
  std::vector<int32_t> rows;      // of the slot
  std::vector<int32_t> announced; // what the draft layer was told, by position
  std::vector<float> logits;
  std::vector<size_t> stepSizes;
  std::vector<int32_t> script; // if not empty: what to say at each position
  size_t lieEvery = 3, draftCalls = 0, failAt = SIZE_MAX;
  bool leftOut = false; // rows may be kept from the draft layer
  std::chrono::microseconds stepTime{0}, draftTime{0};

  std::vector<float> rowAfter(const std::vector<int32_t> &sequence) const {
    std::vector<float> row(vocabulary, 0);
    if (!script.empty()) {
      row[size_t(script[std::min(sequence.size() - 1, script.size() - 1)])] = 9;
      return row;
    }
    uint64_t state = 1;
    for (size_t i = sequence.size() - std::min<size_t>(3, sequence.size()); i < sequence.size();
         ++i)
      state = state * 6364136223846793005u + uint64_t(sequence[i]) + 1;
    for (float &logit : row)
      logit = float((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) * 0x1p-21f;
    return row;
  }

  glm_status step(const glm_row *batch, size_t count, const int32_t *wanted, size_t wantedCount,
                  const float **out) {
    if (stepSizes.size() == failAt)
      return {GLM_CACHE_FULL, "no page"};
    stepSizes.push_back(count);
    std::this_thread::sleep_for(stepTime);
    logits.clear();
    for (size_t i = 0, next = 0; i < count; ++i) {
      EXPECT_EQ(batch[i].position, int32_t(rows.size()));
      EXPECT_EQ(batch[i].slot, 5);
      rows.push_back(batch[i].token);
      if (next < wantedCount && size_t(wanted[next]) == i) {
        auto row = rowAfter(rows);
        logits.insert(logits.end(), row.begin(), row.end());
        ++next;
      }
    }
    EXPECT_EQ(logits.size(), wantedCount * vocabulary);
    *out = logits.data();
    return {};
  }

  glm_status draft(const int32_t *next, size_t count, int64_t position, size_t wanted,
                   int32_t *drafts) {
    EXPECT_EQ(position + int64_t(count), int64_t(rows.size()));
    if (leftOut) // since the last call
      announced.resize(size_t(position), -1);
    EXPECT_EQ(position, int64_t(announced.size()));
    announced.insert(announced.end(), next, next + count);
    std::this_thread::sleep_for(draftTime);
    std::vector<int32_t> sequence = rows;
    sequence.push_back(next[count - 1]);
    for (size_t i = 0; i < wanted; ++i) {
      auto row = rowAfter(sequence);
      drafts[i] = int32_t(std::max_element(row.begin(), row.end()) - row.begin());
      if (++draftCalls % lieEvery == 0)
        drafts[i] = (drafts[i] + 1) % int32_t(vocabulary);
      sequence.push_back(drafts[i]);
    }
    return {};
  }

  glm_generation_model callbacks(bool withDrafts = false) {
    glm_generation_model model{this, 5, 16, 1000, vocabulary, nullptr, nullptr, nullptr};
    model.step = [](void *self, const glm_row *batch, size_t count, const int32_t *wanted,
                    size_t wantedCount, const float **out) {
      return static_cast<FakeModel *>(self)->step(batch, count, wanted, wantedCount, out);
    };
    if (!withDrafts)
      return model;
    model.draft = [](void *self, const int32_t *next, size_t count, int64_t position, size_t wanted,
                     int32_t *drafts) {
      return static_cast<FakeModel *>(self)->draft(next, count, position, wanted, drafts);
    };
    model.truncate = [](void *self, int64_t length) {
      auto &rows = static_cast<FakeModel *>(self)->rows;
      EXPECT_LT(length, int64_t(rows.size()));
      rows.resize(size_t(length));
      return glm_status{};
    };
    return model;
  }
};

/// Options with a recorder.
struct Recorder {
  glm_generation_options options{};
  std::vector<int32_t> tokens;
  std::vector<std::string> pieces;
  std::vector<float> logProbabilities;
  int32_t finish = 0;
  size_t stopAfter = SIZE_MAX;
  glm_generation_statistics statistics{};

  Recorder() {
    options.max_tokens = 40;
    options.user = this;
    options.on_token = [](void *user, const glm_generation_event *event) {
      return static_cast<Recorder *>(user)->record(*event);
    };
  }

  int32_t record(const glm_generation_event &event) {
    EXPECT_EQ(finish, 0) << "an event after the last one";
    if (event.token >= 0) {
      tokens.push_back(event.token);
      logProbabilities.push_back(event.log_probability);
      EXPECT_EQ(event.finish, 0);
    } else {
      finish = event.finish;
    }
    pieces.emplace_back(event.text, event.text_size);
    return tokens.size() >= stopAfter;
  }

  std::string text() const {
    std::string all;
    for (const std::string &piece : pieces)
      all += piece;
    return all;
  }

  void run(const glm_generation_model &model, std::vector<int32_t> prompt,
           const Tokenizer *tokenizer = nullptr) {
    generate(model, tokenizer, prompt, options, statistics);
    EXPECT_EQ(statistics.finish, finish);
    EXPECT_EQ(statistics.generated_tokens, tokens.size());
    EXPECT_EQ(statistics.prompt_tokens, prompt.size());
  }
};

std::vector<int32_t> promptOf(size_t size) {
  std::vector<int32_t> prompt(size);
  for (size_t i = 0; i < size; ++i)
    prompt[i] = int32_t(i * 7 % vocabulary);
  return prompt;
}

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

// Drafts change the number of steps and nothing else, greedy or sampled; the draft layer is told
// every token once.
TEST(Generate, DraftsChangeNothing) {
  for (double temperature : {0.0, 1.0})
    for (size_t drafts : {1u, 3u, 30u}) {
      FakeModel plain, drafting;
      Recorder expected, recorder;
      expected.options.sampling = recorder.options.sampling = {1.3, temperature, 20, 0.9, 0, 11};
      expected.run(plain.callbacks(), promptOf(20));
      recorder.options.drafts = drafts;
      recorder.options.chunk_rows = 7;
      recorder.run(drafting.callbacks(true), promptOf(20));
      EXPECT_EQ(recorder.tokens, expected.tokens);
      EXPECT_EQ(drafting.rows, plain.rows);
      EXPECT_EQ(recorder.statistics.steps + recorder.statistics.accepted + 1, 40u);
      std::vector<int32_t> all = drafting.rows;
      all.push_back(recorder.tokens.back());
      EXPECT_EQ(drafting.announced, std::vector<int32_t>(all.begin() + 1, all.end()));
    }
}

// Right drafts make steps rare: with honest ones three of four tokens cost no step.
TEST(Generate, AcceptsRightDrafts) {
  FakeModel model;
  model.lieEvery = SIZE_MAX;
  Recorder recorder;
  recorder.options.drafts = 3;
  recorder.options.max_tokens = 41;
  recorder.run(model.callbacks(true), promptOf(5));
  EXPECT_EQ(recorder.statistics.steps, 10u);
  EXPECT_EQ(recorder.statistics.drafted, 30u);
  EXPECT_EQ(recorder.statistics.accepted, 30u);
}

// An automatic number of drafts changes nothing either, whether drafting pays or not.
TEST(Generate, AutomaticDraftsChangeNothing) {
  for (double temperature : {0.0, 1.0})
    for (size_t lieEvery : {1u, 3u, 1000u}) {
      FakeModel plain, drafting;
      drafting.lieEvery = lieEvery;
      drafting.leftOut = true;
      Recorder expected, recorder;
      expected.options.sampling = recorder.options.sampling = {1.3, temperature, 20, 0.9, 0, 11};
      expected.options.max_tokens = recorder.options.max_tokens = 300;
      expected.run(plain.callbacks(), promptOf(20));
      recorder.options.drafts_automatic = 1;
      recorder.run(drafting.callbacks(true), promptOf(20));
      EXPECT_EQ(recorder.tokens, expected.tokens);
      EXPECT_EQ(drafting.rows, plain.rows);
      EXPECT_EQ(recorder.statistics.steps + recorder.statistics.accepted + 1, 300u);
    }
}

// Steps that take long and drafts that are right: as many as are allowed, five if nothing is said.
TEST(Generate, DraftsAsMuchAsPays) {
  for (size_t allowed : {0u, 2u}) {
    FakeModel model;
    model.lieEvery = SIZE_MAX;
    model.stepTime = std::chrono::milliseconds(1);
    Recorder recorder;
    recorder.options.drafts = allowed;
    recorder.options.drafts_automatic = 1;
    recorder.options.max_tokens = 300;
    recorder.run(model.callbacks(true), promptOf(5));
    EXPECT_LT(recorder.statistics.steps, allowed ? 120u : 90u);
    EXPECT_EQ(*std::max_element(model.stepSizes.begin() + 1, model.stepSizes.end()),
              allowed ? 3u : 6u);
  }
}

// A draft layer that takes longer than the steps it saves is hardly ever called.
TEST(Generate, LeavesADearDraftLayerAlone) {
  FakeModel model;
  model.leftOut = true;
  model.draftTime = std::chrono::milliseconds(2);
  Recorder recorder;
  recorder.options.drafts_automatic = 1;
  recorder.options.max_tokens = 400;
  recorder.run(model.callbacks(true), promptOf(5));
  EXPECT_LT(recorder.statistics.drafted, 20u);
  size_t told = size_t(std::count_if(model.announced.begin(), model.announced.end(),
                                     [](int32_t token) { return token >= 0; }));
  EXPECT_LT(told, 40u);
}

// Every draft that the model came to is counted at its position.
TEST(Generate, CountsDraftsByPosition) {
  FakeModel model; // every third draft is wrong
  Recorder recorder;
  recorder.options.drafts = 3;
  recorder.options.max_tokens = 200;
  recorder.run(model.callbacks(true), promptOf(5));
  const auto &statistics = recorder.statistics;
  size_t accepted = 0;
  for (size_t i = 0; i < GLM_DRAFT_POSITIONS; ++i) {
    accepted += statistics.draft_accepted[i];
    EXPECT_LE(statistics.draft_tried[i],
              i == 0 ? statistics.steps : statistics.draft_accepted[i - 1]);
  }
  EXPECT_EQ(accepted, statistics.accepted);
  EXPECT_EQ(statistics.draft_accepted[1], statistics.draft_tried[1]);
  EXPECT_GE(statistics.draft_tried[2], 10u);
  EXPECT_EQ(statistics.draft_tried[3], 0u);
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
