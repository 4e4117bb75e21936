// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The forms of attention compute the same model: gathered, masked and what the session chooses give
// equal logits up to f32 rounding, however a prompt is cut into steps. Without a mask they do so
// while nothing is hidden, and no longer.
//
//   e2e-forms MODEL.glm      in f32
#include "glm/glm.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr float tolerance = 1e-3f;

void check(const glm::Status &status) {
  if (!status) {
    std::fprintf(stderr, "error[GLM%d]: %s\n", status.code(), status.message());
    std::exit(1);
  }
}

/// Logits of the last row of each step.
std::vector<float> logitsOf(const glm::Model &model, const std::vector<glm_dim> &form,
                            int32_t tokens, int32_t chunk) {
  glm_session_options options = {};
  options.max_rows = chunk;
  options.context = tokens;
  options.dims = form.data();
  options.dim_count = form.size();
  glm::Session session;
  check(glm::Session::create(model, options, session));
  std::vector<float> all;
  for (int32_t first = 0; first < tokens; first += chunk) {
    std::vector<glm_row> rows;
    for (int32_t i = first; i < std::min(first + chunk, tokens); ++i)
      rows.push_back({int32_t(uint32_t(i) * 2654435761u >> 8) % 761, 0, i, 0});
    int32_t wanted = int32_t(rows.size()) - 1;
    check(session.step(rows, {&wanted, 1}));
    glm_tensor logits;
    check(session.output("logits", logits));
    auto values = glm::elements<float>(logits, GLM_F32);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

float difference(const std::vector<float> &a, const std::vector<float> &b) {
  float most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}

int wrong = 0;

void expect(bool holds, const char *form, int32_t tokens, int32_t chunk, float off) {
  std::printf("%s %s, %d tokens in steps of %d: off by %.2g\n", holds ? "ok  " : "FAIL", form,
              tokens, chunk, double(off));
  wrong += !holds;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2)
    return 1;
  glm::Runtime runtime;
  glm::Model model;
  glm_runtime_options two = {};
  two.threads = 2;
  check(glm::Runtime::create(two, runtime));
  check(glm::Model::load(runtime, argv[1], {}, model));
  auto topk = int32_t(model.info().index_topk);
  if (model.info().max_expanded_keys < 200) {
    std::fprintf(stderr, "%s: expands no keys\n", argv[1]);
    return 1;
  }
  for (int32_t tokens : {topk - 1, topk, topk + 1, 64, 65, 200})
    for (int32_t chunk : {tokens, 16, 7}) {
      std::vector<glm_dim> masked = {
          {"expanded_keys", tokens}, {"expanded_rows", 1}, {"full_rows", 1}};
      std::vector<glm_dim> expanded = masked;
      expanded.push_back({"unmasked_keys", tokens});
      auto gathered = logitsOf(model, {{"expanded_keys", 0}}, tokens, chunk);
      float off = difference(logitsOf(model, masked, tokens, chunk), gathered);
      expect(off <= tolerance, "masked", tokens, chunk, off);
      off = difference(logitsOf(model, {}, tokens, chunk), gathered);
      expect(off <= tolerance, "chosen", tokens, chunk, off);
      off = difference(logitsOf(model, expanded, tokens, chunk), gathered);
      expect((off <= tolerance) == (tokens <= topk), "expanded", tokens, chunk, off);
    }
  return wrong != 0;
}
