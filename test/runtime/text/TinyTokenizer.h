// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tokenizer.json small enough to change one member at a time: bytes 0..255 in order, "ab" = 256,
// "abc" = 257, "bc" = 258, "<x>" = 259 (special).
#ifndef GLM_TEST_RUNTIME_TEXT_TINYTOKENIZER_H
#define GLM_TEST_RUNTIME_TEXT_TINYTOKENIZER_H

#include "runtime/text/ByteAlphabet.h"
#include "test/runtime/text/Checkpoint.h"

namespace glm::text::testing {

inline nlohmann::json added(int id, const std::string &content,
                            const nlohmann::json &options = {}) {
  nlohmann::json token = {{"id", id},           {"content", content}, {"special", true},
                          {"lstrip", false},    {"rstrip", false},    {"single_word", false},
                          {"normalized", false}};
  if (!options.is_null())
    token.update(options);
  return token;
}

inline nlohmann::json tinyJson() {
  nlohmann::json vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[characterOfByte(uint8_t(byte))] = byte;
  vocabulary["ab"] = 256;
  vocabulary["abc"] = 257;
  vocabulary["bc"] = 258;
  nlohmann::json split = {{"type", "Split"},
                          {"pattern", {{"Regex", R"(\p{L}+|\s+|[^\s\p{L}]+)"}}},
                          {"behavior", "Isolated"},
                          {"invert", false}};
  nlohmann::json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {{"version", "1.0"},
          {"added_tokens", {added(259, "<x>")}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocabulary},
            {"merges", {"a b", "ab c", "b c"}},
            {"unk_token", nullptr},
            {"byte_fallback", false}}}};
}

/// The error of compiling, or "".
inline std::string errorOf(const nlohmann::json &json, const std::string &config = "") {
  std::string text = json.dump(), blob, error;
  bool good = compileTokenizerTables({text, config, ""}, blob, error);
  EXPECT_EQ(good, error.empty());
  EXPECT_EQ(good, !blob.empty());
  return error;
}

/// A tokenizer with its tables.
struct Tiny {
  explicit Tiny(const nlohmann::json &json) : blob(compile(json)), tokenizer(bytesOf(blob)) {}

  static std::string compile(const nlohmann::json &json) {
    std::string text = json.dump(), blob, error;
    EXPECT_TRUE(compileTokenizerTables({text, "", ""}, blob, error)) << error;
    return blob;
  }
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const {
    return tokenizer.encode(text, options);
  }

  std::string blob;
  Tokenizer tokenizer;
};

} // namespace glm::text::testing

#endif
