// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types of safetensors files, by the names the format uses.
#ifndef GLM_COMPILER_IMPORT_DTYPE_H
#define GLM_COMPILER_IMPORT_DTYPE_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace glm {

enum class Dtype : uint8_t {
  Bool,
  U8,
  I8,
  F8E4M3,
  F8E5M2,
  F8E8M0,
  F8E4M3FNUZ,
  F8E5M2FNUZ,
  F4,
  F6E2M3,
  F6E3M2,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  I64,
  U64,
  F64,
  C64,
};

/// Width of one element in bits (4 for F4, 6 for the F6 types).
unsigned bitsOf(Dtype dtype);

/// The name in a safetensors header, e.g. "F8_E4M3".
std::string_view nameOf(Dtype dtype);

/// The dtype of that name, if the format defines it.
std::optional<Dtype> parseDtype(std::string_view name);

} // namespace glm

#endif
