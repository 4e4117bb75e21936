// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Text.h"

#include "nlohmann/json.hpp"

#include <algorithm>

namespace glm::synthesize {
namespace {

using Json = nlohmann::ordered_json;

struct Added {
  const char *text;
  /// Left out when text is decoded without special tokens.
  bool special;
};

constexpr Added added[] = {
    {"<|endoftext|>", true},
    {"[MASK]", true},
    {"[gMASK]", true},
    {"[sMASK]", true},
    {"<sop>", true},
    {"<eop>", true},
    {"<|system|>", true},
    {"<|user|>", true},
    {"<|assistant|>", true},
    {"<|observation|>", true},
    {"<|begin_of_image|>", true},
    {"<|end_of_image|>", true},
    {"<|begin_of_video|>", true},
    {"<|end_of_video|>", true},
    {"<|begin_of_audio|>", true},
    {"<|end_of_audio|>", true},
    {"<|begin_of_transcription|>", true},
    {"<|end_of_transcription|>", true},
    {"<|code_prefix|>", true},
    {"<|code_middle|>", true},
    {"<|code_suffix|>", true},
    {"<think>", false},
    {"</think>", false},
    {"<tool_call>", false},
    {"</tool_call>", false},
    {"<tool_response>", false},
    {"</tool_response>", false},
    {"<arg_key>", false},
    {"</arg_key>", false},
    {"<arg_value>", false},
    {"</arg_value>", false},
    {"/nothink", true},
    {"<|begin_of_box|>", false},
    {"<|end_of_box|>", false},
    {"<|image|>", true},
    {"<|video|>", true},
};
constexpr int64_t addedCount = std::size(added);

/// The pre-tokenizer's pattern of the GLM-4/5 family.
constexpr const char *pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// First id of the added tokens: the first stop id, or the end of the vocabulary.
int64_t firstAdded(const Glm5Config &config) {
  if (!config.eosTokens.empty())
    return config.eosTokens.front();
  return std::max<int64_t>(config.vocabSize - addedCount, 0);
}

std::string utf8(unsigned codepoint) {
  if (codepoint < 0x80)
    return std::string(1, static_cast<char>(codepoint));
  return {static_cast<char>(0xc0 | codepoint >> 6), static_cast<char>(0x80 | (codepoint & 0x3f))};
}

/// The byte alphabet of byte-level BPE: printable Latin-1 stands for itself, the rest follows from
/// U+0100 on.
std::vector<std::string> byteAlphabet() {
  std::vector<std::string> printable, others;
  for (unsigned byte = 0; byte < 256; ++byte) {
    bool self = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    if (self)
      printable.push_back(utf8(byte));
    else
      others.push_back(utf8(0x100 + static_cast<unsigned>(others.size())));
  }
  printable.insert(printable.end(), others.begin(), others.end());
  return printable;
}

Json byteLevel(bool addPrefixSpace, bool trimOffsets, bool useRegex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", addPrefixSpace},
          {"trim_offsets", trimOffsets},
          {"use_regex", useRegex}};
}

std::string dumped(const Json &json) { return json.dump(2) + "\n"; }

} // namespace

std::string tokenizerJson(const Glm5Config &config) {
  int64_t first = firstAdded(config), last = std::min(first + addedCount, config.vocabSize);
  Json addedTokens = Json::array(), vocabulary = Json::object();
  for (int64_t id = first; id < last; ++id)
    addedTokens.push_back({{"id", id},
                           {"content", added[id - first].text},
                           {"single_word", false},
                           {"lstrip", false},
                           {"rstrip", false},
                           {"normalized", false},
                           {"special", added[id - first].special}});
  int64_t id = 0;
  for (const std::string &letter : byteAlphabet()) {
    if (id == first)
      id = last;
    if (id >= config.vocabSize)
      break;
    vocabulary[letter] = id++;
  }
  Json split = {{"type", "Split"},
                {"pattern", {{"Regex", pattern}}},
                {"behavior", "Isolated"},
                {"invert", false}};
  Json tokenizer = {{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", addedTokens},
                    {"normalizer", nullptr},
                    {"pre_tokenizer",
                     {{"type", "Sequence"},
                      {"pretokenizers", Json::array({split, byteLevel(false, true, false)})}}},
                    {"post_processor", byteLevel(true, false, true)},
                    {"decoder", byteLevel(true, true, true)},
                    {"model",
                     {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", nullptr},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", vocabulary},
                      {"merges", Json::array()}}}};
  return dumped(tokenizer);
}

std::string tokenizerConfigJson(const Glm5Config &config) {
  Json special = Json::array();
  int64_t held = std::min(addedCount, config.vocabSize - firstAdded(config));
  for (int64_t i = 0; i < held; ++i)
    if (added[i].special)
      special.push_back(added[i].text);
  return dumped({{"backend", "tokenizers"},
                 {"clean_up_tokenization_spaces", false},
                 {"do_lower_case", false},
                 {"eos_token", added[0].text},
                 {"extra_special_tokens", special},
                 {"model_max_length", config.maxPositions},
                 {"pad_token", added[0].text},
                 {"padding_side", "left"},
                 {"tokenizer_class", "TokenizersBackend"}});
}

std::string chatTemplate() {
  return "[gMASK]<sop>\n"
         "{%- for message in messages -%}\n"
         "{{- '<|observation|>' if message.role == 'tool' else '<|' ~ message.role ~ '|>' -}}\n"
         "{{- message.content -}}\n"
         "{%- endfor -%}\n"
         "{%- if add_generation_prompt -%}\n"
         "<|assistant|>\n"
         "{%- endif -%}\n";
}

std::string generationConfigJson(const Glm5Config &config) {
  Json generation = {
      {"_from_model_config", true}, {"do_sample", true}, {"eos_token_id", config.eosTokens}};
  if (config.padToken)
    generation["pad_token_id"] = *config.padToken;
  generation["temperature"] = 1.0;
  generation["top_p"] = 0.95;
  return dumped(generation);
}

} // namespace glm::synthesize
