// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A verified artifact: once `open` has succeeded, every index, offset, size and expression of the
// program is in range and may be used without another check. Weights are not hashed and code is not
// loaded here, so a tool can look at an artifact that this machine cannot run.
#ifndef GLM_RUNTIME_ARTIFACT_ARTIFACT_H
#define GLM_RUNTIME_ARTIFACT_ARTIFACT_H

#include "runtime/artifact/FileMapping.h"
#include "runtime/artifact/Hash.h"
#include "runtime/artifact/Program.h"
#include "runtime/schema/container.h"

namespace glm::runtime {

class Artifact final {
public:
  /// Maps the file; checks header, size, hash and structure of the program, and the hashes of code
  /// and tokenizers.
  bool open(const char *path, glm_status &status);

  const schema::Program &program() const { return *root; }
  const glm_container_header &header() const { return head; }
  const uint8_t *data() const { return file.data(); }
  size_t size() const { return file.size(); }
  int descriptor() const { return file.descriptor(); }

  /// The bytes of a segment in this file; null for an external one.
  const uint8_t *segmentData(uint32_t index) const {
    const schema::Segment *segment = root->segments()->Get(index);
    return segment->external() ? nullptr : file.data() + segment->offset();
  }

private:
  bool readHeader(const char *path, glm_status &status);
  bool verifyProgram(const char *path, glm_status &status);
  bool verifyHashes(const char *path, glm_status &status) const;

  FileMapping file;
  glm_container_header head = {};
  const schema::Program *root = nullptr;
};

/// Checks every rule of SCHEMA.md that Structure.h does not: what it lets through may be used
/// unchecked.
bool checkProgram(const schema::Program &program, const glm_container_header &header,
                  const char *path, glm_status &status);

/// Whether the bytes of a segment are those that its hash was made of.
bool checkHash(const schema::Segment &segment, const uint8_t *data, const char *path,
               glm_status &status);

/// The best level whose features this processor has all, or the one that is called `wanted` when
/// that is not null. Null: the last one, which Program.devices and Program.kernels are.
bool chooseLevel(const schema::Program &program, const char *wanted, const char *path,
                 const schema::Level *&level, glm_status &status);

/// Bits of one element.
uint32_t bitsOf(schema::Dtype dtype);

/// Bytes of `count` elements; false on overflow.
inline bool bytesOf(schema::Dtype dtype, uint64_t count, uint64_t &bytes) {
  uint64_t bits;
  bool overflow = __builtin_mul_overflow(count, uint64_t(bitsOf(dtype)), &bits);
  bytes = bits / 8 + (bits % 8 != 0);
  return !overflow;
}

} // namespace glm::runtime

#endif
