// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of a safetensors file, and the index of a set of them, from any text.
#include "compiler/import/Header.h"

#include <memory_resource>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(input), size);
  std::pmr::monotonic_buffer_resource arena;
  std::vector<glm::Tensor> tensors;
  glm::parseHeader(text, "fuzz.safetensors", 0, 1 << 20, arena, tensors).IgnoreError();
  std::vector<std::pair<std::string, std::string>> map;
  glm::parseIndex(text, "fuzz.index.json", map).IgnoreError();
  return 0;
}
