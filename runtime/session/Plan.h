// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry made ready to run: a flat list of instructions whose arguments are already addresses.
// Only sizes of the step are written before each run; workers then read the list and nothing of the
// flatbuffer.
#ifndef GLM_RUNTIME_SESSION_PLAN_H
#define GLM_RUNTIME_SESSION_PLAN_H

#include "runtime/session/Shape.h"

namespace glm::runtime {

struct Instruction final {
  enum class Kind : uint32_t { launch, barrier, copy, branch, jump };

  Kind kind;
  uint32_t target; // launch: its number in the profile; branch: where `otherwise` begins; jump:
                   // where to go on
  uint32_t value;  // branch, copy: which of the plan's values
  union {
    glm_kernel kernel;
    uint8_t *destination;
  };
  union {
    const uint64_t *arguments;
    const uint8_t *source;
  };
};

/// What a value of a step is computed from: left < right, or (right null) bytes, at most `limit`.
struct Decision final {
  const schema::Expr *left;
  const schema::Expr *right;
  uint64_t unit; // bits of what `left` counts
  uint64_t limit;
};

struct Patch final {
  uint32_t dim;
  uint32_t word;
};

struct PlacedBuffer final {
  uint64_t offset; // in the arena
  uint64_t size;
};

struct EntryPlan final {
  const schema::Entry *entry;
  std::span<Instruction> instructions;
  std::span<uint64_t> words;
  std::span<Patch> patches;
  std::span<Decision> decisions;
  std::span<uint64_t> values; // one for each decision
  std::span<PlacedBuffer> buffers;
  uint32_t firstLaunch; // number in the profile

  /// Computes the values for a step of these dims; changes nothing else. Null, or what went wrong.
  const char *decide(const int64_t *dims) const;
  void patch(const int64_t *dims) const {
    for (const Patch &place : patches)
      words[place.word] = uint64_t(dims[place.dim]);
  }
};

/// What arguments are made of.
struct Addresses final {
  const glm_model &model;
  const int64_t *bounds;
  uint8_t *arena;
  const glm_cache_view *views; // by state
  uint8_t *const *handoffs;
};

/// Writes a plan into the spans that `plan` brings along, each as long as PlanSize said.
bool buildPlan(EntryPlan &plan, const Addresses &addresses, glm_status &status);

/// Evaluates offsets and sizes of an entry's buffers and checks them against its arena, ports and
/// kernels.
bool placeBuffers(const glm_model &model, const schema::Entry &entry, const int64_t *bounds,
                  std::span<PlacedBuffer> buffers, glm_status &status);

} // namespace glm::runtime

#endif
