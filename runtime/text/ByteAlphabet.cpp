// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Utf8.h"

#include <array>

using namespace glm::text;

namespace {

constexpr uint32_t firstShifted = 0x100;
constexpr uint32_t alphabetEnd = firstShifted + 68;

constexpr bool standsForItself(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

struct Alphabet {
  std::array<uint32_t, 256> character{};
  std::array<int16_t, alphabetEnd> byte{};

  constexpr Alphabet() {
    byte.fill(-1);
    uint32_t shifted = firstShifted;
    for (uint32_t b = 0; b < 256; ++b) {
      character[b] = standsForItself(b) ? b : shifted++;
      byte[character[b]] = int16_t(b);
    }
  }
};

constexpr Alphabet alphabet;

} // namespace

std::string glm::text::characterOfByte(unsigned char byte) {
  std::string text;
  appendUtf8(text, alphabet.character[byte]);
  return text;
}

std::optional<std::string> glm::text::bytesOfCharacters(std::string_view characters) {
  std::string bytes;
  while (!characters.empty()) {
    Utf8Unit unit = scanUtf8(characters);
    if (unit.state != Utf8State::Valid || unit.codePoint >= alphabetEnd ||
        alphabet.byte[unit.codePoint] < 0)
      return std::nullopt;
    bytes += char(alphabet.byte[unit.codePoint]);
    characters.remove_prefix(unit.bytes);
  }
  return bytes;
}
