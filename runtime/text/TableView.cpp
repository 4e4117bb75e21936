// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/TableView.h"
#include "runtime/text/Error.h"
#include "runtime/text/VocabularyHash.h"

#include <algorithm>
#include <cstring>
#include <string>

using namespace glm::text;

namespace {

[[noreturn]] void reject(const std::string &what) {
  throw Error(ErrorKind::Format, "tokenizer tables: " + what);
}

void require(bool condition, const char *what) {
  if (!condition)
    reject(what);
}

} // namespace

namespace glm::text {

/// Fills a TableView section by section; each step relies only on what the steps before it checked.
class TableVerifier final {
public:
  explicit TableVerifier(std::span<const std::byte> blob) : blob(blob) {}

  TableView run() {
    checkHeader();
    readSections();
    checkTokens();
    checkIds(view.byteIds, "byte ids", /*mayBeAbsent=*/true);
    checkIds(view.prefix, "prefix ids", /*mayBeAbsent=*/false);
    checkIds(view.suffix, "suffix ids", /*mayBeAbsent=*/false);
    checkVocabulary();
    checkMerges();
    for (StringRange range :
         {view.header->chatTemplate, view.header->bosToken, view.header->eosToken,
          view.header->padToken, view.header->unknownToken})
      checkString(range, "a string of the header");
    checkAdded(view.addedExact);
    checkAdded(view.addedNormalized);
    checkStages();
    return view;
  }

private:
  void checkHeader() {
    require(reinterpret_cast<uintptr_t>(blob.data()) % 8 == 0, "not aligned to 8 bytes");
    require(blob.size() >= sizeof(TableHeader), "shorter than their header");
    view.header = reinterpret_cast<const TableHeader *>(blob.data());
    require(std::memcmp(view.header->magic, tableMagic, sizeof tableMagic) == 0,
            "the magic number is wrong");
    if (view.header->version != tableVersion)
      reject("version " + std::to_string(view.header->version) + ", this library reads version " +
             std::to_string(tableVersion) + "; compile the checkpoint again");
    require(view.header->sectionCount == SectionCount, "another number of sections");
    require(view.header->totalBytes == blob.size(), "another size than their header says");
  }

  template <typename T> std::span<const T> section(Section index) const {
    SectionRange range = view.header->sections[index];
    require(range.offset % 8 == 0 && range.offset >= sizeof(TableHeader) &&
                range.offset <= blob.size() && range.bytes <= blob.size() - range.offset &&
                range.bytes % sizeof(T) == 0,
            "a section is out of range");
    return {reinterpret_cast<const T *>(blob.data() + range.offset), range.bytes / sizeof(T)};
  }

  std::string_view text(Section index) const {
    std::span<const char> bytes = section<char>(index);
    return {bytes.data(), bytes.size()};
  }

  void readSections() {
    view.offsets = section<uint32_t>(TokenOffsets);
    view.bytes = text(TokenBytes);
    view.flags = section<uint8_t>(TokenFlags);
    view.byteIds = section<uint32_t>(ByteIds);
    view.vocabulary = section<uint32_t>(VocabularySlots);
    view.merges = section<MergeSlot>(MergeSlots);
    view.addedExact = section<AddedEntry>(AddedExact);
    view.addedNormalized = section<AddedEntry>(AddedNormalized);
    view.stageList = section<Stage>(Stages);
    view.prefix = section<uint32_t>(PrefixIds);
    view.suffix = section<uint32_t>(SuffixIds);
    view.strings = text(Strings);
  }

  void checkTokens() const {
    uint32_t count = view.header->tokenCount;
    require(count <= 0x7fffffffu, "too many tokens");
    require(view.flags.size() == count && view.offsets.size() == size_t{count} + 1 &&
                view.byteIds.size() == 256,
            "a section does not fit the number of tokens");
    require(view.offsets.front() == 0 && view.offsets.back() == view.bytes.size() &&
                std::is_sorted(view.offsets.begin(), view.offsets.end()),
            "token offsets are not ascending");
  }

  void checkIds(std::span<const uint32_t> ids, const char *what, bool mayBeAbsent) const {
    for (uint32_t id : ids)
      if (id >= view.header->tokenCount && !(mayBeAbsent && id == noId))
        reject(std::string(what) + ": id " + std::to_string(id) + " is out of range");
  }

  void checkVocabulary() const {
    require(std::has_single_bit(view.vocabulary.size()), "vocabulary: not a power of two");
    checkIds(view.vocabulary, "vocabulary", /*mayBeAbsent=*/true);
    require(std::find(view.vocabulary.begin(), view.vocabulary.end(), noId) !=
                view.vocabulary.end(),
            "vocabulary: no empty slot");
  }

  void checkMerges() const {
    require(std::has_single_bit(view.merges.size()), "merges: not a power of two");
    uint32_t count = view.header->tokenCount;
    bool valid = true, empty = false;
    for (const MergeSlot &merge : view.merges) {
      bool isEmpty = merge.left == noId;
      empty |= isEmpty;
      valid &= isEmpty | ((merge.left < count) & (merge.right < count) & (merge.merged < count));
    }
    require(valid, "merges: an id is out of range");
    require(empty, "merges: no empty slot");
  }

  void checkString(StringRange range, const char *what) const {
    if (range.offset > view.strings.size() || range.bytes > view.strings.size() - range.offset)
      reject(std::string(what) + " is out of range");
  }

  void checkAdded(std::span<const AddedEntry> entries) const {
    std::string_view previous;
    for (const AddedEntry &entry : entries) {
      require(entry.id < view.header->tokenCount, "added tokens: an id is out of range");
      checkString(entry.content, "added tokens: a content");
      std::string_view content = view.string(entry.content);
      require(previous < content, "added tokens: not sorted");
      previous = content;
    }
  }

  void checkStages() const {
    for (const Stage &stage : view.stageList) {
      require(stage.kind <= StageKind::PrefixSpace, "stages: unknown kind");
      checkString(stage.pattern, "stages: a pattern");
    }
  }

  std::span<const std::byte> blob;
  TableView view;
};

} // namespace glm::text

TableView TableView::verify(std::span<const std::byte> blob) { return TableVerifier(blob).run(); }

uint32_t TableView::findToken(std::string_view word) const {
  size_t mask = vocabulary.size() - 1;
  for (size_t slot = hashBytes(word) & mask;; slot = (slot + 1) & mask) {
    uint32_t id = vocabulary[slot];
    if (id == noId || tokenBytes(id) == word)
      return id;
  }
}
