// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 as a stream of arbitrary bytes: what tokens decode to need not be text, and a character may
// be spread over several tokens. Invalid bytes become U+FFFD, one for every maximal invalid part
// (Unicode 15, section 3.9, table 3-8), as Rust's String::from_utf8_lossy and Python's
// errors="replace" do.
#ifndef GLM_RUNTIME_TEXT_UTF8_H
#define GLM_RUNTIME_TEXT_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace glm::text {

enum class Utf8State { Valid, Invalid, Incomplete };

struct Utf8Unit {
  Utf8State state;
  size_t bytes;       ///< at least 1: the character, the maximal invalid part, or all that is left
  uint32_t codePoint; ///< only when valid
};

/// Looks at the start of `bytes`, which must not be empty.
Utf8Unit scanUtf8(std::string_view bytes);

void appendUtf8(std::string &text, uint32_t codePoint);

/// Turns pieces of bytes into valid UTF-8 and keeps back an incomplete character until its rest
/// comes.
class Utf8Stream final {
public:
  /// Appends to `text` what became certain with `bytes`.
  void push(std::string_view bytes, std::string &text);

  /// The end: what was kept back is invalid now.
  void finish(std::string &text);

  /// What is kept back, fewer than 4 bytes.
  std::string_view incomplete() const { return pending; }

private:
  std::string pending;
};

} // namespace glm::text

#endif
