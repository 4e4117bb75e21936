// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/RegexSyntax.h"
#include "runtime/text/Error.h"

#include <cctype>

using namespace glm::text;

namespace {

constexpr std::string_view wordItems = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";

class Translator final {
public:
  explicit Translator(std::string_view pattern) : pattern(pattern) {}

  std::string run() {
    while (position < pattern.size())
      step();
    return std::move(result);
  }

private:
  [[noreturn]] void refuse(const std::string &what) const {
    throw Error(ErrorKind::Unsupported, "pattern " + std::string(pattern) + ": " + what +
                                            " at byte " + std::to_string(position) +
                                            " is not supported");
  }

  std::string_view rest() const { return pattern.substr(position); }

  void copy(size_t bytes) {
    result += pattern.substr(position, bytes);
    position += bytes;
  }

  void step() {
    char c = pattern[position];
    if (c == '\\')
      return escape();
    if (c == '[')
      return openBracket();
    if (c == ']' && classDepth > 0)
      --classDepth;
    if (classDepth > 0 && rest().starts_with("&&"))
      refuse("a class intersection");
    if (classDepth == 0 && rest().starts_with("(?"))
      return group();
    copy(1);
  }

  void openBracket() {
    if (classDepth > 0 && rest().starts_with("[:")) {
      size_t end = pattern.find(":]", position);
      if (end == std::string_view::npos)
        refuse("an open POSIX class");
      return copy(end + 2 - position);
    }
    if (classDepth > 0)
      refuse("a class inside a class");
    ++classDepth;
    copy(1);
    if (rest().starts_with("^"))
      copy(1);
    if (rest().starts_with("]"))
      copy(1); // a literal bracket
  }

  // (?:  (?=  (?!  (?<=  (?<!  (?>  (?i:  (?i)  (?-i) are equal in both; (?m) and the others are
  // not.
  void group() {
    size_t at = position + 2;
    for (std::string_view kind : {":", "=", "!", "<=", "<!", ">"})
      if (pattern.substr(at).starts_with(kind))
        return copy(2 + kind.size());
    while (at < pattern.size() && (pattern[at] == 'i' || pattern[at] == '-'))
      ++at;
    if (at == position + 2 || at == pattern.size() || (pattern[at] != ':' && pattern[at] != ')'))
      refuse("the group " + std::string(rest().substr(0, 4)));
    copy(at + 1 - position);
  }

  void escape() {
    if (position + 1 == pattern.size())
      refuse("a final backslash");
    char c = pattern[position + 1];
    bool inClass = classDepth > 0;
    switch (c) {
    case 's':
      return replace(R"(\p{White_Space})");
    case 'S':
      return replace(R"(\P{White_Space})");
    case 'w':
      return replace(inClass ? std::string(wordItems) : '[' + std::string(wordItems) + ']');
    case 'h':
      return replace(inClass ? "0-9a-fA-F" : "[0-9a-fA-F]");
    case 'W':
    case 'H':
      if (inClass)
        refuse(std::string("\\") + c + " in a class");
      return replace(c == 'W' ? "[^" + std::string(wordItems) + ']' : "[^0-9a-fA-F]");
    case 'u':
      return codePoint();
    default:
      if (std::isdigit(static_cast<unsigned char>(c)) && c != '0')
        refuse("a back reference");
      if (std::string_view("kgRXKGyYZz").find(c) != std::string_view::npos && c != 'z')
        refuse(std::string("\\") + c);
      return copy(2);
    }
  }

  void replace(std::string_view text) {
    result += text;
    position += 2;
  }

  void codePoint() {
    std::string_view digits = pattern.substr(position + 2, 4);
    for (char c : digits)
      if (!std::isxdigit(static_cast<unsigned char>(c)))
        refuse("\\u without four hexadecimal digits");
    if (digits.size() != 4)
      refuse("\\u without four hexadecimal digits");
    result += "\\x{" + std::string(digits) + '}';
    position += 6;
  }

  std::string_view pattern;
  std::string result;
  size_t position = 0;
  int classDepth = 0;
};

} // namespace

std::string glm::text::translateRegex(std::string_view pattern) {
  return Translator(pattern).run();
}

std::string glm::text::quoteRegex(std::string_view text) {
  std::string quoted;
  for (char c : text) {
    if (std::ispunct(static_cast<unsigned char>(c)))
      quoted += '\\';
    quoted += c;
  }
  return quoted;
}
