// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One safetensors header, event by event. Internal to Safetensors.cpp and its fuzzer: a big header
// is never turned into a tree of JSON values.
#ifndef GLM_COMPILER_IMPORT_HEADER_H
#define GLM_COMPILER_IMPORT_HEADER_H

#include "compiler/import/Safetensors.h"

#include <string_view>
#include <vector>

namespace glm {

/// Parses the JSON text of a header and appends its tensors (data_offsets still relative in
/// `offset`). `dataBytes` is the length of the file's data; names and shapes are copied into
/// `arena`. Checks one entry at a time: form, dtype, range and size; overlap and duplicates are the
/// caller's.
absl::Status parseHeader(std::string_view text, const std::string &fileName, uint32_t file,
                         uint64_t dataBytes, std::pmr::memory_resource &arena,
                         std::vector<Tensor> &tensors);

/// Parses `weight_map` of an index into (tensor name, file name) pairs in the order of the file.
absl::Status parseIndex(std::string_view text, const std::string &fileName,
                        std::vector<std::pair<std::string, std::string>> &map);

} // namespace glm

#endif
