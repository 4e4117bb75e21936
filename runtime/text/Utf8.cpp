// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Utf8.h"

using namespace glm::text;

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// Length, first byte's payload and the range of the second byte; the others are always 80..BF.
struct Lead {
  size_t bytes;
  uint32_t payload;
  uint8_t low, high;
};

Lead readLead(uint8_t byte) {
  if (byte < 0x80)
    return {1, byte, 0, 0};
  if (byte >= 0xc2 && byte <= 0xdf)
    return {2, byte & 0x1fu, 0x80, 0xbf};
  if (byte >= 0xe0 && byte <= 0xef)
    return {3, byte & 0x0fu, uint8_t(byte == 0xe0 ? 0xa0 : 0x80),
            uint8_t(byte == 0xed ? 0x9f : 0xbf)};
  if (byte >= 0xf0 && byte <= 0xf4)
    return {4, byte & 0x07u, uint8_t(byte == 0xf0 ? 0x90 : 0x80),
            uint8_t(byte == 0xf4 ? 0x8f : 0xbf)};
  return {0, 0, 0, 0};
}

} // namespace

Utf8Unit glm::text::scanUtf8(std::string_view bytes) {
  Lead lead = readLead(uint8_t(bytes[0]));
  if (lead.bytes == 0)
    return {Utf8State::Invalid, 1, 0};
  uint32_t codePoint = lead.payload;
  for (size_t i = 1; i < lead.bytes; ++i) {
    if (i == bytes.size())
      return {Utf8State::Incomplete, i, 0};
    uint8_t byte = uint8_t(bytes[i]);
    uint8_t low = i == 1 ? lead.low : 0x80;
    uint8_t high = i == 1 ? lead.high : 0xbf;
    if (byte < low || byte > high)
      return {Utf8State::Invalid, i, 0};
    codePoint = codePoint << 6 | (byte & 0x3fu);
  }
  return {Utf8State::Valid, lead.bytes, codePoint};
}

void glm::text::appendUtf8(std::string &text, uint32_t codePoint) {
  if (codePoint < 0x80) {
    text += char(codePoint);
  } else if (codePoint < 0x800) {
    text += char(0xc0 | codePoint >> 6);
    text += char(0x80 | (codePoint & 0x3f));
  } else if (codePoint < 0x10000) {
    text += char(0xe0 | codePoint >> 12);
    text += char(0x80 | (codePoint >> 6 & 0x3f));
    text += char(0x80 | (codePoint & 0x3f));
  } else {
    text += char(0xf0 | codePoint >> 18);
    text += char(0x80 | (codePoint >> 12 & 0x3f));
    text += char(0x80 | (codePoint >> 6 & 0x3f));
    text += char(0x80 | (codePoint & 0x3f));
  }
}

void Utf8Stream::push(std::string_view bytes, std::string &text) {
  std::string joined;
  if (!pending.empty()) {
    joined = std::move(pending) + std::string(bytes);
    pending.clear();
    bytes = joined;
  }
  while (!bytes.empty()) {
    Utf8Unit unit = scanUtf8(bytes);
    if (unit.state == Utf8State::Incomplete) {
      pending = bytes;
      return;
    }
    text += unit.state == Utf8State::Valid ? bytes.substr(0, unit.bytes) : replacement;
    bytes.remove_prefix(unit.bytes);
  }
}

void Utf8Stream::finish(std::string &text) {
  if (!pending.empty())
    text += replacement;
  pending.clear();
}
