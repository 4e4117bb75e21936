// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a synthesised checkpoint consists of before a byte is written: shards, tensors, offsets,
// headers.
#ifndef GLM_TOOLS_SYNTHESIZE_PLAN_H
#define GLM_TOOLS_SYNTHESIZE_PLAN_H

#include "compiler/import/Config.h"
#include "compiler/import/Weights.h"

#include <string>
#include <vector>

namespace glm::synthesize {

struct PlannedTensor {
  std::string name;
  WeightKind kind;
  Dtype dtype;
  std::vector<int64_t> shape;
  /// Set for the scales of an FP8 weight (`….weight_scale_inv`): the weight's columns.
  int64_t scaledColumns = 0;
  /// From the end of the shard's header, and length; in bytes.
  uint64_t offset = 0, bytes = 0;
};

struct Shard {
  std::string name;
  std::vector<PlannedTensor> tensors;
  /// Header length and header, as they stand at the start of the file.
  std::string head;
  uint64_t dataBytes = 0;
};

struct Plan {
  std::vector<Shard> shards;
  /// Text of model.safetensors.index.json; empty for a single file.
  std::string index;
  uint64_t tensors = 0, bytes = 0;
};

/// Lays out every tensor of the configuration, at most `shardBytes` in a file unless one tensor is
/// larger. A configuration with FP8 blocks gets F8_E4M3 weights with F32 scales, another one BF16.
Plan makePlan(const Glm5Config &config, uint64_t shardBytes);

} // namespace glm::synthesize

#endif
