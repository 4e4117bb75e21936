// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small checkpoints made by hand: a folder that removes itself, and files written byte by byte.
#ifndef GLM_TEST_COMPILER_IMPORT_FOLDER_H
#define GLM_TEST_COMPILER_IMPORT_FOLDER_H

#include "compiler/diagnostics/Diagnostic.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace glm::test {

/// A fresh folder below the system's temporary one.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "glm-test-XXXXXX").string();
    root = ::mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(root, error);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  std::filesystem::path operator/(const std::string &name) const { return root / name; }
  const std::filesystem::path &path() const { return root; }

  void write(const std::string &name, const std::string &bytes) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary)
        .write(bytes.data(), static_cast<long>(bytes.size()));
  }

private:
  std::filesystem::path root;
};

/// A safetensors file: header length, header, `dataBytes` zeros.
inline std::string safetensors(const std::string &header, size_t dataBytes) {
  std::string file;
  uint64_t length = header.size();
  for (int i = 0; i < 8; ++i)
    file += static_cast<char>(length >> (8 * i));
  return file + header + std::string(dataBytes, '\0');
}

/// The catalogue number of a failed status, 0 for success.
inline unsigned numberOf(const absl::Status &status) {
  std::optional<glm::Diagnostic> diagnostic = diagnosticOf(status);
  return diagnostic ? static_cast<unsigned>(diagnostic->code) : 0;
}

/// Expects the error `code` with `part` somewhere in its one line.
inline void expectError(const absl::Status &status, Code code, const std::string &part) {
  EXPECT_EQ(numberOf(status), static_cast<unsigned>(code)) << status.ToString();
  if (std::optional<glm::Diagnostic> diagnostic = diagnosticOf(status)) {
    EXPECT_NE(toText(*diagnostic).find(part), std::string::npos) << toText(*diagnostic);
  }
}

} // namespace glm::test

#endif
