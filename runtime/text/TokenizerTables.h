// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiling a tokenizer: the files of a checkpoint become the tables of TableLayout.h. Runs once,
// in the compiler.
#ifndef GLM_RUNTIME_TEXT_TOKENIZERTABLES_H
#define GLM_RUNTIME_TEXT_TOKENIZERTABLES_H

#include <string>
#include <string_view>

namespace glm::text {

/// The contents of the files, as bytes.
struct TokenizerSource {
  std::string_view tokenizerJson;       ///< tokenizer.json
  std::string_view tokenizerConfigJson; ///< tokenizer_config.json; may be empty
  std::string_view
      chatTemplate; ///< chat_template.jinja; empty: the one in tokenizer_config.json, if any
};

/// Writes the tables to `blob`: the same source gives the same bytes. On failure returns false,
/// leaves `blob` empty and puts one line into `error` that names the file and the member
/// ("tokenizer.json: normalizer: type NFC is not supported"). Never throws, so that code without
/// exceptions may call it. Needs about 25 times the size of tokenizer.json in memory. `blob` must
/// be stored at a multiple of 8 bytes.
bool compileTokenizerTables(const TokenizerSource &source, std::string &blob,
                            std::string &error) noexcept;

} // namespace glm::text

#endif
