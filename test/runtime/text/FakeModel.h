// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model that is a function of the tokens it was given, for tests of the loop around it, and a
// recorder of what the loop says.
#ifndef GLM_TEST_RUNTIME_TEXT_FAKEMODEL_H
#define GLM_TEST_RUNTIME_TEXT_FAKEMODEL_H

#include "runtime/text/Generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace glm::text::testing {

inline constexpr size_t vocabulary = 300;

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

inline std::vector<int32_t> promptOf(size_t size) {
  std::vector<int32_t> prompt(size);
  for (size_t i = 0; i < size; ++i)
    prompt[i] = int32_t(i * 7 % vocabulary);
  return prompt;
}

} // namespace glm::text::testing

#endif
