// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether bytes are a flatbuffer of the schema: every offset, vector, string and table that a
// reader could follow lies inside, aligned for its elements.
#ifndef GLM_RUNTIME_ARTIFACT_STRUCTURE_H
#define GLM_RUNTIME_ARTIFACT_STRUCTURE_H

#include <cstddef>
#include <cstdint>

namespace glm::runtime {

/// `bytes` starts at a multiple of 8; less than 2 GiB.
bool isProgram(const uint8_t *bytes, size_t size);

} // namespace glm::runtime

#endif
