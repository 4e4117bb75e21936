// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The files a module's weights lie in, mapped read-only at their first use. Bytes are those on
// disk; they stay valid as long as the object lives.
#ifndef GLM_COMPILER_INTERPRET_WEIGHTFILES_H
#define GLM_COMPILER_INTERPRET_WEIGHTFILES_H

#include "absl/status/statusor.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace glm::interpret {

class WeightFiles {
public:
  explicit WeightFiles(std::filesystem::path folder) : folder(std::move(folder)) {}
  WeightFiles(const WeightFiles &) = delete;
  WeightFiles &operator=(const WeightFiles &) = delete;
  ~WeightFiles();

  /// The `bytes` at `offset` of the file of that name. Errors: GLM0101 unreadable, GLM0102 too
  /// short, GLM0113 a name that leaves the folder.
  absl::StatusOr<const std::byte *> at(const std::string &file, uint64_t offset, uint64_t bytes);

private:
  struct Mapping {
    const std::byte *begin;
    uint64_t bytes;
  };
  absl::StatusOr<Mapping> map(const std::string &file);

  std::filesystem::path folder;
  std::map<std::string, Mapping> mappings;
};

} // namespace glm::interpret

#endif
