// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a planned checkpoint. Everything goes into a folder beside the output, which takes its
// name at the very end: there is never a half-written checkpoint under the final name, whatever
// ends the tool.
#ifndef GLM_TOOLS_SYNTHESIZE_WRITE_H
#define GLM_TOOLS_SYNTHESIZE_WRITE_H

#include "Plan.h"

#include "absl/status/status.h"

#include <atomic>
#include <filesystem>
#include <map>

namespace glm::synthesize {

struct WriteOptions {
  uint64_t seed = 0;
  /// Holes instead of data: files of full size that take no disk, all weights zero.
  bool sparse = false;
  unsigned threads = 1;
  /// Show progress on standard error.
  bool progress = false;
};

/// Set from a signal handler to stop early; everything written is removed.
extern std::atomic<bool> interrupted;

/// Writes `plan` and the small files (name → content) as the folder `output`. Errors: GLM0005-0007.
absl::Status writeCheckpoint(const std::filesystem::path &output, const Plan &plan,
                             const std::map<std::string, std::string> &files,
                             const WriteOptions &options);

} // namespace glm::synthesize

#endif
