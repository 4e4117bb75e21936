// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading parts of files that belong to a checkpoint. Only regular files are opened (a pipe or
// device under such a name would block); failures carry the system's reason and the path.
#ifndef GLM_COMPILER_IMPORT_FILETEXT_H
#define GLM_COMPILER_IMPORT_FILETEXT_H

#include "absl/status/statusor.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace glm {

/// An open file of known size. Move-only; closes itself.
class FileText {
public:
  static absl::StatusOr<FileText> open(const std::filesystem::path &path);
  FileText(FileText &&other) noexcept;
  FileText &operator=(FileText &&other) noexcept;
  ~FileText();

  uint64_t size() const { return bytes; }

  /// The `length` bytes at `offset`, or GLM0101/GLM0102.
  absl::StatusOr<std::string> read(uint64_t offset, uint64_t length) const;

private:
  FileText(std::filesystem::path path, int descriptor, uint64_t bytes)
      : path(std::move(path)), descriptor(descriptor), bytes(bytes) {}

  std::filesystem::path path;
  int descriptor = -1;
  uint64_t bytes = 0;
};

/// A whole file of at most `bound` bytes.
absl::StatusOr<std::string> readWhole(const std::filesystem::path &path, uint64_t bound);

} // namespace glm

#endif
