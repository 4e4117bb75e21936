// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/BytePairs.h"

#include <algorithm>

using namespace glm::text;

void BytePairs::consider(int32_t left) {
  if (left < 0 || symbols[left].next < 0)
    return;
  if (const MergeSlot *slot = tables.findMerge(symbols[left].id, symbols[symbols[left].next].id)) {
    heap.push_back({slot->rank, left, slot->merged});
    std::push_heap(heap.begin(), heap.end());
  }
}

// A candidate is stale when one of its symbols was merged meanwhile; it counts as long as the pair
// that stands there now gives the same token, which is how the reference decides.
void BytePairs::merge(const Candidate &best) {
  Symbol &left = symbols[best.left];
  if (left.id == noId || left.next < 0)
    return;
  Symbol &right = symbols[left.next];
  const MergeSlot *slot = tables.findMerge(left.id, right.id);
  if (!slot || slot->merged != best.merged)
    return;
  left.id = best.merged;
  left.next = right.next;
  right.id = noId;
  if (left.next >= 0)
    symbols[left.next].previous = best.left;
  consider(left.previous);
  consider(best.left);
}

void BytePairs::encode(std::string_view word, std::vector<int32_t> &ids) {
  if (tables.ignoreMerges()) {
    if (uint32_t id = tables.findToken(word); id != noId) {
      ids.push_back(int32_t(id));
      return;
    }
  }
  symbols.clear();
  heap.clear();
  for (char byte : word)
    if (uint32_t id = tables.byteId(uint8_t(byte)); id != noId)
      symbols.push_back({id, int32_t(symbols.size()) - 1, int32_t(symbols.size()) + 1});
  if (symbols.empty())
    return;
  symbols.back().next = -1;
  for (size_t i = 0; i + 1 < symbols.size(); ++i)
    consider(int32_t(i));
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    Candidate best = heap.back();
    heap.pop_back();
    merge(best);
  }
  for (int32_t i = 0; i >= 0; i = symbols[i].next)
    ids.push_back(int32_t(symbols[i].id));
}
