// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tokenizer tables: what becomes of tokenizer.json, tokenizer_config.json and the chat template
// at compile time. One blob, little-endian, used in place from a memory mapping: no parsing, no
// allocation proportional to the vocabulary when it is opened.
//
//   TableHeader                    at offset 0, with the ranges of all sections
//   section 0, section 1, ...      each at a multiple of 8 bytes, in the order of enum Section,
//   zero bytes between
//
// The same input gives the same bytes. A reader accepts exactly its own version: the tables are
// remade by compiling. Nothing in a blob is trusted before TableView::verify has seen it;
// afterwards every offset and id is in range, every hash table has an empty slot (so that probing
// ends) and the lists for binary search are sorted.
#ifndef GLM_RUNTIME_TEXT_TABLELAYOUT_H
#define GLM_RUNTIME_TEXT_TABLELAYOUT_H

#include <bit>
#include <cstdint>

namespace glm::text {

static_assert(std::endian::native == std::endian::little, "the tables are used in place");

inline constexpr char tableMagic[8] = {'G', 'L', 'M', 'T', 'O', 'K', 'N', '\0'};
inline constexpr uint32_t tableVersion = 1;
inline constexpr uint32_t noId = 0xffffffffu;

enum Section : uint32_t {
  TokenOffsets,    ///< uint32 [tokenCount + 1]: start of each token's bytes
  TokenBytes,      ///< uint8: the raw bytes every token decodes to
  TokenFlags,      ///< uint8 [tokenCount]: enum TokenFlag
  ByteIds,         ///< uint32 [256]: the token of a single byte, or noId (such a byte is dropped)
  VocabularySlots, ///< uint32 [2^k]: ids of the base vocabulary hashed by raw bytes, or noId
  MergeSlots,      ///< MergeSlot [2^k]: merges hashed by their pair
  AddedExact,      ///< AddedEntry: looked for in the text as given, sorted by content
  AddedNormalized, ///< AddedEntry: looked for in what is left after normalisation, sorted by
                   ///< content
  Stages,          ///< Stage: the pre-tokenizer
  PrefixIds,       ///< uint32: put before an encoded prompt on request
  SuffixIds,       ///< uint32: put behind
  Strings,         ///< uint8: what a StringRange points into
  SectionCount
};

enum TokenFlag : uint8_t { TokenPresent = 1, TokenAdded = 2, TokenSpecial = 4 };

enum TableFlag : uint32_t {
  IgnoreMerges = 1, ///< a whole word that is a token is taken without merging
};

enum AddedFlag : uint32_t {
  AddedSpecial = 1,
  AddedSingleWord = 2, ///< only between non-word characters
  AddedStripLeft = 4,  ///< swallows white space before it
  AddedStripRight = 8, ///< swallows white space behind it
};

enum class StageKind : uint32_t {
  Isolate,       ///< matches and what is between them become pieces
  RemoveMatches, ///< only what is between matches
  KeepMatches,   ///< only matches
  PrefixSpace,   ///< a piece that does not start with a space gets one
};

struct StringRange {
  uint32_t offset; ///< from the start of section Strings
  uint32_t bytes;
};

struct SectionRange {
  uint64_t offset; ///< from the start of the blob
  uint64_t bytes;
};

struct MergeSlot {
  uint32_t left, right; ///< noId, noId: empty
  uint32_t rank;        ///< lower merges first
  uint32_t merged;
};

struct AddedEntry {
  uint32_t id;
  uint32_t flags; ///< enum AddedFlag
  StringRange content;
};

struct Stage {
  StageKind kind;
  uint32_t reserved;   ///< 0
  StringRange pattern; ///< PCRE2 syntax; empty for PrefixSpace
};

struct TableHeader {
  char magic[8];
  uint32_t version;
  uint32_t sectionCount;
  uint64_t totalBytes;
  uint32_t tokenCount; ///< highest id + 1; ids may have holes
  uint32_t flags;      ///< enum TableFlag
  StringRange chatTemplate;
  StringRange bosToken, eosToken, padToken, unknownToken; ///< variables of the chat template
  SectionRange sections[SectionCount];
};

/// Slot of a pair before probing. Both factors are odd 64-bit constants of the usual multiplicative
/// hashes.
inline uint64_t hashPair(uint32_t left, uint32_t right) {
  uint64_t key = (uint64_t{left} << 32 | right) * 0x9e3779b97f4a7c15u;
  return (key ^ key >> 29) * 0xbf58476d1ce4e5b9u >> 32;
}

} // namespace glm::text

#endif
