// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files, as far as the tools exchange values by them: C-ordered little-endian arrays
// of bool, int32, int64 and float32, versions 1.0 and 2.0 read, 1.0 written.
//
//   "\x93NUMPY" major minor | u16 (1.0) or u32 (2.0) length | {'descr': …, 'fortran_order': …,
//   'shape': …} | data
//
// Format: NumPy Enhancement Proposal 1. Functions are free of state and safe to call from any
// thread. They return an error or nothing; files come from outside, so every size is checked before
// it is used.
#ifndef GLM_TOOLS_NPY_NPY_H
#define GLM_TOOLS_NPY_NPY_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glm::npy {

/// Why an array could not be read or written. `code` is a number of the catalogue of coded errors:
/// 2 missing or unreadable, 6 not writable, 9 not an array of a supported form.
struct Error {
  uint16_t code;
  std::string thing; ///< the path
  std::string what;  ///< which rule, with the numbers

  /// `error[GLM0009]: ids.npy: …`, without a line break.
  std::string line() const;
};

enum class Element : uint8_t { Bool, Int32, Int64, Float32 };

/// Bytes of one element.
size_t bytesOf(Element element);

template <typename T> struct ElementOf;
template <> struct ElementOf<bool> {
  static constexpr Element value = Element::Bool;
};
template <> struct ElementOf<int32_t> {
  static constexpr Element value = Element::Int32;
};
template <> struct ElementOf<int64_t> {
  static constexpr Element value = Element::Int64;
};
template <> struct ElementOf<float> {
  static constexpr Element value = Element::Float32;
};

/// An array that owns its data.
struct Array {
  Element element = Element::Float32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  /// Number of elements.
  size_t size() const { return data.size() / bytesOf(element); }

  /// The data as elements of `T`; empty if the array has others.
  template <typename T> std::span<const T> values() const {
    if (ElementOf<T>::value != element)
      return {};
    return {reinterpret_cast<const T *>(data.data()), size()};
  }
};

/// Reads a whole file into `array`. Data beyond the array is an error, as a cut-off file is.
std::optional<Error> read(const std::string &path, Array &array);

/// The same for bytes in memory; `thing` names them in errors.
std::optional<Error> parse(std::string_view bytes, const std::string &thing, Array &array);

/// Reads token ids: an int32 or int64 array of rank 1, or of rank 2 with one row.
std::optional<Error> readIds(const std::string &path, std::vector<int64_t> &ids);

/// Writes to a file beside `path` and renames it: there is never a partial file of that name.
std::optional<Error> write(const std::string &path, Element element, std::span<const int64_t> shape,
                           std::span<const std::byte> data);

template <typename T>
std::optional<Error> write(const std::string &path, std::span<const int64_t> shape,
                           std::span<const T> values) {
  return write(path, ElementOf<T>::value, shape, std::as_bytes(values));
}

} // namespace glm::npy

#endif
