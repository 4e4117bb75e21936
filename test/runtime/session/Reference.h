// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the toy must compute, from its definition: the logits of a row are the dot products of the
// sum of all embeddings of its slot so far with every embedding, and a number of a bank.
#ifndef GLM_TEST_RUNTIME_SESSION_REFERENCE_H
#define GLM_TEST_RUNTIME_SESSION_REFERENCE_H

#include "test/runtime/fixture/Toy.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace toy {

inline std::vector<float> referenceSum(const std::vector<int32_t> &tokens) {
  std::vector<float> sum(width);
  for (int32_t token : tokens)
    for (int c = 0; c < width; ++c)
      sum[size_t(c)] += embedding(token, c);
  return sum;
}

inline std::vector<float> referenceLogits(const std::vector<int32_t> &tokens) {
  std::vector<float> sum = referenceSum(tokens), logits;
  for (int v = 0; v < vocabulary; ++v) {
    float value = slabValue(v % 2);
    for (int c = 0; c < width; ++c)
      value += sum[size_t(c)] * embedding(v, c);
    logits.push_back(value);
  }
  return logits;
}

inline std::vector<float> floats(const glm_session *session, const char *name, int64_t row = 0) {
  glm_tensor tensor;
  glm_status status = glm_session_output(session, name, &tensor);
  EXPECT_EQ(status.code, GLM_OK) << status.message;
  if (status.code != GLM_OK || row >= tensor.shape[0])
    return {};
  auto *data = static_cast<const float *>(tensor.data) + row * tensor.shape[1];
  return {data, data + tensor.shape[1]};
}

/// `count` tokens, counted up from `first`.
inline std::vector<int32_t> tokensFrom(int32_t first, size_t count) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = (first + int32_t(i)) % vocabulary;
  return tokens;
}

/// Runs tokens of one slot from `position` on, wanting the last one's logits.
inline glm_status feed(glm_session *session, int32_t slot, const std::vector<int32_t> &tokens,
                       int32_t position) {
  std::vector<glm_row> rows;
  for (size_t i = 0; i < tokens.size(); ++i)
    rows.push_back({tokens[i], slot, position + int32_t(i), 0});
  int32_t last = int32_t(tokens.size()) - 1;
  return glm_session_step(session, rows.data(), rows.size(), &last, 1);
}

/// Runs the tokens from number `from` on, five at a time.
inline void feedAll(glm_session *session, int32_t slot, const std::vector<int32_t> &tokens,
                    size_t from = 0) {
  for (size_t i = from; i < tokens.size(); i += 5) {
    std::vector<int32_t> part(tokens.begin() + long(i),
                              tokens.begin() + long(std::min(i + 5, tokens.size())));
    glm_status status = feed(session, slot, part, int32_t(i));
    ASSERT_EQ(status.code, GLM_OK) << status.message;
  }
}

/// Feeds one more token to a slot that holds `tokens`, and checks what both caches then add up to.
inline void goOn(glm_session *session, int32_t slot, std::vector<int32_t> &tokens, int32_t token) {
  glm_status status = feed(session, slot, {token}, int32_t(tokens.size()));
  ASSERT_EQ(status.code, GLM_OK) << status.message;
  tokens.push_back(token);
  EXPECT_EQ(floats(session, "sums"), referenceSum(tokens));
  EXPECT_EQ(floats(session, "line_sums"), referenceSum(tokens));
}

} // namespace toy

#endif
