// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/AttentionCosts.h"

#include <algorithm>

using namespace glm;

/// Sum of `min(limit, t)` over the keys `t` that the rows see.
static double seen(int64_t rows, int64_t keys, int64_t limit) {
  auto upTo = [&](int64_t t) -> double {
    int64_t whole = std::min(t, limit);
    return double(whole) * double(whole + 1) / 2 + double(t - whole) * double(limit);
  };
  return upTo(keys) - upTo(keys - rows);
}

double AttentionCosts::gathered(int64_t rows, int64_t keys) const {
  double attention = seen(rows, keys, topk) * double(2 * L + R) * 100.0 / double(gatheredSpeed);
  return attention + double(rows) * double((D + V) * L);
}

double AttentionCosts::expanded(int64_t rows, int64_t keys) const {
  return seen(rows, keys, keys) * double(D + R + V) + double(keys) * double((D + V) * L);
}

int64_t AttentionCosts::mostKeys(int64_t chunk, int64_t limit, int64_t block) const {
  // Of small models every number is looked at; the bound is a whole number of blocks all the same.
  int64_t most = 0, step = std::clamp<int64_t>(topk / 8, 1, block);
  for (int64_t keys = step; keys <= limit; keys += step)
    if (pays(std::min(chunk, keys), keys))
      most = keys;
  return std::min((most + block - 1) / block * block, limit);
}

int64_t AttentionCosts::fewestRows(int64_t keys) const {
  // With another row the expansion is shared by more: what pays once pays for all numbers above.
  int64_t low = 1, high = keys + 1;
  while (low < high) {
    int64_t rows = (low + high) / 2;
    if (pays(rows, keys))
      high = rows;
    else
      low = rows + 1;
  }
  return low;
}
