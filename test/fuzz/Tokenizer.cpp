// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes the tables of a small tokenizer; what is accepted encodes and decodes a text.
#include "glm/text.h"
#include "runtime/text/TokenizerTables.h"
#include "test/fuzz/Input.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <vector>

static std::vector<uint64_t> goodTables(size_t &size) {
  std::string tables, error, json = glm::text::testing::tinyJson().dump();
  if (!glm::text::compileTokenizerTables({json, "", ""}, tables, error))
    abort();
  size = tables.size();
  std::vector<uint64_t> words(size / 8 + 1); // at a multiple of 8 bytes
  memcpy(words.data(), tables.data(), size);
  return words;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  static size_t length = 0;
  static const std::vector<uint64_t> good = goodTables(length);
  std::vector<uint64_t> words = good;
  fuzz::change(input, size, reinterpret_cast<uint8_t *>(words.data()), length);
  glm_tokenizer *tokenizer = nullptr;
  if (glm_tokenizer_open(words.data(), length, &tokenizer).code != GLM_OK)
    return 0;
  std::string text = "ab abc <x>a\xc3\xa9  b\n1234";
  std::vector<int32_t> ids(256);
  std::vector<char> back(4096);
  size_t count = 0, bytes = 0;
  for (uint32_t flags : {0u, 3u})
    if (glm_tokenizer_encode(tokenizer, text.data(), text.size(), flags, ids.data(), ids.size(),
                             &count)
                .code == GLM_OK &&
        count <= ids.size())
      glm_tokenizer_decode(tokenizer, ids.data(), count, 0, back.data(), back.size(), &bytes);
  glm_tokenizer_close(tokenizer);
  return 0;
}
