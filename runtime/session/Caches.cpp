// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/session/Caches.h"

#include <cinttypes>
#include <cstring>

namespace glm::runtime {

Caches::Places Caches::plan(const CacheShape &shape, Layout &layout) {
  Places places;
  uint64_t slots = uint64_t(shape.slots), pages = uint64_t(shape.pages);
  places.table = layout.take(slots * uint64_t(shape.pagesPerSlot), sizeof(int32_t), 64);
  places.slots = layout.take(slots, sizeof(Slot), 64);
  places.references = layout.take(pages, sizeof(uint32_t), 64);
  places.free = layout.take(pages, sizeof(int32_t), 64);
  return places;
}

void Caches::place(const CacheShape &newShape, uint8_t *block, const Places &places,
                   PageCopy pageCopy) {
  shape = newShape;
  copy = pageCopy;
  table = reinterpret_cast<int32_t *>(block + places.table);
  slots = reinterpret_cast<Slot *>(block + places.slots);
  references = reinterpret_cast<uint32_t *>(block + places.references);
  freeList = reinterpret_cast<int32_t *>(block + places.free);
  memset(table, 0, size_t(shape.slots * shape.pagesPerSlot) * sizeof(int32_t));
  memset(slots, 0, size_t(shape.slots) * sizeof(Slot));
  memset(references, 0, size_t(shape.pages) * sizeof(uint32_t));
  freeCount = shape.pages;
  for (int64_t i = 0; i < shape.pages; ++i) // the lowest page on top
    freeList[i] = int32_t(shape.pages - 1 - i);
}

static bool checkRow(const glm_row &row, size_t index, int64_t expected, const CacheShape &shape,
                     int64_t vocabulary, glm_status &status) {
  if (row.token < 0 || row.token >= vocabulary)
    return fail(status, GLM_BAD_TOKEN, "row %zu: token %d is not in the vocabulary of %" PRId64,
                index, row.token, vocabulary);
  if (expected >= 0 && row.position != expected)
    return fail(status, GLM_BAD_POSITION,
                "row %zu: position %d, but the next position of slot %d is %" PRId64
                "; give rows in order, or truncate",
                index, row.position, row.slot, expected);
  if (row.position < 0 || row.position >= shape.context)
    return fail(status, GLM_BAD_POSITION,
                "row %zu: position %d is not below the session's context of %" PRId64
                "; create it with a larger one",
                index, row.position, shape.context);
  return true;
}

bool Caches::checkSlot(int32_t slot, glm_status &status) const {
  return hasSlot(slot) ||
         fail(status, GLM_BAD_SLOT,
              "slot %d: is not among the session's %" PRId64 "; create it with more", slot,
              shape.slots);
}

bool Caches::checkEmpty(int32_t slot, glm_status &status) const {
  return checkSlot(slot, status) &&
         (slots[slot].length == 0 ||
          fail(status, GLM_BAD_SLOT,
               "slot %d: holds %" PRId64 " rows and must be empty; release it, or take another",
               slot, slots[slot].length));
}

void Caches::admitNothing() {
  for (int64_t slot = 0; slot < shape.slots; ++slot)
    slots[slot].end = 0;
}

bool Caches::admit(std::span<const glm_row> rows, int64_t vocabulary, bool appends,
                   glm_status &status) {
  admitNothing();
  for (size_t i = 0; i < rows.size(); ++i) {
    const glm_row &row = rows[i];
    if (!checkSlot(row.slot, status))
      return false;
    Slot &slot = slots[row.slot];
    int64_t expected = !appends ? -1 : slot.end ? slot.end : slot.length;
    if (!checkRow(row, i, expected, shape, vocabulary, status))
      return false;
    if (!slot.end || row.position < slot.begin)
      slot.begin = row.position;
    if (row.position >= slot.end)
      slot.end = row.position + 1;
  }
  return true;
}

bool Caches::admitLength(int32_t slot, int64_t length, glm_status &status) {
  if (!checkSlot(slot, status))
    return false;
  if (length < slots[slot].length || length > shape.context)
    return fail(status, GLM_BAD_POSITION,
                "slot %d: cannot become %" PRId64 " rows long, it has %" PRId64
                " and the context is %" PRId64,
                slot, length, slots[slot].length, shape.context);
  admitNothing();
  slots[slot].begin = slots[slot].length;
  slots[slot].end = length;
  return true;
}

int32_t Caches::takePage() {
  int32_t page = freeList[--freeCount];
  references[page] = 1;
  return page;
}

// Pages that a slot of the batch lacks: what it grows by, and copies of shared ones that it writes.
// Slots that write the same page count one copy too many, which leaves a page free.
int64_t Caches::newPages(int64_t slot, bool take) {
  int64_t count = 0, last = pagesFor(slots[slot].end);
  for (int64_t i = slots[slot].end ? slots[slot].begin / shape.pageRows : 0;
       i < last && i < slots[slot].held; ++i) {
    int32_t &page = tableOf(slot)[i];
    if (references[page] == 1)
      continue;
    ++count;
    if (!take)
      continue;
    int32_t own = takePage();
    int64_t rows = slots[slot].length - i * shape.pageRows;
    copy.call(copy.context, page, own, rows < shape.pageRows ? rows : shape.pageRows);
    --references[page];
    page = own;
  }
  if (last > slots[slot].held)
    count += last - slots[slot].held;
  for (; take && slots[slot].held < last; ++slots[slot].held)
    tableOf(slot)[slots[slot].held] = takePage();
  return count;
}

bool Caches::enoughPages(int64_t wanted, int64_t available, glm_status &status) const {
  return wanted <= available ||
         fail(status, GLM_CACHE_FULL,
              "caches: %" PRId64 " more pages of %" PRId64 " rows are needed, %" PRId64
              " of %" PRId64
              " are free; release or truncate slots, or create the session with more pages",
              wanted, shape.pageRows, available, shape.pages);
}

bool Caches::reserve(glm_status &status) {
  int64_t wanted = 0;
  for (int64_t slot = 0; slot < shape.slots; ++slot)
    wanted += newPages(slot, /*take=*/false);
  if (!enoughPages(wanted, freeCount, status))
    return false;
  for (int64_t slot = 0; slot < shape.slots; ++slot)
    newPages(slot, /*take=*/true);
  return true;
}

void Caches::commit(bool appends) {
  for (int64_t slot = 0; appends && slot < shape.slots; ++slot)
    slots[slot].length = slots[slot].end ? slots[slot].end : slots[slot].length;
}

// Frees from the highest on, so that the next pages taken are the same ones again.
void Caches::keepPages(int64_t slot, int64_t count) {
  while (slots[slot].held > count) {
    int32_t &entry = tableOf(slot)[--slots[slot].held];
    if (--references[entry] == 0)
      freeList[freeCount++] = entry;
    entry = 0;
  }
}

void Caches::rollBack() {
  for (int64_t slot = 0; slot < shape.slots; ++slot)
    if (slots[slot].end > slots[slot].length)
      keepPages(slot, pagesFor(slots[slot].length));
}

bool Caches::truncate(int32_t slot, int64_t length, glm_status &status) {
  if (!checkSlot(slot, status))
    return false;
  if (length < 0 || length > slots[slot].length)
    return fail(status, GLM_BAD_POSITION,
                "slot %d: cannot be cut to %" PRId64 " rows, it has %" PRId64, slot, length,
                slots[slot].length);
  slots[slot].length = length;
  keepPages(slot, pagesFor(length));
  return true;
}

bool Caches::branch(int32_t from, int32_t to, int64_t length, glm_status &status) {
  if (!checkSlot(from, status) || !checkEmpty(to, status))
    return false;
  if (length < 0 || length > slots[from].length)
    return fail(status, GLM_BAD_POSITION,
                "slot %d: cannot give %" PRId64 " rows to slot %d, it has %" PRId64, from, length,
                to, slots[from].length);
  int64_t whole = length / shape.pageRows, rest = length % shape.pageRows;
  // An empty slot may hold pages of rows that never counted; nobody shares those.
  if (!enoughPages(rest != 0, freeCount + slots[to].held, status))
    return false;
  keepPages(to, 0);
  for (; slots[to].held < whole; ++slots[to].held) {
    int32_t page = tableOf(to)[slots[to].held] = tableOf(from)[slots[to].held];
    ++references[page];
  }
  if (rest) {
    int32_t page = tableOf(to)[slots[to].held++] = takePage();
    copy.call(copy.context, tableOf(from)[whole], page, rest);
  }
  slots[to].length = length;
  return true;
}

} // namespace glm::runtime
