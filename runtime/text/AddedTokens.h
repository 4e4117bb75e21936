// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds added tokens ("<|user|>", "<think>") in text before anything else looks at it: leftmost,
// then longest, as Hugging Face tokenizers does, with its rules for single words and swallowed
// white space.
#ifndef GLM_RUNTIME_TEXT_ADDEDTOKENS_H
#define GLM_RUNTIME_TEXT_ADDEDTOKENS_H

#include "runtime/text/Regex.h"
#include "runtime/text/TableView.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace glm::text {

/// What counts as a word character for single_word.
struct WordRules {
  Regex wordCharacter;
  WordRules();
};

/// One of the two lists of a tokenizer. Keeps 2 KiB beside the tables.
class AddedTokens final {
public:
  AddedTokens(const TableView &tables, bool normalized);

  struct Found {
    const AddedEntry *entry; ///< null: no more
    size_t begin, end;       ///< what it takes from the text, white space included
    size_t next;             ///< where to look for the one after it
  };

  /// The first token at or behind `from`. Its white space may reach into what an earlier token
  /// took. Tokens with a flag in `asText` are not tokens this time, but their text cannot be a part
  /// of another token either.
  Found find(std::string_view text, size_t from, uint32_t asText, const WordRules &rules) const;

  bool empty() const { return entries.empty(); }

private:
  const AddedEntry *longestAt(std::string_view rest) const;
  std::string_view content(size_t index) const;

  const TableView &tables;
  std::span<const AddedEntry> entries;
  std::array<uint32_t, 257>
      firstByte; // entries[firstByte[b] .. firstByte[b + 1]) begin with byte b
};

} // namespace glm::text

#endif
