// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/artifact/Hash.h"

#define XXH_INLINE_ALL
#define XXH_NO_STDLIB // no allocation: the state lies on the stack
#include <xxhash.h>

namespace glm::runtime {

Hash hashOf(const void *bytes, size_t size) {
  Hash hash;
  hashOf(bytes, size, nullptr, nullptr, hash);
  return hash;
}

bool hashOf(const void *bytes, size_t size, bool (*proceed)(void *, size_t), void *context, Hash &hash) {
  constexpr size_t piece = size_t(64) << 20;
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_128bits_reset(&state);
  for (size_t done = 0; done < size;) {
    size_t step = size - done < piece ? size - done : piece;
    XXH3_128bits_update(&state, static_cast<const uint8_t *>(bytes) + done, step);
    done += step;
    if (proceed && !proceed(context, done))
      return false;
  }
  XXH128_hash_t result = XXH3_128bits_digest(&state);
  hash = {result.low64, result.high64};
  return true;
}

} // namespace glm::runtime
