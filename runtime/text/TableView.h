// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A verified, read-only look at tokenizer tables (TableLayout.h). Owns nothing: the blob must
// outlive it. Any number of threads may use one.
#ifndef GLM_RUNTIME_TEXT_TABLEVIEW_H
#define GLM_RUNTIME_TEXT_TABLEVIEW_H

#include "runtime/text/TableLayout.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace glm::text {

class TableView final {
public:
  /// Checks everything that later code relies on, in one pass over the blob (about 3 ms for 321,649
  /// merges); throws Format with the section at fault. `blob` must start at a multiple of 8 bytes.
  static TableView verify(std::span<const std::byte> blob);

  uint32_t tokenCount() const { return header->tokenCount; }
  bool ignoreMerges() const { return header->flags & IgnoreMerges; }
  uint8_t tokenFlags(uint32_t id) const { return flags[id]; }
  std::string_view tokenBytes(uint32_t id) const {
    return bytes.substr(offsets[id], offsets[id + 1] - offsets[id]);
  }
  uint32_t byteId(uint8_t byte) const { return byteIds[byte]; }

  /// The base token whose bytes are `word`, or noId.
  uint32_t findToken(std::string_view word) const;

  /// What two neighbours merge to, or null.
  const MergeSlot *findMerge(uint32_t left, uint32_t right) const {
    size_t mask = merges.size() - 1;
    for (size_t slot = hashPair(left, right) & mask;; slot = (slot + 1) & mask) {
      const MergeSlot &merge = merges[slot];
      if (merge.left == left && merge.right == right)
        return &merge;
      if (merge.left == noId)
        return nullptr;
    }
  }

  std::span<const AddedEntry> addedTokens(bool normalized) const {
    return normalized ? addedNormalized : addedExact;
  }
  std::span<const Stage> stages() const { return stageList; }
  std::span<const uint32_t> prefixIds() const { return prefix; }
  std::span<const uint32_t> suffixIds() const { return suffix; }
  std::string_view string(StringRange range) const {
    return strings.substr(range.offset, range.bytes);
  }
  std::string_view chatTemplate() const { return string(header->chatTemplate); }
  std::string_view bosToken() const { return string(header->bosToken); }
  std::string_view eosToken() const { return string(header->eosToken); }
  std::string_view padToken() const { return string(header->padToken); }
  std::string_view unknownToken() const { return string(header->unknownToken); }

private:
  friend class TableVerifier;

  const TableHeader *header = nullptr;
  std::span<const uint32_t> offsets;
  std::string_view bytes;
  std::span<const uint8_t> flags;
  std::span<const uint32_t> byteIds;
  std::span<const uint32_t> vocabulary;
  std::span<const MergeSlot> merges;
  std::span<const AddedEntry> addedExact, addedNormalized;
  std::span<const Stage> stageList;
  std::span<const uint32_t> prefix, suffix;
  std::string_view strings;
};

} // namespace glm::text

#endif
