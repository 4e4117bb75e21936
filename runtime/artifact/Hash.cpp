// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/artifact/Hash.h"

#define XXH_INLINE_ALL
#define XXH_NO_STDLIB // no allocation: the state lies on the stack
#include <xxhash.h>

namespace glm::runtime {

Hash hashOf(const void *bytes, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(bytes, size);
  return {hash.low64, hash.high64};
}

} // namespace glm::runtime
