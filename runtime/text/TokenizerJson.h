// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tokenizer.json as the library understands it: a plain record, everything else refused by name.
// Compile time only.
#ifndef GLM_RUNTIME_TEXT_TOKENIZERJSON_H
#define GLM_RUNTIME_TEXT_TOKENIZERJSON_H

#include "runtime/text/TableLayout.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glm::text {

struct AddedToken {
  uint32_t id;
  std::string content;
  uint32_t flags;  ///< enum AddedFlag
  bool normalized; ///< looked for after normalisation
};

struct PreTokenizerStage {
  StageKind kind;
  std::string pattern; ///< already PCRE2's syntax
};

struct TokenizerJson {
  std::vector<std::pair<std::string, uint32_t>> vocabulary; ///< in the alphabet of ByteAlphabet.h
  std::vector<std::pair<std::string, std::string>> merges;  ///< best first
  bool ignoreMerges = false;
  bool hasUnknownToken = false; ///< harmless as long as every byte has a token
  std::vector<AddedToken> addedTokens;
  std::vector<PreTokenizerStage> stages;
  std::vector<uint32_t> prefixIds, suffixIds;
};

/// Throws Error: Format for what is damaged, Unsupported for what is not byte-level BPE of the
/// supported kind; the message begins with the path of the member, "tokenizer.json: normalizer:
/// ...".
TokenizerJson readTokenizerJson(std::string_view json);

} // namespace glm::text

#endif
