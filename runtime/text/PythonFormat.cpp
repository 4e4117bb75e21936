// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/PythonFormat.h"
#include "runtime/text/Utf8.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace glm::text;

namespace {

void appendEscape(std::string &json, uint32_t unit) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\u%04x", unsigned(unit));
  json += escape;
}

void appendAscii(std::string &json, uint32_t codePoint) {
  if (codePoint < 0x10000)
    return appendEscape(json, codePoint);
  appendEscape(json, 0xd800 + ((codePoint - 0x10000) >> 10));
  appendEscape(json, 0xdc00 + ((codePoint - 0x10000) & 0x3ff));
}

const char *shortEscape(char c) {
  switch (c) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\b':
    return "\\b";
  case '\f':
    return "\\f";
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    return nullptr;
  }
}

} // namespace

std::string glm::text::pythonFloat(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[40];
  auto scientific =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, scientific.ptr);
  int exponent = std::atoi(text.c_str() + text.find('e') + 1);
  if (exponent < -4 || exponent >= 16)
    return text; // 1e-05, 1.5e+16: two digits of exponent at least, as in Python
  auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  text.assign(buffer, fixed.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string glm::text::pythonJsonString(std::string_view text, bool asciiOnly) {
  std::string json = "\"";
  while (!text.empty()) {
    Utf8Unit unit = scanUtf8(text);
    if (const char *escape = shortEscape(text[0]))
      json += escape;
    else if (unit.state != Utf8State::Valid)
      json += "\xef\xbf\xbd";
    else if (unit.codePoint < 0x20 || (asciiOnly && unit.codePoint > 0x7f))
      appendAscii(json, unit.codePoint);
    else
      json += text.substr(0, unit.bytes);
    text.remove_prefix(unit.bytes);
  }
  return json + '"';
}
