// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that select, and what they must select.
#ifndef GLM_TEST_TARGETS_CPU_SELECTION_H
#define GLM_TEST_TARGETS_CPU_SELECTION_H

#include "KernelRunner.h"

#include <algorithm>

namespace glm::test {

/// Positions of the `kept` largest scores, equal ones in favour of the lower, ascending, then -1.
inline std::vector<int32_t> best(const std::vector<float> &scores, size_t kept) {
  std::vector<int32_t> ids(scores.size());
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = int32_t(i);
  std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  });
  ids.resize(std::min(kept, ids.size()));
  std::sort(ids.begin(), ids.end());
  ids.resize(kept, -1);
  return ids;
}

/// `top(x [n, T], ids [n, K])`: the K best of T scores in memory, one row a unit.
inline std::string topOfGiven(int64_t T, int64_t K) {
  constexpr const char *text = R"(
kernel.func @top(%x: !kernel.buffer<?x$Txf32>, %ids: !kernel.buffer<?x$Kxi32>) {
  %c0 = arith.constant 0 : index
  %count = arith.constant $T : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x$Txf32>
  kernel.parallel (%i) to (%n) step [1] {
    %best = kernel.top_k (%t) from %c0 to %count step 16 -> !kernel.tile<1x$Kxi32> {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x$Txf32> -> !kernel.tile<1x16xf32>
      kernel.yield %s : !kernel.tile<1x16xf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<1x$Kxi32>, !kernel.buffer<?x$Kxi32>
  }
  kernel.return
})";
  return fill(text, {{"T", std::to_string(T)}, {"K", std::to_string(K)}});
}

} // namespace glm::test

#endif
