// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the text room share: files of test/data and the tokenizer compiled from a
// checkpoint's folder.
#ifndef GLM_TEST_RUNTIME_TEXT_CHECKPOINT_H
#define GLM_TEST_RUNTIME_TEXT_CHECKPOINT_H

#include "runtime/text/Tokenizer.h"
#include "runtime/text/TokenizerTables.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace glm::text::testing {

inline std::string readFile(const std::string &name) {
  std::ifstream file(GLM_TEST_DATA "/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline std::vector<nlohmann::json> readLines(const std::string &name) {
  std::vector<nlohmann::json> rows;
  std::istringstream lines(readFile(name));
  for (std::string line; std::getline(lines, line);)
    rows.push_back(nlohmann::json::parse(line));
  return rows;
}

/// Tables in memory; std::string's buffer is aligned for any scalar.
inline std::span<const std::byte> bytesOf(const std::string &blob) {
  return std::as_bytes(std::span(blob));
}

inline std::string compileFolder(const std::string &folder) {
  std::string json = readFile(folder + "/tokenizer.json");
  std::string config = readFile(folder + "/tokenizer_config.json");
  std::string chatTemplate = readFile(folder + "/chat_template.jinja");
  std::string blob, error;
  EXPECT_TRUE(compileTokenizerTables({json, config, chatTemplate}, blob, error)) << error;
  return blob;
}

/// A tokenizer with its tables. Read once: reading is what takes the time.
struct Checkpoint {
  explicit Checkpoint(const std::string &folder)
      : blob(compileFolder(folder)), tokenizer(bytesOf(blob)) {}
  std::string blob;
  Tokenizer tokenizer;
};

inline const Checkpoint &glm5() {
  static const Checkpoint checkpoint("glm5-tiny");
  return checkpoint;
}

inline const Checkpoint &glm52() {
  static const Checkpoint checkpoint("glm52-tiny");
  return checkpoint;
}

} // namespace glm::text::testing

#endif
