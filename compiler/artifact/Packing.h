// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moving weights from the checkpoint into the artifact.
//
// The weight segment is cut into chunks of a few MiB, in ascending order of offset. Each chunk is
// made from one contiguous run of bytes of a checkpoint file: read, converted, laid out, written.
// Workers take chunks in order and finish in any; only hashing waits its turn. So memory is bounded
// by workers times the largest chunk, the bytes do not depend on the number of workers, and every
// checkpoint tensor that is stored whole is hashed on the way.
#ifndef GLM_COMPILER_ARTIFACT_PACKING_H
#define GLM_COMPILER_ARTIFACT_PACKING_H

#include "compiler/artifact/Codes.h"
#include "compiler/artifact/OutputFile.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace glm::artifact {

/// XXH3-128.
struct Hash {
  uint64_t low = 0, high = 0;
  bool operator==(const Hash &) const = default;
  /// 32 hexadecimal digits, high half first, as xxhsum prints.
  std::string text() const;
};
Hash hashOf(std::string_view bytes);

/// What a chunk holds of numbers that become codes. With numbers as elements `Codes` are the
/// numbers that codes stand for.
enum class CodePart : uint8_t { Codes, Scales, Zeros };

/// A run of output bytes and what it is made of.
struct Chunk {
  uint64_t offset = 0; ///< in the segment
  uint64_t bytes = 0;
  uint32_t file = 0; ///< index of the source file
  uint64_t position = 0;
  /// The source: a row-major `[rows, columns]` block of `from`.
  int64_t rows = 0, columns = 0;
  Element from = Element::BF16, to = Element::BF16;
  bool transposed = false;
  int64_t n = 0, k = 0; ///< panels; 0, 0: row-major
  /// Codes that are packed as numbers: where their scales lie, and which row of the tensor is the
  /// first of the block.
  struct Dequantization {
    uint32_t file = 0;
    uint64_t position = 0;
    int64_t rows = 0, columns = 0; ///< of the scales; 0: nothing is dequantised
    int64_t blockRows = 1, blockColumns = 1, firstRow = 0;
  } dequantize;
  /// Numbers that are packed as codes or as what stands beside codes; columns 0: neither.
  Quantization quantize{8, 0};
  CodePart part = CodePart::Codes;
  /// Which weight's rounding the chunk adds to, or -1.
  int64_t rounded = -1;
  /// The tensor whose hash this chunk continues, or -1; `last` ends it.
  int64_t tensor = -1;
  bool last = false;

  uint64_t sourceBytes() const { return bytesOf(from, uint64_t(rows * columns)); }
};

/// A tensor that is hashed by itself, because chunks do not read it whole and in order.
struct LooseTensor {
  int64_t tensor;
  uint32_t file;
  uint64_t position, bytes;
  /// f32 that the format says are zero; another value is an error about `name`.
  bool mustBeZero = false;
  std::string name = {};
};

struct PackingPlan {
  std::vector<std::filesystem::path> files;
  /// Ascending by offset, not overlapping; gaps are zero.
  std::vector<Chunk> chunks;
  std::vector<LooseTensor> loose;
  uint64_t segmentBytes = 0;
  /// Number of tensors that chunks and loose tensors count in.
  size_t tensors = 0;
  /// Weights whose numbers change here, by name.
  std::vector<std::string> rounded;
  /// Names what lies at a byte of a file, for messages.
  std::function<std::string(uint32_t file, uint64_t position)> nameOf;
};

struct PackingResult {
  Hash segment;
  /// By tensor; zero where nobody read it.
  std::vector<Hash> tensors;
  /// By the plan's rounded weights.
  std::vector<Rounding> rounding;
};

/// Called with bytes written and bytes in all, never by two threads at once.
using Progress = std::function<void(uint64_t, uint64_t)>;

/// Fills the segment at `offset` of `output`. Errors: GLM0117, GLM0118, GLM0600, GLM0601.
absl::StatusOr<PackingResult> packWeights(const PackingPlan &plan, const OutputFile &output,
                                          uint64_t offset, unsigned workers,
                                          const Progress &progress);

} // namespace glm::artifact

#endif
