// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Dtype.h"

#include <iterator>

namespace glm {
namespace {

struct Row {
  std::string_view name;
  unsigned bits;
};

/// In the order of the enumeration.
constexpr Row rows[] = {
    {"BOOL", 8},    {"U8", 8},          {"I8", 8},          {"F8_E4M3", 8}, {"F8_E5M2", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F4", 4},      {"F6_E2M3", 6},
    {"F6_E3M2", 6}, {"I16", 16},        {"U16", 16},        {"F16", 16},    {"BF16", 16},
    {"I32", 32},    {"U32", 32},        {"F32", 32},        {"I64", 64},    {"U64", 64},
    {"F64", 64},    {"C64", 64},
};
static_assert(std::size(rows) == static_cast<size_t>(Dtype::C64) + 1);

} // namespace

unsigned bitsOf(Dtype dtype) { return rows[static_cast<size_t>(dtype)].bits; }

std::string_view nameOf(Dtype dtype) { return rows[static_cast<size_t>(dtype)].name; }

std::optional<Dtype> parseDtype(std::string_view name) {
  for (size_t i = 0; i < std::size(rows); ++i)
    if (rows[i].name == name)
      return static_cast<Dtype>(i);
  return std::nullopt;
}

} // namespace glm
