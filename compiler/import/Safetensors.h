// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights of a checkpoint folder, known by their headers. A safetensors file is
//
//   u64 little-endian n | n bytes of JSON: name → {dtype, shape, data_offsets [begin, end)} | data
//
// with offsets relative to the end of the header. A folder holds one such file, or several and an
// index that maps names to files. Only headers are read here, each once; data stays on disk and is
// streamed when weights are packed. The full GLM-5 in its FP8 form has 118,629 tensors: names and
// shapes live in arenas, a tensor is one plain record.
//
// The headers come from the network, so nothing in them is trusted: every rule broken is an error
// that names file and tensor. What is valid afterwards: names are unique, every tensor's bytes lie
// inside its file, match shape and dtype, and overlap no other tensor's.
//
// A Checkpoint is immutable after `open`; reading it from several threads is fine.
#ifndef GLM_COMPILER_IMPORT_SAFETENSORS_H
#define GLM_COMPILER_IMPORT_SAFETENSORS_H

#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/Dtype.h"

#include "absl/status/statusor.h"

#include <filesystem>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm {

/// Largest header the format allows, in bytes.
inline constexpr uint64_t maxHeaderBytes = 100'000'000;

/// One tensor of a checkpoint. Views live as long as the Checkpoint.
struct Tensor {
  std::string_view name;
  std::span<const int64_t> shape;
  Dtype dtype;
  /// Index into Checkpoint::files().
  uint32_t file;
  /// First byte in the file, counted from its start (not from the end of the header).
  uint64_t offset;
  /// Length in bytes.
  uint64_t bytes;
};

/// One file that holds tensors.
struct WeightFile {
  /// Name relative to the folder, as the index spells it.
  std::string name;
  std::filesystem::path path;
  /// Size in bytes, and where the data begins (8 + header length).
  uint64_t bytes = 0, dataBegin = 0;
};

class Checkpoint {
public:
  /// Reads the headers of all weight files of `folder`. Takes model.safetensors.index.json (or
  /// quant_model_weights.safetensors.index.json), model.safetensors, or a complete set
  /// model-0000k-of-0000n.safetensors. Errors: GLM0100-0116.
  static absl::StatusOr<Checkpoint> open(const std::filesystem::path &folder);

  /// All tensors, grouped by file, in ascending order of offset within a file.
  std::span<const Tensor> tensors() const { return list; }
  std::span<const WeightFile> files() const { return weightFiles; }
  const std::filesystem::path &folder() const { return root; }

  /// The tensor of that name, or null.
  const Tensor *find(std::string_view name) const;

  /// What lies at a byte of a file, for messages: `name [row, column]`; the file's path between
  /// tensors.
  std::string elementAt(uint32_t file, uint64_t offset) const;

  /// Bytes no tensor uses (GLM0110), one entry per file at most.
  std::span<const Diagnostic> warnings() const { return notes; }

private:
  Checkpoint() = default;

  absl::Status readFile(const std::string &name);
  absl::Status addNames(size_t first);
  absl::Status openIndexed(const std::filesystem::path &index);
  absl::Status openSet(const std::vector<std::string> &names);

  std::filesystem::path root;
  std::vector<WeightFile> weightFiles;
  std::vector<Tensor> list;
  std::vector<Diagnostic> notes;
  std::unordered_map<std::string_view, uint32_t> lookup;
  /// Backs names and shapes; behind a pointer so that views survive a move.
  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena;
};

/// `[8, 64]`, for messages.
std::string shapeText(std::span<const int64_t> shape);

/// True if `name`, taken from a file of the checkpoint, stays inside the folder by its spelling:
/// relative, not empty, without a `..` part and without NUL.
bool staysInside(std::string_view name);

} // namespace glm

#endif
