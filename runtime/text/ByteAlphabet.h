// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The alphabet of byte-level BPE: every byte has a printable character, so that tokenizer.json can
// hold arbitrary bytes as strings. Printable Latin-1 stands for itself, the other 68 bytes are
// U+0100, U+0101, ... in order. Source: the tables every byte-level tokenizer since GPT-2 shares.
#ifndef GLM_RUNTIME_TEXT_BYTEALPHABET_H
#define GLM_RUNTIME_TEXT_BYTEALPHABET_H

#include <optional>
#include <string>
#include <string_view>

namespace glm::text {

/// The character that stands for `byte`, as UTF-8.
std::string characterOfByte(unsigned char byte);

/// The bytes that a string of the alphabet stands for; nothing if one of its characters is not of
/// the alphabet.
std::optional<std::string> bytesOfCharacters(std::string_view characters);

} // namespace glm::text

#endif
