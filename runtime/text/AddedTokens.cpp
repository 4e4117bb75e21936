// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/AddedTokens.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

using namespace glm::text;

// \w as Rust's regex crate has it: Alphabetic, M, Nd, Pc and the joiners.
WordRules::WordRules()
    : wordCharacter(R"(\A[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]\z)") {}

AddedTokens::AddedTokens(const TableView &tables, bool normalized)
    : tables(tables), entries(tables.addedTokens(normalized)) {
  size_t index = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    firstByte[byte] = uint32_t(index);
    while (index < entries.size() && uint8_t(content(index)[0]) == byte)
      ++index;
  }
  firstByte[256] = uint32_t(index);
}

std::string_view AddedTokens::content(size_t index) const {
  return tables.string(entries[index].content);
}

/// Narrows the sorted list one byte at a time; what is exactly as long as the text read so far is a
/// match.
const AddedEntry *AddedTokens::longestAt(std::string_view rest) const {
  uint8_t first = uint8_t(rest[0]);
  size_t low = firstByte[first], high = firstByte[first + 1];
  const AddedEntry *longest = nullptr;
  for (size_t depth = 1; low < high; ++depth) {
    if (content(low).size() == depth)
      longest = &entries[low++];
    if (depth == rest.size())
      break;
    auto byteAt = [&](const AddedEntry &entry) {
      return uint8_t(tables.string(entry.content)[depth]);
    };
    uint8_t byte = uint8_t(rest[depth]);
    auto begin = entries.begin() + low, end = entries.begin() + high;
    begin = std::partition_point(begin, end, [&](auto &entry) { return byteAt(entry) < byte; });
    end = std::partition_point(begin, end, [&](auto &entry) { return byteAt(entry) <= byte; });
    low = size_t(begin - entries.begin());
    high = size_t(end - entries.begin());
  }
  return longest;
}

namespace {

std::string_view firstCharacter(std::string_view text) {
  return text.substr(0, text.empty() ? 0 : scanUtf8(text).bytes);
}

std::string_view lastCharacter(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && text.size() - begin < 4)
    if ((uint8_t(text[--begin]) & 0xc0) != 0x80)
      break;
  return text.substr(begin);
}

bool isWord(std::string_view character, const WordRules &rules) {
  return !character.empty() && RegexSearch(rules.wordCharacter, character).next();
}

/// Unicode's property White_Space.
bool isSpace(std::string_view character) {
  if (character.empty())
    return false;
  uint32_t c = scanUtf8(character).codePoint;
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

size_t spaceBefore(std::string_view text, size_t begin) {
  for (std::string_view c; isSpace(c = lastCharacter(text.substr(0, begin)));)
    begin -= c.size();
  return begin;
}

size_t spaceBehind(std::string_view text, size_t end) {
  for (std::string_view c; isSpace(c = firstCharacter(text.substr(end)));)
    end += c.size();
  return end;
}

} // namespace

AddedTokens::Found AddedTokens::find(std::string_view text, size_t from, uint32_t asText,
                                     const WordRules &rules) const {
  while (from < text.size()) {
    uint8_t first = uint8_t(text[from]);
    const AddedEntry *entry =
        firstByte[first] < firstByte[first + 1] ? longestAt(text.substr(from)) : nullptr;
    if (!entry) {
      ++from;
      continue;
    }
    size_t begin = from, end = from + entry->content.bytes;
    from = end;
    if (entry->flags & asText)
      continue;
    if (entry->flags & AddedSingleWord && (isWord(lastCharacter(text.substr(0, begin)), rules) ||
                                           isWord(firstCharacter(text.substr(end)), rules)))
      continue;
    size_t next = end;
    if (entry->flags & AddedStripLeft)
      begin = spaceBefore(text, begin);
    if (entry->flags & AddedStripRight)
      end = spaceBehind(text, end);
    return {entry, begin, end, next};
  }
  return {nullptr, text.size(), text.size(), text.size()};
}
