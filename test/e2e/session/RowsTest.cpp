// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A row's bits do not depend on how many rows share the call (1 to 8), on slots or on threads.
// Speculative decoding rests on this: a verified row is the row that would have been decoded.
#include "test/e2e/session/Artifact.h"

using namespace glm;
using namespace glm::e2e;

namespace {

/// Four times what is selected, so that most rows have a choice.
constexpr int32_t length = 40, texts = 4;

class Rows : public testing::TestWithParam<const char *> {
protected:
  /// Logits of every position of every text, one row a call, alone in slot 0, one thread.
  void SetUp() override {
    Artifact artifact(GetParam());
    ASSERT_EQ(artifact.model.info().index_topk, 10);
    Session session = artifact.open({.max_rows = 1, .context = length});
    for (int32_t text = 0; text < texts; ++text) {
      for (int32_t position = 0; position < length; ++position)
        alone[text].push_back(step(session, rowsOf(text, 0, position, 1)).at(0));
      expectOk(session.release(0));
    }
  }

  /// Slot and text have the same number.
  void runAndCompare(Session &session, const Batch &batch) {
    auto logits = step(session, batch);
    for (size_t i = 0; i < batch.size(); ++i)
      ASSERT_EQ(logits.at(i), alone[batch[i].slot].at(size_t(batch[i].position)))
          << "slot " << batch[i].slot << " position " << batch[i].position;
  }

  std::vector<Row> alone[texts];
};

TEST_P(Rows, OfSeveralSlots) {
  for (int32_t threads : {1, 2})
    for (int32_t slots = 1; slots <= texts; ++slots) {
      Artifact artifact(GetParam(), threads);
      Session session = artifact.open({.max_rows = 8, .slots = texts, .context = length});
      for (int32_t position = 0; position < length; ++position) {
        Batch batch;
        for (int32_t slot = 0; slot < slots; ++slot)
          batch.push_back({tokenOf(slot, position), slot, position, 0});
        runAndCompare(session, batch);
      }
    }
}

TEST_P(Rows, OfOneSlot) {
  for (int32_t threads : {1, 2})
    for (int32_t count = 2; count <= 8; ++count) {
      Artifact artifact(GetParam(), threads);
      Session session = artifact.open({.max_rows = 8, .slots = texts, .context = length});
      for (int32_t first = 0; first < length; first += count)
        runAndCompare(session, rowsOf(3, 3, first, std::min(count, length - first)));
    }
}

// Several slots verify at once: each step has the next token of every slot and drafts behind it,
// the wrong ones are cut off again.
TEST_P(Rows, OfVerifications) {
  for (auto [slots, drafts] : {std::pair(1, 7), {2, 3}, {3, 1}, {4, 1}}) {
    Artifact artifact(GetParam(), 2);
    Session session = artifact.open({.max_rows = 8, .slots = texts, .context = length});
    for (int32_t position = 0; position + drafts < length; position += 2) {
      Batch right, wrong;
      for (int32_t slot = 0; slot < slots; ++slot) {
        for (const glm_row &row : rowsOf(slot, slot, position, drafts + 1))
          wrong.push_back({(row.token + (row.position > position)) % 690, slot, row.position, 0});
        right.push_back(rowsOf(slot, slot, position + 1, 1)[0]);
      }
      auto logits = step(session, wrong);
      for (int32_t slot = 0; slot < slots; ++slot) {
        ASSERT_EQ(logits.at(size_t(slot * (drafts + 1))), alone[slot].at(size_t(position)));
        expectOk(session.truncate(slot, position + 1));
      }
      runAndCompare(session, right);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, Rows,
                         testing::Values("kept-f32.glm", "kept.glm", "shared.glm",
                                         "shared-bf16.glm"),
                         testName);

/// The draft layer's rows, fed with the model's final hidden states.
struct DraftRows : testing::TestWithParam<const char *> {
  /// Results of every row, in calls of `count` rows.
  static std::vector<Row> run(const char *name, int32_t threads, int32_t count) {
    Artifact artifact(name, threads);
    auto width = size_t(artifact.model.info().hidden);
    Session session = artifact.open({.max_rows = length, .context = length});
    step(session, rowsOf(1, 0, 0, length));
    auto final = rowsOf(session, "final");
    std::vector<Row> results;
    for (int32_t first = 0; first < length; first += count) {
      Batch batch = rowsOf(1, 0, first, std::min(count, length - first));
      std::vector<float> hidden;
      std::vector<int32_t> wanted;
      for (glm_row &row : batch) {
        hidden.insert(hidden.end(), final[size_t(row.position)].begin(),
                      final[size_t(row.position)].end());
        wanted.push_back(int32_t(wanted.size()));
        row.token = tokenOf(1, row.position + 1);
      }
      auto n = int64_t(batch.size());
      glm_tensor inputs[] = {{"rows", GLM_I32, 2, {n, 4}, batch.data()},
                             {"hidden", GLM_F32, 2, {n, int64_t(width)}, hidden.data()},
                             {"logit_rows", GLM_I32, 1, {n}, wanted.data()}};
      expectOk(session.run("draft", inputs));
      auto logits = rowsOf(session, "logits"), states = rowsOf(session, "draft_hidden");
      for (size_t i = 0; i < logits.size(); ++i) {
        results.push_back(logits[i]);
        results.push_back(states.at(i));
      }
    }
    return results;
  }
};

TEST_P(DraftRows, AreTheSame) {
  auto alone = run(GetParam(), 1, 1);
  ASSERT_EQ(alone.size(), 2u * length);
  for (int32_t threads : {1, 2})
    for (int32_t count : {2, 3, 8})
      ASSERT_EQ(run(GetParam(), threads, count), alone) << count << " rows, " << threads;
}

INSTANTIATE_TEST_SUITE_P(Tiny, DraftRows,
                         testing::Values("kept-f32.glm", "kept.glm", "shared.glm",
                                         "shared-bf16.glm"),
                         testName);

} // namespace
