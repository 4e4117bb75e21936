// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hash of VocabularySlots: XXH3-64 of a token's bytes, a part of the format of TableLayout.h.
#ifndef GLM_RUNTIME_TEXT_VOCABULARYHASH_H
#define GLM_RUNTIME_TEXT_VOCABULARYHASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace glm::text {

inline uint64_t hashBytes(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

} // namespace glm::text

#endif
