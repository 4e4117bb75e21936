// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-pair encoding of one word: always merge the neighbours whose merge ranks best, leftmost
// first. A heap of candidates over a linked list of symbols: O(n log n) in the length of the word,
// so that a megabyte without a space is no attack.
#ifndef GLM_RUNTIME_TEXT_BYTEPAIRS_H
#define GLM_RUNTIME_TEXT_BYTEPAIRS_H

#include "runtime/text/TableView.h"

#include <string_view>
#include <vector>

namespace glm::text {

/// Keeps its memory from word to word; one thread.
class BytePairs final {
public:
  explicit BytePairs(const TableView &tables) : tables(tables) {}

  /// Appends the tokens of `word` (fewer than 2^31 bytes) to `ids`.
  void encode(std::string_view word, std::vector<int32_t> &ids);

private:
  struct Symbol {
    uint32_t id;            // noId: merged into its left neighbour
    int32_t previous, next; // -1 at the ends
  };
  struct Candidate {
    uint32_t rank;
    int32_t left; // position of the left symbol
    uint32_t merged;
    bool operator<(const Candidate &other) const { // for a heap with the best on top
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };

  void consider(int32_t left);
  void merge(const Candidate &best);

  const TableView &tables;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
};

} // namespace glm::text

#endif
