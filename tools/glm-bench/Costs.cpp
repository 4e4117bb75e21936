// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-bench/Costs.h"

#include "runtime/core/Expression.h"
#include "tools/engine/Failure.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace glm::bench {

using runtime::countOf;

StepCounts StepCounts::of(std::span<const glm_row> rows, size_t logits, int64_t topK) {
  StepCounts step;
  step.rows = int64_t(rows.size());
  step.logitRows = int64_t(logits);
  std::map<int32_t, int64_t> lengths;
  for (const glm_row &row : rows) {
    int64_t seen = row.position + 1;
    bool scores = topK > 0 && seen > topK;
    step.seenKeys += seen;
    step.selectedKeys += scores ? topK : seen;
    step.scoredKeys += scores ? seen : 0;
    int64_t &length = lengths[row.slot];
    length = std::max(length, seen);
  }
  for (auto [slot, length] : lengths) {
    step.cachedKeys += length;
    step.indexedKeys += topK > 0 && length > topK ? length : 0;
  }
  return step;
}

std::optional<int64_t> StepCounts::value(const std::string &name) const {
  const std::pair<const char *, int64_t> all[] = {
      {"rows", rows},
      {"logit_rows", logitRows},
      {"seen_keys", seenKeys},
      {"selected_keys", selectedKeys},
      {"scored_keys", scoredKeys},
      {"cached_keys", cachedKeys},
      {"indexed_keys", indexedKeys},
      {"keys", cachedKeys}, // expanded by steps whose rows are all of one slot
  };
  for (auto [known, value] : all)
    if (name == known)
      return value;
  return std::nullopt;
}

ProgramCosts::ProgramCosts(const std::string &path, const std::string &level) {
  glm_status status = runtime::okStatus();
  artifact.open(path.c_str(), status);
  tool::check(status);
  const schema::Program &program = artifact.program();
  const schema::Level *chosen = nullptr;
  runtime::chooseLevel(program, level.empty() ? nullptr : level.c_str(), path.c_str(), chosen,
                       status);
  tool::check(status);
  for (size_t i = 0; i < countOf(program.counts()); ++i)
    counts.push_back(program.counts()->Get(uint32_t(i))->str());
  for (const schema::Entry *entry : *program.entries())
    if (entry->name()->str() == "step")
      add(entry->commands());
  const schema::Device *device = chosen ? chosen->device() : program.devices()->Get(0);
  auto described = nlohmann::json::parse(runtime::textOf(device->description()), nullptr, false);
  bf16Dot = described.is_object() && described.value("bf16_dot", false);
}

void ProgramCosts::add(const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands) {
  for (size_t i = 0; i < countOf(commands); ++i) {
    const schema::Command &command = *commands->Get(uint32_t(i));
    if (const schema::Launch *launch = command.body_as_Launch()) {
      order.push_back({false, steps.size()});
      steps.push_back(describe(*launch));
    } else if (command.body_type() == schema::Body::Barrier) {
      order.push_back({true, 0});
    } else if (const schema::Branch *branch = command.body_as_Branch()) {
      branches = true;
      add(branch->less());
      add(branch->otherwise());
    }
  }
}

/// The peak for elements of a type.
static Peak peakOf(schema::Dtype dtype) {
  switch (dtype) {
  case schema::Dtype::i8:
  case schema::Dtype::u8:
  case schema::Dtype::i4:
    return Peak::int8;
  case schema::Dtype::bf16:
  case schema::Dtype::f16:
  case schema::Dtype::f8e4m3:
    return Peak::bf16;
  default:
    return Peak::f32;
  }
}

ProgramCosts::Launch ProgramCosts::describe(const schema::Launch &launch) const {
  const schema::Program &program = artifact.program();
  Launch result;
  // The loader does not look at costs.
  auto sound = [&](const schema::Expr *cost) {
    return cost && !runtime::checkExpression(*cost, counts.size()) ? cost : nullptr;
  };
  result.flop = sound(launch.flop());
  result.bytes = sound(launch.bytes());
  result.label = runtime::textOf(launch.label());
  for (const schema::Arg *argument : *launch.args()) {
    Peak peak = Peak::f32;
    if (argument->kind() == schema::ArgKind::weight)
      peak = peakOf(program.weights()->Get(argument->index())->dtype());
    else if (argument->kind() == schema::ArgKind::bank)
      peak = peakOf(program.banks()->Get(argument->index())->dtype());
    else if (argument->kind() == schema::ArgKind::state)
      peak = peakOf(program.states()->Get(argument->index())->dtype());
    result.peak = std::max(result.peak, peak);
  }
  return result;
}

double ProgramCosts::valueOf(const schema::Expr *cost, std::span<const int64_t> values) const {
  int64_t value = 0;
  return cost && !runtime::evaluateSize(*cost, values.data(), value) ? double(value) : 0;
}

Work ProgramCosts::workOf(const Launch &launch, const StepCounts &step) const {
  std::vector<int64_t> values;
  for (const std::string &name : counts) {
    std::optional<int64_t> value = step.value(name);
    if (!value)
      return {}; // a later compiler's word
    values.push_back(*value);
  }
  return {valueOf(launch.flop, values), valueOf(launch.bytes, values)};
}

std::array<Work, 3> ProgramCosts::total(const StepCounts &step,
                                        const std::vector<bool> &ran) const {
  std::array<Work, 3> sums;
  for (size_t i = 0; i < steps.size(); ++i)
    if (ran.empty() || ran[i])
      sums[size_t(steps[i].peak)] += workOf(steps[i], step);
  return sums;
}

} // namespace glm::bench
