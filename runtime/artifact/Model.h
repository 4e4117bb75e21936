// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The object behind glm_model: an artifact whose code is loaded and whose weights have addresses.
// Immutable after loading, so sessions share it. Everything but mapped files and copied weights
// lies in one block.
#ifndef GLM_RUNTIME_ARTIFACT_MODEL_H
#define GLM_RUNTIME_ARTIFACT_MODEL_H

#include "runtime/artifact/Artifact.h"
#include "runtime/core/Runtime.h"
#include "runtime/devices/cpu/CodeImage.h"
#include "runtime/schema/kernel_abi.h"

#include <span>

namespace glm::runtime {

/// Where a segment lies in memory.
struct SegmentMemory final {
  const uint8_t *data = nullptr;
  FileMapping external;
  void *copy = nullptr; // weights that were copied: of the segment's size
  CodeImage code;
};

/// The dims that the runtime itself sets, by their place in Program.dims; -1: the artifact has none
/// of that name.
struct KnownDims final {
  int rows = -1;
  int logitRows = -1;
  int maxRows = -1;
  int slots = -1;
  int context = -1;
  int keys = -1;
  int expandedKeys = -1;
  int expandedRows = -1;
  int fullRows = -1;
  int unmaskedKeys = -1;
};

} // namespace glm::runtime

struct glm_model {
  explicit glm_model(glm_runtime *runtime) : runtime(runtime) {}
  ~glm_model();

  const glm::schema::Program &program() const { return artifact.program(); }
  const uint8_t *weight(uint32_t index) const;
  int findEntry(const char *name) const;
  /// The code that runs here: of the level that was chosen, in the order of Program.kernels.
  const flatbuffers::Vector<flatbuffers::Offset<glm::schema::Kernel>> *code() const {
    return level ? level->kernels() : program().kernels();
  }

  glm_runtime *runtime;
  glm::runtime::Artifact artifact;
  const glm::schema::Level *level = nullptr; // null: what the program itself says
  const char *path = nullptr;
  std::span<glm::runtime::SegmentMemory> segments;
  std::span<glm_kernel> kernels;
  std::span<const uint64_t *> banks; // a table of slab addresses each
  glm::runtime::KnownDims dims;
  size_t blockSize = 0;
};

#endif
