// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact that test/e2e/compile.py compiled, loaded; and steps that give their logits by row.
#ifndef GLM_TEST_E2E_SESSION_ARTIFACT_H
#define GLM_TEST_E2E_SESSION_ARTIFACT_H

#include "glm/glm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace glm::e2e {

using Row = std::vector<float>;
using Batch = std::vector<glm_row>;

inline void expectOk(const Status &status) { ASSERT_TRUE(status) << status.message(); }

struct Artifact {
  explicit Artifact(const std::string &name, int32_t threads = 1) {
    expectOk(Runtime::create({.threads = threads}, runtime));
    expectOk(Model::load(runtime, (std::string(GLM_ARTIFACTS "/") + name).c_str(), {}, model));
  }
  Session open(const glm_session_options &options) const {
    Session session;
    expectOk(Session::create(model, options, session));
    return session;
  }
  Runtime runtime;
  Model model;
};

/// An f32 output of the latest call, by row.
inline std::vector<Row> rowsOf(const Session &session, const char *name) {
  glm_tensor tensor = {};
  expectOk(session.output(name, tensor));
  auto values = elements<float>(tensor, GLM_F32);
  auto width = size_t(tensor.shape[1]);
  std::vector<Row> rows;
  for (size_t i = 0; i + width <= values.size(); i += width)
    rows.emplace_back(values.begin() + long(i), values.begin() + long(i + width));
  return rows;
}

/// Runs a step; the logits of all its rows.
inline std::vector<Row> step(Session &session, const Batch &batch) {
  std::vector<int32_t> all(batch.size());
  std::iota(all.begin(), all.end(), 0);
  expectOk(session.step(batch, all));
  return rowsOf(session, "logits");
}

/// The token of a made-up text at a position.
inline int32_t tokenOf(int32_t text, int32_t position) {
  return (text * 131 + position * (position * 7 + 3)) % 690;
}

/// Rows [first, first + count) of a text, for a slot.
inline Batch rowsOf(int32_t text, int32_t slot, int32_t first, int32_t count) {
  Batch batch;
  for (int32_t position = first; position < first + count; ++position)
    batch.push_back({tokenOf(text, position), slot, position, 0});
  return batch;
}

inline float worstDifference(const Row &a, const Row &b) {
  float worst = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

inline std::string testName(const testing::TestParamInfo<const char *> &info) {
  std::string name(info.param, std::string(info.param).find('.'));
  for (char &c : name)
    c = c == '-' ? '_' : c;
  return name;
}

} // namespace glm::e2e

#endif
