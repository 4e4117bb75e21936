// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The object behind glm_session. It begins the session's one block; everything it points to but the
// model lies in the same block, so destroying it is one release.
#ifndef GLM_RUNTIME_SESSION_SESSION_H
#define GLM_RUNTIME_SESSION_SESSION_H

#include "runtime/session/Plan.h"

struct glm_session {
  explicit glm_session(glm_model *model) : model(model) {}

  glm_model *model;
  glm::runtime::SessionShape shape;
  glm::runtime::Caches caches;
  std::span<glm::runtime::EntryPlan> plans; // by entry
  std::span<glm_cache_view> views;          // by state
  std::span<uint8_t *> handoffs;
  std::span<glm_launch_times> times; // empty without profile
  uint8_t *scratch = nullptr;
  uint8_t *arena = nullptr;
  int stepEntry = -1; // number of the entry `step`

  int latest = -1;                          // entry whose outputs are in the arena
  int64_t dims[glm::runtime::maxDims] = {}; // of the latest run
  std::atomic<uint32_t> cancelled{0};

  uint64_t *nanoseconds(uint32_t launch) const {
    return const_cast<uint64_t *>(times[launch].nanoseconds);
  }
};

namespace glm::runtime {

/// Runs the plan of entry `number` on the pool, sizes and inputs being in place.
void execute(glm_session &session, uint32_t number);

} // namespace glm::runtime

#endif
