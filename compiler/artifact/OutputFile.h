// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file that appears whole or not at all: written under a temporary name beside its final one,
// renamed by `commit`, removed by the destructor otherwise. Writing at different places from
// several threads is fine.
#ifndef GLM_COMPILER_ARTIFACT_OUTPUTFILE_H
#define GLM_COMPILER_ARTIFACT_OUTPUTFILE_H

#include "absl/status/statusor.h"

#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>

namespace glm::artifact {

class OutputFile {
public:
  /// Creates the temporary file. Errors: GLM0600.
  static absl::StatusOr<OutputFile> create(const std::filesystem::path &final);
  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;
  ~OutputFile();

  /// Sets the length; what is not written is zero.
  absl::Status resize(uint64_t bytes);
  absl::Status write(uint64_t offset, std::string_view bytes) const;
  /// Flushes to disk and puts the file in its final place.
  absl::Status commit();

  /// Removes the temporary file that exists now, if any. Async-signal-safe: for a handler that ends
  /// the process.
  static void removeUnfinished();

private:
  OutputFile(std::filesystem::path final, std::string temporary, int descriptor);
  absl::Status failed(std::string_view what) const;

  static std::atomic<const char *> inProgress;

  std::filesystem::path final;
  std::string temporary;
  int descriptor = -1;
};

} // namespace glm::artifact

#endif
