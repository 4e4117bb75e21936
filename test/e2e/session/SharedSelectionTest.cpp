// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GLM-5.2's later drafts attend to the keys that the first one selected; GLM-5's select again. Both
// chains of T1 are known to many digits (test/e2e/make_t1.py): drafts 83 23 43, or 83 19 44.
#include "test/e2e/session/Artifact.h"

#include <algorithm>

using namespace glm;
using namespace glm::e2e;

namespace {

constexpr int32_t length = 20;

int32_t best(const Row &logits) {
  return int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// The model over T1's prompt, then drafts one by one.
class Chain {
public:
  Chain() : session(artifact.open({.max_rows = length, .context = 2 * length})) {
    Batch batch;
    for (int32_t i = 0; i < length; ++i)
      batch.push_back({(5 * i * i + 11 * i + 3) % 96, 0, i, 0});
    int32_t next = best(step(session, batch).back());
    std::vector<float> final;
    for (const Row &row : rowsOf(session, "final"))
      final.insert(final.end(), row.begin(), row.end());
    for (int32_t i = 0; i < length; ++i)
      batch[size_t(i)].token = i + 1 < length ? batch[size_t(i) + 1].token : next;
    run("draft", batch, final);
    glm_tensor ids = {};
    expectOk(session.output("draft_selection", ids));
    auto all = elements<int32_t>(ids, GLM_I32);
    selection.assign(all.end() - 6, all.end());
  }

  /// One more draft; `entry` reuses the selection or not.
  void more(const char *entry) {
    Batch batch = {{drafts.back(), 0, length - 1 + int32_t(drafts.size()), 0}};
    run(entry, batch, std::vector<float>(hidden));
  }

  std::vector<int32_t> drafts, selection;
  Row logits;

private:
  void run(const char *entry, const Batch &batch, const std::vector<float> &states) {
    auto n = int64_t(batch.size());
    int32_t last = int32_t(n) - 1;
    glm_tensor inputs[] = {{"rows", GLM_I32, 2, {n, 4}, batch.data()},
                           {"hidden", GLM_F32, 2, {n, 64}, states.data()},
                           {"logit_rows", GLM_I32, 1, {1}, &last},
                           {"selection", GLM_I32, 2, {1, 6}, selection.data()}};
    bool reuses = std::string_view(entry) == "draft_shared";
    expectOk(session.run(entry, {inputs, reuses ? 4u : 3u}));
    logits = rowsOf(session, "logits").back();
    hidden = rowsOf(session, "draft_hidden").back();
    drafts.push_back(best(logits));
  }

  Artifact artifact{"t1.glm", 2};
  Session session;
  Row hidden;
};

void expectLogits(const Row &logits, std::vector<double> wanted) {
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(double(logits.at(i)), wanted[i], 1e-3) << i;
}

TEST(SharedSelection, LaterDraftsReuseTheFirstOnes) {
  Chain chain;
  EXPECT_EQ(chain.selection, (std::vector<int32_t>{5, 10, 14, 15, 18, 19}));
  chain.more("draft_shared");
  expectLogits(chain.logits, {-2.694994, 1.213224, 4.307551, -0.599197});
  chain.more("draft_shared");
  expectLogits(chain.logits, {1.720203, -0.560631, 1.492762, -2.093933});
  EXPECT_EQ(chain.drafts, (std::vector<int32_t>{83, 23, 43}));
}

TEST(SharedSelection, OrSelectAgain) {
  Chain chain;
  chain.more("draft");
  expectLogits(chain.logits, {-2.701371, 1.444560, 2.712500, -0.251635});
  chain.more("draft");
  expectLogits(chain.logits, {0.100904, -1.511250, -1.813161, -3.310133});
  EXPECT_EQ(chain.drafts, (std::vector<int32_t>{83, 19, 44}));
}

} // namespace
