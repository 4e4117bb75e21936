// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a branch and a restored snapshot compute, next to slots that were never together: the same
// steps of the same shapes must give the same logits, bit for bit.
//
//   e2e-branches MODEL.glm FILE      FILE: for the snapshot
#include "glm/glm.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr int32_t continuations[][6] = {{5, 17, 400, 3, 9, 1}, {80, 2, 2, 1000, 41, 7}};

void check(const glm::Status &status) {
  if (!status) {
    std::fprintf(stderr, "error[GLM%d]: %s\n", status.code(), status.message());
    std::exit(1);
  }
}

/// One step of consecutive rows; the last one's logits.
std::vector<float> step(glm::Session &session, int32_t slot, int32_t first, int32_t count,
                        int32_t token) {
  std::vector<glm_row> rows;
  for (int32_t i = 0; i < count; ++i)
    rows.push_back({(token + i * 37) % 2000, slot, first + i, 0});
  int32_t wanted = count - 1;
  check(session.step(rows, {&wanted, 1}));
  glm_tensor logits;
  check(session.output("logits", logits));
  auto values = glm::elements<float>(logits, GLM_F32);
  return {values.begin(), values.end()};
}

std::vector<float> decode(glm::Session &session, int32_t slot, const int32_t (&tokens)[6]) {
  std::vector<float> all;
  for (int32_t token : tokens) {
    auto logits = step(session, slot, int32_t(session.length(slot)), 1, token);
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

void prefill(glm::Session &session, int32_t slot, int32_t length) {
  for (int32_t first = 0; first < length; first += 128)
    step(session, slot, first, length - first < 128 ? length - first : 128, first % 911);
}

int wrong = 0;

void expectSame(const std::vector<float> &got, const std::vector<float> &expected,
                const char *what) {
  bool same = !got.empty() && got == expected;
  std::printf("%s %s\n", same ? "ok  " : "FAIL", what);
  wrong += !same;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  glm::Runtime runtime;
  glm::Model model;
  glm::Session session;
  check(glm::Runtime::create({.threads = 2}, runtime));
  check(glm::Model::load(runtime, argv[1], {}, model));
  int32_t page = int32_t(model.info().page_rows), length = page + 20;
  check(glm::Session::create(model, {.max_rows = 128, .slots = 4, .context = page * 2}, session));

  std::vector<float> expected[2];
  for (int32_t slot : {0, 1}) {
    prefill(session, slot, length);
    expected[slot] = decode(session, slot, continuations[slot]);
    check(session.release(slot));
  }

  prefill(session, 0, length);
  check(session.save(0, argv[2]));
  check(session.branch(0, 1, length));
  check(session.branch(1, 2, length));
  expectSame(decode(session, 0, continuations[0]), expected[0], "the first branch");
  expectSame(decode(session, 1, continuations[1]), expected[1], "the second branch");
  check(session.release(0));
  expectSame(decode(session, 2, continuations[0]), expected[0], "a branch of a branch");

  // Cut into the page that slots 1 and 2 share, and computed again from there.
  check(session.truncate(1, page - 28));
  step(session, 1, page - 28, 1, 1999);
  check(session.truncate(2, length));
  expectSame(decode(session, 2, continuations[1]), expected[1],
             "what another one cut and overwrote");

  check(session.restore(3, argv[2]));
  expectSame(decode(session, 3, continuations[1]), expected[1], "a restored snapshot");
  return wrong != 0;
}
