// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The intermediate values that `glmc --keep` turned into outputs, collected over the steps of one
// prompt and written as arrays:
//
//   hidden f32 [layers + 1, n, H], final f32 [n, H], index_layers i32 [k], index_mask bool [k, n,
//   n], moe_layers i32 [m], expert_ids i32 and expert_weights f32 [m, n, top-k]
#ifndef GLM_TOOLS_GLM_RUN_STAGES_H
#define GLM_TOOLS_GLM_RUN_STAGES_H

#include "tools/engine/Engine.h"
#include "tools/npy/Npy.h"

#include <map>

namespace glm::run {

class Stages {
public:
  /// Without `wanted` it takes nothing. Throws when the artifact keeps nothing.
  Stages(const tool::Engine &engine, size_t tokens, bool wanted);
  /// The outputs of the latest step, which had the next `count` rows.
  void take(const Session &session, size_t count);
  void write(const std::string &folder) const;

private:
  /// One output over all positions, `width` elements a row.
  struct Output {
    int32_t dtype;
    int64_t width;
    std::vector<float> reals;
    std::vector<int32_t> integers;
  };
  template <typename T>
  void writeStack(const std::string &folder, const char *file, const char *prefix,
                  std::vector<T> Output::*values) const;
  void writeMask(const std::string &folder) const;

  size_t tokens;
  std::map<std::string, Output> outputs; ///< by port name, e.g. "hidden.3"
};

} // namespace glm::run

#endif
