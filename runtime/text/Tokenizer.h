// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A byte-level BPE tokenizer that works on the tables of an artifact in place. Text goes through
// added tokens, the pre-tokenizer's patterns and byte pairs; ids come out equal to Hugging Face
// tokenizers'. Immutable: any number of threads may use one. The blob must outlive it.
#ifndef GLM_RUNTIME_TEXT_TOKENIZER_H
#define GLM_RUNTIME_TEXT_TOKENIZER_H

#include "runtime/text/AddedTokens.h"
#include "runtime/text/BytePairs.h"
#include "runtime/text/TableView.h"
#include "runtime/text/Utf8.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glm::text {

/// Which added tokens text may contain.
enum class AddedIn {
  All,        ///< every one: prompts rendered by a template
  NotSpecial, ///< special ones are encoded as the text they are made of
  None,       ///< all are text: input from strangers
};

struct EncodeOptions {
  AddedIn added = AddedIn::All;
  bool affixes = true; ///< add what the post-processor puts before and behind
};

class Tokenizer final {
public:
  /// Verifies the tables and compiles their patterns; throws Error.
  explicit Tokenizer(std::span<const std::byte> tables);
  Tokenizer(const Tokenizer &) = delete;
  Tokenizer &operator=(const Tokenizer &) = delete;

  /// `text` may hold bytes that are not UTF-8; they are encoded byte by byte. At most 2^31 - 1
  /// bytes.
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;

  /// Valid UTF-8. Ids that are no token (padding of the model's vocabulary) stand for nothing, as
  /// in the reference.
  std::string decode(std::span<const int32_t> ids, bool skipSpecial) const;

  /// The raw bytes of a token, which need not be text; empty for ids that are none, or special ones
  /// to skip.
  std::string_view bytesOf(int32_t id, bool skipSpecial) const;

  const TableView &tables() const { return view; }

private:
  struct CompiledStage {
    StageKind kind;
    std::optional<Regex> pattern;
  };
  class Encoding;

  TableView view;
  AddedTokens exact, normalized;
  WordRules rules;
  std::vector<CompiledStage> stages;
};

/// Decodes token by token: gives out text as soon as it is certain, keeps back the start of a
/// character. The concatenation of all pieces equals Tokenizer::decode. One thread.
class TokenStream final {
public:
  TokenStream(const Tokenizer &tokenizer, bool skipSpecial)
      : tokenizer(tokenizer), skipSpecial(skipSpecial) {}

  std::string push(int32_t id) {
    std::string text;
    utf8.push(tokenizer.bytesOf(id, skipSpecial), text);
    return text;
  }

  std::string finish() {
    std::string text;
    utf8.finish(text);
    return text;
  }

private:
  const Tokenizer &tokenizer;
  bool skipSpecial;
  Utf8Stream utf8;
};

} // namespace glm::text

#endif
