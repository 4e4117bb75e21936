// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-run/Draft.h"

#include "tools/engine/Failure.h"

#include <algorithm>
#include <numeric>

namespace glm::run {
namespace {

bool hasEntry(const tool::Engine &engine, const std::string &name) {
  for (size_t i = 0; i < engine.info().entries; ++i) {
    glm_entry_info info = {};
    tool::check(glm_model_entry(engine.model().get(), i, &info));
    if (name == info.name)
      return true;
  }
  return false;
}

template <typename T>
glm_tensor tensorOf(const char *name, glm_dtype dtype, std::span<const T> values, int64_t width) {
  glm_tensor tensor = {
      name, dtype, 2, {static_cast<int64_t>(values.size()) / width, width}, values.data()};
  return tensor;
}

} // namespace

bool Draft::available(const tool::Engine &engine) { return hasEntry(engine, "draft"); }

Draft::Draft(const tool::Engine &engine, Session &session)
    : engine(engine), session(session), shared(hasEntry(engine, "draft_shared")) {
  if (!available(engine))
    throw tool::Failure(tool::Code::InputMissing, engine.info().path, "has no draft layer",
                        "compile a checkpoint that has one, without --no-mtp");
}

glm_status Draft::call(const char *entry, std::span<const glm_row> rows,
                       std::span<const float> states, std::span<const int32_t> selection,
                       std::span<const int32_t> logitRows) {
  std::span<const int32_t> words(reinterpret_cast<const int32_t *>(rows.data()), rows.size() * 4);
  std::vector<glm_tensor> inputs = {
      tensorOf("rows", GLM_I32, words, 4),
      tensorOf("hidden", GLM_F32, states, engine.info().hidden),
      {"logit_rows", GLM_I32, 1, {static_cast<int64_t>(logitRows.size())}, logitRows.data()}};
  if (!selection.empty())
    inputs.push_back(tensorOf("selection", GLM_I32, selection, engine.info().index_topk));
  return glm_session_run(session.get(), entry, inputs.data(), inputs.size());
}

glm_status Draft::run(std::span<const int32_t> nextTokens, int64_t position, bool allLogits,
                      bool lastLogits, const float **logits) {
  glm_tensor output = {};
  glm_status status = glm_session_output(session.get(), "final", &output);
  if (status.code != GLM_OK)
    return status;
  auto final = elements<float>(output, GLM_F32);
  auto width = static_cast<size_t>(engine.info().hidden);
  hidden.assign(final.begin(), final.begin() + static_cast<ptrdiff_t>(nextTokens.size() * width));
  std::vector<int32_t> wanted(allLogits ? nextTokens.size() : lastLogits);
  std::iota(wanted.begin(), wanted.end(), static_cast<int32_t>(nextTokens.size() - wanted.size()));
  auto rows = tool::rowsOf(nextTokens.data(), nextTokens.size(), position);
  status = call("draft", rows, hidden, {}, wanted);
  if (status.code == GLM_OK && logits) {
    status = glm_session_output(session.get(), "logits", &output);
    *logits = static_cast<const float *>(output.data);
  }
  return status;
}

/// What the next draft starts from: the last row's state and, of the first draft, its selection.
glm_status Draft::keepLastRow(size_t rows) {
  glm_tensor output = {};
  glm_status status = glm_session_output(session.get(), "draft_hidden", &output);
  if (status.code != GLM_OK)
    return status;
  auto width = static_cast<size_t>(engine.info().hidden);
  auto states = elements<float>(output, GLM_F32).subspan((rows - 1) * width, width);
  hidden.assign(states.begin(), states.end());
  if (!shared || !selected.empty())
    return status;
  status = glm_session_output(session.get(), "draft_selection", &output);
  if (status.code == GLM_OK) {
    auto limit = static_cast<size_t>(engine.info().index_topk);
    auto ids = elements<int32_t>(output, GLM_I32).subspan((rows - 1) * limit, limit);
    selected.assign(ids.begin(), ids.end());
  }
  return status;
}

int32_t Draft::best(const float *logits) const {
  return static_cast<int32_t>(std::max_element(logits, logits + engine.info().vocabulary) - logits);
}

glm_status Draft::propose(std::span<const int32_t> nextTokens, int64_t position,
                          std::span<int32_t> drafts) {
  const float *logits = nullptr;
  glm_status status =
      run(nextTokens, position, false, !drafts.empty(), drafts.empty() ? nullptr : &logits);
  selected.clear();
  int64_t next = position + static_cast<int64_t>(nextTokens.size());
  size_t rows = nextTokens.size();
  for (size_t i = 0; i < drafts.size() && status.code == GLM_OK; ++i, ++next, rows = 1) {
    drafts[i] = best(logits);
    if (i + 1 == drafts.size())
      break;
    status = keepLastRow(rows);
    int32_t first = 0;
    glm_row row = {drafts[i], 0, static_cast<int32_t>(next), 0};
    if (status.code == GLM_OK)
      status = call(shared ? "draft_shared" : "draft", {&row, 1}, hidden, selected, {&first, 1});
    glm_tensor output = {};
    if (status.code == GLM_OK)
      status = glm_session_output(session.get(), "logits", &output);
    logits = static_cast<const float *>(output.data);
  }
  return status;
}

} // namespace glm::run
