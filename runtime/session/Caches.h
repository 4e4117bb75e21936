// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which rows of the caches belong to which slot. Memory of every cache is cut into pages of
// `pageRows` rows; a page number means the same rows in all of them, so one table of page numbers
// for each slot serves every cache and this class never sees their memory. Pages carry a count of
// the slots that use them: branches share pages, and a slot that writes into a shared one gets a
// copy of it first.
//
// A batch goes through admit (checks, changes nothing), reserve (takes pages, all or none) and then
// commit or rollBack.
#ifndef GLM_RUNTIME_SESSION_CACHES_H
#define GLM_RUNTIME_SESSION_CACHES_H

#include "runtime/core/Memory.h"
#include "runtime/core/Status.h"

#include <span>

namespace glm::runtime {

struct CacheShape final {
  int64_t slots = 0;
  int64_t context = 0; // most rows of a slot
  int64_t pageRows = 1;
  int64_t pagesPerSlot = 0; // entries of a slot's table
  int64_t pages = 0;        // that all slots share
};

/// Copies the first `rows` rows of a page of every cache to another page.
struct PageCopy final {
  void (*call)(void *context, int32_t source, int32_t destination, int64_t rows);
  void *context;
};

class Caches final {
public:
  /// Where the tables lie in a block.
  struct Places final {
    uint64_t table, slots, references, free;
  };
  static Places plan(const CacheShape &shape, Layout &layout);
  void place(const CacheShape &shape, uint8_t *block, const Places &places, PageCopy copy);

  /// Checks slots, tokens and positions. `appends`: a row's position is its slot's length, counted
  /// on; otherwise any position below the context is right.
  bool admit(std::span<const glm_row> rows, int64_t vocabulary, bool appends, glm_status &status);
  /// Gives every slot of the admitted batch the pages it needs, and its own copies of the shared
  /// ones from its first row to its last; false, with nothing taken, when there are too few.
  bool reserve(glm_status &status);
  /// `appends`: the slots become longer, or keep their length and their new pages.
  void commit(bool appends);
  /// Gives back what reserve took.
  void rollBack();

  /// Asks for `length` rows in one slot as a batch would; reserve and commit follow.
  bool admitLength(int32_t slot, int64_t length, glm_status &status);
  bool truncate(int32_t slot, int64_t length, glm_status &status);
  /// Makes the empty slot `to` a continuation of the first `length` rows of `from`.
  bool branch(int32_t from, int32_t to, int64_t length, glm_status &status);
  bool checkSlot(int32_t slot, glm_status &status) const;
  bool checkEmpty(int32_t slot, glm_status &status) const;

  bool hasSlot(int32_t slot) const { return slot >= 0 && slot < shape.slots; }
  int64_t length(int32_t slot) const { return slots[slot].length; }
  int64_t freePages() const { return freeCount; }
  const int32_t *pages() const { return table; }
  int32_t pageOf(int32_t slot, int64_t position) const {
    return table[slot * shape.pagesPerSlot + position / shape.pageRows];
  }
  const CacheShape &form() const { return shape; }

private:
  struct Slot {
    int64_t length; // rows
    int64_t held;   // pages
    int64_t begin;  // lowest position that the admitted batch writes
    int64_t end;    // and the one behind its highest; 0: it writes none
  };

  int64_t pagesFor(int64_t rows) const { return (rows + shape.pageRows - 1) / shape.pageRows; }
  int32_t *tableOf(int64_t slot) const { return table + slot * shape.pagesPerSlot; }
  void admitNothing();
  void keepPages(int64_t slot, int64_t count);
  int32_t takePage();
  int64_t newPages(int64_t slot, bool take);
  bool enoughPages(int64_t wanted, int64_t available, glm_status &status) const;

  CacheShape shape;
  PageCopy copy = {};
  int32_t *table =
      nullptr; // [slots, pagesPerSlot]; behind what a slot holds: page 0, harmless to touch
  Slot *slots = nullptr;          // [slots]
  uint32_t *references = nullptr; // [pages] slots that use a page
  int32_t *freeList = nullptr;    // [pages] a stack
  int64_t freeCount = 0;
};

} // namespace glm::runtime

#endif
