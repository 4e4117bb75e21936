// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Plan.h"

#include "compiler/import/Safetensors.h"

#include <algorithm>
#include <cstdio>

namespace glm::synthesize {
namespace {

constexpr int64_t scaleBlock = 128;

/// In published FP8 files these matrices stay BF16 (and so does everything that is no matrix).
bool staysPlain(const WeightRow &row) {
  using enum WeightKind;
  return row.shape.size() != 2 || row.kind == Embedding || row.kind == Head || row.kind == Router ||
         row.kind == IndexWeights || row.kind == DraftProjection;
}

uint64_t bytesOf(const PlannedTensor &tensor) {
  uint64_t bytes = bitsOf(tensor.dtype) / 8;
  for (int64_t size : tensor.shape)
    bytes *= static_cast<uint64_t>(size);
  return bytes;
}

std::vector<PlannedTensor> listTensors(const Glm5Config &config) {
  std::vector<PlannedTensor> tensors;
  auto add = [&](PlannedTensor tensor) {
    tensor.bytes = bytesOf(tensor);
    tensors.push_back(std::move(tensor));
  };
  for (const WeightRow &row : allRows(config, /*withDraft=*/true)) {
    bool fp8 = config.format == WeightFormat::Fp8Blocks && !staysPlain(row);
    Dtype dtype = fp8 ? Dtype::F8E4M3 : publishedDtype(row.kind);
    for (int64_t expert = 0; expert < row.experts; ++expert) {
      std::string name = row.isBank() ? row.expertName(expert) : row.name;
      add({name, row.kind, dtype, row.shape});
      if (fp8)
        add({name + "_scale_inv",
             row.kind,
             Dtype::F32,
             {(row.shape[0] + scaleBlock - 1) / scaleBlock,
              (row.shape[1] + scaleBlock - 1) / scaleBlock},
             row.shape[1]});
    }
  }
  return tensors;
}

/// Fixes offsets (wide elements first, so that all are aligned) and writes the header.
void seal(Shard &shard) {
  std::vector<PlannedTensor> ordered;
  for (unsigned bits : {32, 16, 8})
    for (PlannedTensor &tensor : shard.tensors)
      if (bitsOf(tensor.dtype) == bits)
        ordered.push_back(std::move(tensor));
  shard.tensors = std::move(ordered);
  std::string header = R"({"__metadata__":{"format":"pt"})";
  for (PlannedTensor &tensor : shard.tensors) {
    tensor.offset = shard.dataBytes;
    shard.dataBytes += tensor.bytes;
    // Names come from the table: letters, digits, dots and underscores only.
    header += ",\"" + tensor.name + R"(":{"dtype":")" + std::string(nameOf(tensor.dtype)) +
              R"(","shape":)" + shapeText(tensor.shape) + R"(,"data_offsets":[)" +
              std::to_string(tensor.offset) + "," + std::to_string(shard.dataBytes) + "]}";
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  for (int i = 0; i < 8; ++i)
    shard.head += static_cast<char>(header.size() >> (8 * i));
  shard.head += header;
}

void nameShards(Plan &plan) {
  size_t count = plan.shards.size();
  if (count == 1) {
    plan.shards[0].name = "model.safetensors";
    return;
  }
  std::vector<std::pair<std::string_view, const Shard *>> names;
  for (size_t i = 0; i < count; ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, count);
    plan.shards[i].name = name;
  }
  for (const Shard &shard : plan.shards)
    for (const PlannedTensor &tensor : shard.tensors)
      names.emplace_back(tensor.name, &shard);
  std::ranges::sort(names);
  std::string &index = plan.index;
  index = "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(plan.bytes) +
          "\n  },\n  \"weight_map\": {";
  for (size_t i = 0; i < names.size(); ++i)
    index += (i ? ",\n    \"" : "\n    \"") + std::string(names[i].first) + "\": \"" +
             names[i].second->name + "\"";
  index += "\n  }\n}\n";
}

} // namespace

Plan makePlan(const Glm5Config &config, uint64_t shardBytes) {
  Plan plan;
  uint64_t filled = 0;
  for (PlannedTensor &tensor : listTensors(config)) {
    if (plan.shards.empty() || (filled != 0 && filled + tensor.bytes > shardBytes)) {
      plan.shards.emplace_back();
      filled = 0;
    }
    filled += tensor.bytes;
    plan.bytes += tensor.bytes;
    ++plan.tensors;
    plan.shards.back().tensors.push_back(std::move(tensor));
  }
  for (Shard &shard : plan.shards)
    seal(shard);
  nameShards(plan);
  return plan;
}

} // namespace glm::synthesize
