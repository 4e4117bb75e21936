// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// XXH3-128, seed 0: the hash of everything in an artifact.
#ifndef GLM_RUNTIME_ARTIFACT_HASH_H
#define GLM_RUNTIME_ARTIFACT_HASH_H

#include <cstddef>
#include <cstdint>

namespace glm::runtime {

struct Hash final {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash &) const = default;
};

Hash hashOf(const void *bytes, size_t size);

} // namespace glm::runtime

#endif
