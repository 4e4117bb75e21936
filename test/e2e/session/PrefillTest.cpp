// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A prompt at once, in chunks of any size and token by token: logits within 1e-3 in f32 and the
// same keys selected, whatever form of attention so many rows take.
#include "test/e2e/session/Artifact.h"

#include <map>

using namespace glm;
using namespace glm::e2e;

namespace {

constexpr int32_t length = 160; // of which 10 are selected

struct Prompt {
  std::vector<Row> logits;
  std::map<int, std::vector<int32_t>> selections; // of every layer that makes one, by row
};

Prompt runPrompt(const Artifact &artifact, int32_t chunk, std::vector<glm_dim> dims = {}) {
  dims.push_back({"max_logit_rows", chunk});
  Session session = artifact.open(
      {.max_rows = chunk, .context = length, .dims = dims.data(), .dim_count = dims.size()});
  Prompt prompt;
  for (int32_t first = 0; first < length; first += chunk) {
    auto logits = step(session, rowsOf(2, 0, first, std::min(chunk, length - first)));
    prompt.logits.insert(prompt.logits.end(), logits.begin(), logits.end());
    for (int layer = 0; layer < artifact.model.info().layers; ++layer) {
      glm_tensor ids = {};
      if (!session.output(("selection." + std::to_string(layer)).c_str(), ids))
        continue;
      auto values = elements<int32_t>(ids, GLM_I32);
      auto &all = prompt.selections[layer];
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return prompt;
}

class Prefill : public testing::TestWithParam<const char *> {};

TEST_P(Prefill, IsTheSameInChunks) {
  for (int32_t threads : {1, 2}) {
    Artifact artifact(GetParam(), threads);
    Prompt whole = runPrompt(artifact, length);
    ASSERT_EQ(whole.logits.size(), size_t(length));
    ASSERT_EQ(whole.selections.size(), 4u); // all layers own an indexer, or four of six
    for (int32_t chunk : {1, 7, 33, 64, 100}) {
      Prompt parts = runPrompt(artifact, chunk);
      ASSERT_EQ(parts.logits.size(), size_t(length));
      for (size_t i = 0; i < whole.logits.size(); ++i)
        EXPECT_LE(worstDifference(parts.logits[i], whole.logits[i]), 1e-3f)
            << "row " << i << " in chunks of " << chunk;
      EXPECT_EQ(parts.selections, whole.selections) << "in chunks of " << chunk;
    }
  }
}

// Two prompts in one step are what each is alone.
TEST_P(Prefill, IsTheSameBesideAnother) {
  Artifact artifact(GetParam(), 2);
  glm_dim logitRows = {"max_logit_rows", 2 * length};
  Session session = artifact.open(
      {.max_rows = 2 * length, .slots = 2, .context = length, .dims = &logitRows, .dim_count = 1});
  Batch both = rowsOf(2, 1, 0, length), other = rowsOf(3, 0, 0, length);
  both.insert(both.end(), other.begin(), other.end());
  auto logits = step(session, both);
  Prompt alone = runPrompt(artifact, length);
  for (size_t i = 0; i < alone.logits.size(); ++i)
    EXPECT_LE(worstDifference(logits.at(i), alone.logits[i]), 1e-3f) << "row " << i;
}

// Both forms of attention, whatever the artifact would choose: gathered rows, and all keys expanded
// with the selection as a mask.
TEST_P(Prefill, IsTheSameInBothForms) {
  Artifact artifact(GetParam(), 2);
  ASSERT_GE(artifact.model.info().max_expanded_keys, length) << "compiled with one form only";
  auto expand = [](int64_t keys) {
    return std::vector<glm_dim>{{"expanded_keys", keys}, {"expanded_rows", 9}, {"full_rows", 9}};
  };
  Prompt gathered = runPrompt(artifact, length, {{"expanded_keys", 0}});
  Prompt expanded = runPrompt(artifact, length, expand(length));
  Prompt parts = runPrompt(artifact, 40, expand(100)); // the last rows are gathered
  ASSERT_EQ(gathered.logits.size(), size_t(length));
  for (size_t i = 0; i < gathered.logits.size(); ++i) {
    EXPECT_LE(worstDifference(expanded.logits.at(i), gathered.logits[i]), 1e-3f) << "row " << i;
    EXPECT_LE(worstDifference(parts.logits.at(i), gathered.logits[i]), 1e-3f) << "row " << i;
  }
  EXPECT_EQ(expanded.selections, gathered.selections);
  EXPECT_EQ(parts.selections, gathered.selections);
  EXPECT_NE(expanded.logits, gathered.logits) << "the same form twice";
}

INSTANTIATE_TEST_SUITE_P(Tiny, Prefill, testing::Values("kept-f32.glm", "shared.glm"), testName);

} // namespace
