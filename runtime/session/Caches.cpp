// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/session/Caches.h"

#include <cinttypes>
#include <cstring>

namespace glm::runtime {

Caches::Places Caches::plan(const CacheShape &shape, Layout &layout) {
  Places places;
  uint64_t slots = uint64_t(shape.slots), pages = uint64_t(shape.pages);
  places.table = layout.take(slots * uint64_t(shape.pagesPerSlot), sizeof(int32_t), 64);
  places.lengths = layout.take(slots, sizeof(int64_t), 64);
  places.pending = layout.take(slots, sizeof(int64_t), 64);
  places.held = layout.take(slots, sizeof(int64_t), 64);
  places.references = layout.take(pages, sizeof(uint32_t), 64);
  places.free = layout.take(pages, sizeof(int32_t), 64);
  return places;
}

void Caches::place(const CacheShape &newShape, uint8_t *block, const Places &places) {
  shape = newShape;
  table = reinterpret_cast<int32_t *>(block + places.table);
  lengths = reinterpret_cast<int64_t *>(block + places.lengths);
  pending = reinterpret_cast<int64_t *>(block + places.pending);
  held = reinterpret_cast<int64_t *>(block + places.held);
  references = reinterpret_cast<uint32_t *>(block + places.references);
  freeList = reinterpret_cast<int32_t *>(block + places.free);
  memset(table, 0, size_t(shape.slots * shape.pagesPerSlot) * sizeof(int32_t));
  for (int64_t *array : {lengths, pending, held})
    memset(array, 0, size_t(shape.slots) * sizeof(int64_t));
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

bool Caches::admit(std::span<const glm_row> rows, int64_t vocabulary, bool appends,
                   glm_status &status) {
  memcpy(pending, lengths, size_t(shape.slots) * sizeof(int64_t));
  for (size_t i = 0; i < rows.size(); ++i) {
    const glm_row &row = rows[i];
    if (!hasSlot(row.slot))
      return fail(status, GLM_BAD_SLOT,
                  "row %zu: slot %d is not among the session's %" PRId64 "; create it with more", i,
                  row.slot, shape.slots);
    int64_t &reach = pending[row.slot];
    if (!checkRow(row, i, appends ? reach : -1, shape, vocabulary, status))
      return false;
    reach = row.position + 1 > reach ? row.position + 1 : reach;
  }
  return true;
}

bool Caches::admitLength(int32_t slot, int64_t length, glm_status &status) {
  if (!hasSlot(slot))
    return fail(status, GLM_BAD_SLOT, "slot %d: is not among the session's %" PRId64, slot,
                shape.slots);
  if (length < lengths[slot] || length > shape.context)
    return fail(status, GLM_BAD_POSITION,
                "slot %d: cannot become %" PRId64 " rows long, it has %" PRId64
                " and the context is %" PRId64,
                slot, length, lengths[slot], shape.context);
  memcpy(pending, lengths, size_t(shape.slots) * sizeof(int64_t));
  pending[slot] = length;
  return true;
}

bool Caches::reserve(glm_status &status) {
  int64_t wanted = 0;
  for (int64_t slot = 0; slot < shape.slots; ++slot) {
    int64_t more = pagesFor(pending[slot]) - held[slot];
    wanted += more > 0 ? more : 0;
  }
  if (wanted > freeCount)
    return fail(status, GLM_CACHE_FULL,
                "caches: %" PRId64 " more pages of %" PRId64 " rows are needed, %" PRId64
                " of %" PRId64
                " are free; release or truncate slots, or create the session with more pages",
                wanted, shape.pageRows, freeCount, shape.pages);
  for (int64_t slot = 0; slot < shape.slots; ++slot) {
    for (int64_t count = pagesFor(pending[slot]); held[slot] < count; ++held[slot]) {
      int32_t page = freeList[--freeCount];
      references[page] = 1;
      table[slot * shape.pagesPerSlot + held[slot]] = page;
    }
  }
  return true;
}

void Caches::commit(bool appends) {
  if (appends)
    memcpy(lengths, pending, size_t(shape.slots) * sizeof(int64_t));
}

// Frees from the highest on, so that the next pages taken are the same ones again.
void Caches::keepPages(int64_t slot, int64_t count) {
  while (held[slot] > count) {
    int32_t &entry = table[slot * shape.pagesPerSlot + --held[slot]];
    if (--references[entry] == 0)
      freeList[freeCount++] = entry;
    entry = 0;
  }
}

void Caches::rollBack() {
  for (int64_t slot = 0; slot < shape.slots; ++slot)
    if (pending[slot] > lengths[slot])
      keepPages(slot, pagesFor(lengths[slot]));
}

bool Caches::truncate(int32_t slot, int64_t length, glm_status &status) {
  if (!hasSlot(slot))
    return fail(status, GLM_BAD_SLOT, "slot %d: is not among the session's %" PRId64, slot,
                shape.slots);
  if (length < 0 || length > lengths[slot])
    return fail(status, GLM_BAD_POSITION,
                "slot %d: cannot be cut to %" PRId64 " rows, it has %" PRId64, slot, length,
                lengths[slot]);
  lengths[slot] = length;
  keepPages(slot, pagesFor(length));
  return true;
}

} // namespace glm::runtime
