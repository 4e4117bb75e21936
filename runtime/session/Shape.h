// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a session will be, known before it is: its sizes and where in its one block everything lies.
// Measuring and creating use the same plan, so they cannot disagree.
#ifndef GLM_RUNTIME_SESSION_SHAPE_H
#define GLM_RUNTIME_SESSION_SHAPE_H

#include "runtime/artifact/Model.h"
#include "runtime/core/Expression.h"
#include "runtime/session/Caches.h"

namespace glm::runtime {

/// How much an entry's plan holds.
struct PlanSize final {
  uint64_t instructions = 0;
  uint64_t words = 0;
  uint64_t patches = 0;   // words that change from step to step
  uint64_t decisions = 0; // values computed before a step runs: sides of branches, bytes of copies
  uint64_t launches = 0;

  void add(const schema::Program &program,
           const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands);
};

struct SessionShape final {
  int64_t bounds[maxDims] = {}; // value of a session dim, bound of a step dim
  CacheShape caches;
  uint64_t arenaBytes = 0; // largest of the entries'
  uint64_t handoffBytes = 0;
  uint64_t scratchStride = 0; // from worker to worker
  uint32_t workers = 0;
  bool profile = false;
  PlanSize plans;       // of all entries together
  uint64_t buffers = 0; // of all entries together
  uint64_t ports = 0;

  // offsets in the block
  uint64_t entriesAt = 0, instructionsAt = 0, wordsAt = 0, patchesAt = 0, decisionsAt = 0,
           valuesAt = 0, buffersAt = 0;
  uint64_t viewsAt = 0, handoffsAt = 0, timesAt = 0, nanosecondsAt = 0;
  Caches::Places tablesAt = {};
  uint64_t scratchAt = 0, arenaAt = 0, handoffMemoryAt = 0, cachesAt = 0;
  glm_memory_sizes sizes = {};

  /// Times of a launch lie in lines of their own.
  uint64_t timesStride() const { return alignUp(workers, 8); }

  bool plan(const glm_model &model, const glm_session_options &options, glm_status &status);

private:
  bool chooseDims(const glm_model &model, const glm_session_options &options, glm_status &status);
  bool setDim(const glm_model &model, int dim, const char *name, int64_t value, glm_status &status);
  bool chooseCaches(const glm_model &model, const glm_session_options &options, glm_status &status);
  bool measureEntries(const glm_model &model, glm_status &status);
  bool layOut(const glm_model &model, glm_status &status);
};

/// The value of a checked expression at the session's bounds; on failure names `kind` and `name`.
bool sizeAtBounds(const schema::Expr &expression, const int64_t *bounds, const char *kind,
                  const char *name, uint64_t &size, glm_status &status);

/// Bytes of one page of a state.
inline uint64_t pageBytes(const schema::State &state) {
  return uint64_t(state.row_bytes()) * state.page_rows();
}

} // namespace glm::runtime

#endif
