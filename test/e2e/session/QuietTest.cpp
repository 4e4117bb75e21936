// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled models keep the promise of runtime.h: prefill, decoding and drafting allocate nothing
// and make no system call but a futex. A process that has forbidden itself both lives through them.
#include "test/runtime/session/Quiet.h"
#include "test/e2e/session/Artifact.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace {
std::atomic<bool> heapForbidden = false;

void allow() {
  if (heapForbidden)
    __builtin_trap();
}
} // namespace

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

#if !defined(GLM_INSTRUMENTED)
void *malloc(size_t size) { return allow(), __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return allow(), __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return allow(), __libc_realloc(memory, size); }
#endif
}

using namespace glm;
using namespace glm::e2e;

namespace {

constexpr int32_t context = 200, promptRows = 64, chunk = 32, drafts = 3;
constexpr size_t mostHidden = 256, mostSelected = 16;

/// Greedy speculative decoding in memory of its own: what glm-run does, without its library.
class Decoder {
public:
  explicit Decoder(const Artifact &artifact, Session &session)
      : session(session), info(artifact.model.info()) {
    // Only GLM-5.2 reuses the first draft's selection.
    glm_entry_info entry = {};
    for (size_t i = 0; i < info.entries; ++i)
      shared |= glm_model_entry(artifact.model.get(), i, &entry).code == GLM_OK &&
                std::string_view(entry.name) == "draft_shared";
  }

  /// Rows of the text through the model and the draft layer.
  bool prefill() {
    for (int32_t first = 0; first < promptRows; first += chunk)
      if (!verify(first, chunk, /*greedy=*/false))
        return false;
    return true;
  }

  bool decode(int32_t steps) {
    for (int32_t i = 0; i < steps; ++i) {
      int32_t position = int32_t(session.length(0));
      if (!propose() || !verify(position, drafts + 1, /*greedy=*/true) ||
          !session.truncate(0, position + accepted))
        return false;
    }
    return true;
  }

  int32_t accepted = 0;

private:
  const float *output(const char *name) {
    glm_tensor tensor = {};
    return session.output(name, tensor) ? static_cast<const float *>(tensor.data) : nullptr;
  }
  int32_t best(const float *logits) const {
    return int32_t(std::max_element(logits, logits + info.vocabulary) - logits);
  }

  /// A step over `tokens` (or the text), then the draft layer over the rows that stand.
  bool verify(int32_t first, int32_t count, bool greedy) {
    for (int32_t i = 0; i < count; ++i) {
      batch[i] = {greedy ? tokens[i] : tokenOf(1, first + i), 0, first + i, 0};
      wanted[i] = i;
    }
    if (!session.step({batch, size_t(count)}, {wanted, size_t(count)}))
      return false;
    const float *logits = output("logits"), *final = output("final");
    accepted = greedy ? 0 : count - 1;
    int32_t next = best(logits + accepted * info.vocabulary);
    while (greedy && accepted + 1 < count && next == tokens[accepted + 1])
      next = best(logits + ++accepted * info.vocabulary);
    for (int32_t i = 0; i <= accepted; ++i)
      batch[i].token = i == accepted ? next : batch[i + 1].token;
    ++accepted;
    tokens[0] = next;
    std::copy_n(final, size_t(accepted) * size_t(info.hidden), hidden);
    return draft("draft", accepted, accepted - 1);
  }

  bool draft(const char *entry, int64_t rows, int32_t wantedRow) {
    wanted[0] = wantedRow;
    glm_tensor inputs[] = {{"rows", GLM_I32, 2, {rows, 4}, batch},
                           {"hidden", GLM_F32, 2, {rows, info.hidden}, hidden},
                           {"logit_rows", GLM_I32, 1, {1}, wanted},
                           {"selection", GLM_I32, 2, {1, info.index_topk}, selected}};
    bool reuses = std::string_view(entry) == "draft_shared";
    if (!session.run(entry, {inputs, reuses ? 4u : 3u}))
      return false;
    position = batch[rows - 1].position;
    drafted = best(output("logits"));
    std::copy_n(output("draft_hidden") + size_t(rows - 1) * size_t(info.hidden), info.hidden,
                hidden);
    glm_tensor ids = {};
    if (!reuses && session.output("draft_selection", ids))
      std::copy_n(static_cast<const int32_t *>(ids.data) + (rows - 1) * info.index_topk,
                  info.index_topk, selected);
    return true;
  }

  /// Drafts behind the first, each from the one before.
  bool propose() {
    tokens[1] = drafted;
    for (int32_t i = 2; i <= drafts; ++i) {
      batch[0] = {drafted, 0, position + 1, 0};
      if (!draft(shared ? "draft_shared" : "draft", 1, 0))
        return false;
      tokens[i] = drafted;
    }
    return true;
  }

  Session &session;
  glm_model_info info;
  bool shared = false;
  glm_row batch[chunk];
  int32_t wanted[chunk], tokens[drafts + 1], selected[mostSelected], position = 0, drafted = 0;
  float hidden[chunk * mostHidden];
};

enum Outcome { fine = 0, wrong = 1, noSeccomp = 2 };

int runQuietly(Decoder &decoder, Session &session, bool breakPromise) {
  if (!decoder.prefill() || !decoder.decode(2) || !session.truncate(0, 0))
    return wrong;
  heapForbidden = true;
  if (!quiet::forbidSystemCalls())
    return noSeccomp;
  if (!decoder.prefill() || !decoder.decode(20))
    return wrong;
  if (breakPromise)
    getppid();
  return fine;
}

int statusOf(const char *name, bool breakPromise) {
  return quiet::statusOfChild([=] {
    Artifact artifact(name, 3);
    Session session = artifact.open({.max_rows = chunk, .context = context});
    Decoder decoder(artifact, session);
    quiet::end(runQuietly(decoder, session, breakPromise));
  });
}

class Quiet : public testing::TestWithParam<const char *> {};

TEST_P(Quiet, PrefillDecodingAndDrafts) {
#if defined(GLM_INSTRUMENTED)
  GTEST_SKIP() << "sanitizers make system calls of their own";
#endif
  int status = statusOf(GetParam(), false);
  if (WIFEXITED(status) && WEXITSTATUS(status) == noSeccomp)
    GTEST_SKIP() << "no seccomp here";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == fine) << status;
  int broken = statusOf(GetParam(), true);
  EXPECT_TRUE(WIFSIGNALED(broken)) << "the filter lets calls through: " << broken;
}

INSTANTIATE_TEST_SUITE_P(Tiny, Quiet, testing::Values("kept.glm", "shared.glm"), testName);

} // namespace
