// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The least that shows what a level computes, with the runtime alone: built for another processor
// and run by an emulator, where the tools and what they need are not at hand.
//
//   e2e-logits MODEL.glm LEVEL ROWS < tokens > logits
//
// Tokens are int32, logits f32, nothing around them. ROWS: of a step. LEVEL may be "", the best.
#include "glm/glm.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace {

bool failed(const glm::Status &status) {
  if (!status)
    std::fprintf(stderr, "error[GLM%d]: %s\n", status.code(), status.message());
  return !status;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  glm::Runtime runtime;
  glm::Model model;
  glm::Session session;
  glm_model_options options = {};
  options.level = *argv[2] ? argv[2] : nullptr;
  int64_t chunk = std::atoll(argv[3]);
  if (failed(glm::Runtime::create({.threads = 1}, runtime)) ||
      failed(glm::Model::load(runtime, argv[1], options, model)))
    return 1;
  std::fprintf(stderr, "level %s\n", model.info().device);
  std::vector<int32_t> tokens(4096);
  tokens.resize(std::fread(tokens.data(), 4, tokens.size(), stdin));
  glm_dim most = {"max_logit_rows", chunk};
  glm_session_options sizes = {.max_rows = chunk, .context = int64_t(tokens.size())};
  sizes.dims = &most;
  sizes.dim_count = 1;
  if (failed(glm::Session::create(model, sizes, session)))
    return 1;
  for (size_t first = 0; first < tokens.size(); first += size_t(chunk)) {
    std::vector<glm_row> rows;
    for (size_t i = first; i < std::min(first + size_t(chunk), tokens.size()); ++i)
      rows.push_back({tokens[i], 0, int32_t(i), 0});
    std::vector<int32_t> wanted(rows.size());
    std::iota(wanted.begin(), wanted.end(), 0);
    glm_tensor logits = {};
    if (failed(session.step(rows, wanted)) || failed(session.output("logits", logits)))
      return 1;
    auto values = glm::elements<float>(logits, GLM_F32);
    std::fwrite(values.data(), 4, values.size(), stdout);
  }
}
