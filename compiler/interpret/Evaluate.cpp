// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/Evaluate.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace glm::interpret {
namespace {

/// The token of the largest of the logits in row `row`, the lower one of equals.
int64_t bestToken(const Array &logits, size_t row) {
  auto begin = logits.reals.begin() + row * logits.shape[1];
  return std::max_element(begin, begin + logits.shape[1]) - begin;
}

size_t lastRow(const Array &array) { return static_cast<size_t>(array.shape[0]) - 1; }

/// The prompt moved by one, then the token the model itself would add.
std::vector<int64_t> shifted(std::span<const int64_t> tokens, const Array &logits) {
  std::vector<int64_t> next(tokens.begin() + 1, tokens.end());
  next.push_back(bestToken(logits, lastRow(logits)));
  return next;
}

/// Draft steps of the golden arrays.
constexpr int draftSteps = 3;

/// 1 where a row's selection has a key: [n, limit] positions to a [n, n] mask, appended.
void appendMask(const Array &ids, Array &mask) {
  size_t rows = static_cast<size_t>(ids.shape[0]), limit = static_cast<size_t>(ids.shape[1]);
  size_t begin = mask.integers.size();
  mask.integers.resize(begin + rows * rows);
  for (size_t i = 0; i < rows; ++i)
    for (size_t r = 0; r < limit; ++r)
      if (int32_t key = ids.integers[i * limit + r]; key >= 0)
        mask.integers[begin + i * rows + static_cast<size_t>(key)] = 1;
}

/// Results `<part>.<layer>` of a step, by layer.
std::map<int, const Array *> byLayer(const Arrays &results, const std::string &part) {
  std::map<int, const Array *> found;
  for (const auto &[name, array] : results) {
    int layer;
    const char *end = name.data() + name.size();
    if (name.starts_with(part + ".") &&
        std::from_chars(name.data() + part.size() + 1, end, layer).ptr == end)
      found.emplace(layer, &array);
  }
  return found;
}

/// Puts arrays of equal shape one after another under a new first dimension.
Array stack(const std::map<int, const Array *> &layers) {
  Array whole;
  for (auto &[layer, array] : layers) {
    whole.reals.insert(whole.reals.end(), array->reals.begin(), array->reals.end());
    whole.integers.insert(whole.integers.end(), array->integers.begin(), array->integers.end());
  }
  whole.shape = layers.begin()->second->shape;
  whole.shape.insert(whole.shape.begin(), static_cast<int64_t>(layers.size()));
  return whole;
}

Array layerNumbers(const std::map<int, const Array *> &layers) {
  Array numbers;
  for (auto &[layer, array] : layers)
    numbers.integers.push_back(layer);
  numbers.shape = {static_cast<int64_t>(layers.size())};
  return numbers;
}

/// The draft layer over the prompt, then as many steps on its own tokens as the golden arrays have.
absl::Status addDraftStages(Session &session, Sequence &sequence, std::span<const int64_t> tokens,
                            const Arrays &step, Arrays &stages) {
  auto next = shifted(tokens, step.at("logits"));
  auto prompt = sequence.draft(next, step.at("final"), 0, LogitRows::Last);
  if (!prompt.ok())
    return prompt.status();
  stages["mtp_hidden"] = prompt->at("draft_hidden");
  const Array &ids = prompt->at("draft_selection");
  Array &mask = stages["mtp_index_mask"];
  mask.shape = {ids.shape[0], ids.shape[0]};
  appendMask(ids, mask);
  Array selection = rowsOf(ids, lastRow(ids), 1), logits = prompt->at("logits");
  Array hidden = rowsOf(stages["mtp_hidden"], lastRow(stages["mtp_hidden"]), 1);
  bool shared = session.has("draft_shared");
  for (int drafted = 1; drafted < draftSteps; ++drafted) {
    std::vector<int64_t> token = {bestToken(logits, lastRow(logits))};
    auto more = sequence.draft(token, hidden, sequence.length() + drafted - 1, LogitRows::All,
                               shared ? &selection : nullptr);
    if (!more.ok())
      return more.status();
    const Array &row = more->at("logits");
    logits.reals.insert(logits.reals.end(), row.reals.begin(), row.reals.end());
    logits.shape[0] += 1;
    hidden = more->at("draft_hidden");
  }
  stages["mtp_draft_logits"] = std::move(logits);
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Array> promptLogits(Session &session, std::span<const int64_t> tokens,
                                   int64_t chunk) {
  Sequence sequence(session, chunk);
  auto results = sequence.append(tokens, LogitRows::All);
  if (!results.ok())
    return results.status();
  return std::move(results->at("logits"));
}

absl::StatusOr<Array> draftLogits(Session &session, std::span<const int64_t> tokens,
                                  int64_t chunk) {
  if (!session.has("draft"))
    return codedError(Code::FlagsConflict, "--draft-logits", "the model has no draft layer");
  Sequence sequence(session, chunk);
  auto results = sequence.append(tokens, LogitRows::Last);
  if (!results.ok())
    return results.status();
  auto next = shifted(tokens, results->at("logits"));
  auto drafts = sequence.draft(next, results->at("final"), 0, LogitRows::All);
  if (!drafts.ok())
    return drafts.status();
  return std::move(drafts->at("logits"));
}

absl::StatusOr<std::vector<int64_t>> greedyTokens(Session &session, std::span<const int64_t> tokens,
                                                  size_t count, std::span<const int64_t> stops,
                                                  int64_t chunk) {
  Sequence sequence(session, chunk);
  std::vector<int64_t> made, next(tokens.begin(), tokens.end());
  while (made.size() < count) {
    auto results = sequence.append(next, LogitRows::Last);
    if (!results.ok())
      return results.status();
    const Array &logits = results->at("logits");
    next = {bestToken(logits, lastRow(logits))};
    made.push_back(next.front());
    if (std::ranges::find(stops, next.front()) != stops.end())
      break;
  }
  return made;
}

absl::StatusOr<Arrays> stageArrays(Session &session, std::span<const int64_t> tokens,
                                   int64_t chunk) {
  Sequence sequence(session, chunk);
  auto step = sequence.append(tokens, LogitRows::Last);
  if (!step.ok())
    return step.status();
  Arrays stages;
  stages["final"] = step->at("final");
  if (auto hidden = byLayer(*step, "hidden"); !hidden.empty())
    stages["hidden"] = stack(hidden);
  if (auto selections = byLayer(*step, "selection"); !selections.empty()) {
    stages["index_layers"] = layerNumbers(selections);
    Array &mask = stages["index_mask"];
    int64_t rows = static_cast<int64_t>(tokens.size());
    mask.shape = {static_cast<int64_t>(selections.size()), rows, rows};
    for (auto &[layer, ids] : selections)
      appendMask(*ids, mask);
  }
  if (auto experts = byLayer(*step, "experts"); !experts.empty()) {
    stages["moe_layers"] = layerNumbers(experts);
    stages["expert_ids"] = stack(experts);
    stages["expert_weights"] = stack(byLayer(*step, "expert_weights"));
  }
  if (session.has("draft"))
    if (absl::Status status = addDraftStages(session, sequence, tokens, *step, stages);
        !status.ok())
      return status;
  return stages;
}

absl::StatusOr<Likelihood> likelihood(Session &session, std::span<const int64_t> tokens,
                                      size_t window, int64_t chunk) {
  Likelihood result;
  int32_t slot = 0;
  for (size_t begin = 0; begin < tokens.size(); begin += window, ++slot) {
    std::span part = tokens.subspan(begin, std::min(window, tokens.size() - begin));
    Sequence sequence(session, chunk, slot);
    auto step = sequence.append(part, LogitRows::All);
    if (!step.ok())
      return step.status();
    const Array &logits = step->at("logits");
    for (size_t i = 0; i + 1 < part.size(); ++i) {
      auto row = std::span(logits.reals).subspan(i * logits.shape[1], logits.shape[1]);
      double largest = *std::ranges::max_element(row), sum = 0;
      for (double logit : row)
        sum += std::exp(logit - largest);
      result.nats += largest + std::log(sum) - row[static_cast<size_t>(part[i + 1])];
      ++result.tokens;
    }
  }
  return result;
}

} // namespace glm::interpret
