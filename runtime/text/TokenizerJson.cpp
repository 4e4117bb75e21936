// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/Error.h"
#include "runtime/text/RegexSyntax.h"

#include <nlohmann/json.hpp>

#include <unordered_set>

using namespace glm::text;
using nlohmann::json;

namespace {

// GPT-2's own pattern, which a ByteLevel pre-tokenizer with use_regex applies.
constexpr std::string_view byteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

[[noreturn]] void damaged(const std::string &where, const std::string &what) {
  throw Error(ErrorKind::Format, "tokenizer.json: " + where + ": " + what);
}

[[noreturn]] void unsupported(const std::string &where, const std::string &what) {
  throw Error(ErrorKind::Unsupported,
              "tokenizer.json: " + where + ": " + what + " is not supported");
}

/// Null and absent are the same everywhere in this format.
const json &member(const json &object, const char *name) {
  static const json null;
  auto found = object.find(name);
  return found == object.end() ? null : *found;
}

template <typename T> T valueOr(const json &object, const char *name, T otherwise) {
  const json &value = member(object, name);
  return value.is_null() ? otherwise : value.get<T>();
}

std::string typeOf(const json &part, const std::string &where) {
  if (!part.is_object() || !member(part, "type").is_string())
    damaged(where, "an object with a type was expected");
  return part["type"].get<std::string>();
}

uint32_t readId(const json &value, const std::string &where) {
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > 0x7ffffffe)
    damaged(where, "id " + value.dump() + " is not in 0..2147483646");
  return value.get<uint32_t>();
}

//===-- model -------------------------------------------------------------------------------===//

void checkModelOptions(const json &model) {
  std::string type = valueOr<std::string>(model, "type", "BPE");
  if (type != "BPE")
    unsupported("model", "type " + type);
  if (valueOr(model, "dropout", 0.0) != 0.0)
    unsupported("model.dropout", "a value other than 0");
  if (valueOr(model, "byte_fallback", false))
    unsupported("model.byte_fallback", "true");
  for (const char *affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!valueOr<std::string>(model, affix, "").empty())
      unsupported("model." + std::string(affix), "a value other than null");
}

std::pair<std::string, std::string> readMerge(const json &merge, size_t rank) {
  std::string where = "model.merges[" + std::to_string(rank) + "]";
  if (merge.is_array() && merge.size() == 2)
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  if (!merge.is_string())
    damaged(where, "a pair or a string was expected");
  std::string line = merge.get<std::string>();
  size_t space = line.find(' ');
  if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
    damaged(where, "'" + line + "' is not two tokens separated by one space");
  return {line.substr(0, space), line.substr(space + 1)};
}

void readModel(const json &model, TokenizerJson &result) {
  if (!model.is_object())
    damaged("model", "missing");
  checkModelOptions(model);
  const json &vocabulary = member(model, "vocab");
  if (!vocabulary.is_object())
    damaged("model.vocab", "an object was expected");
  for (const auto &[token, id] : vocabulary.items())
    result.vocabulary.emplace_back(token, readId(id, "model.vocab." + token));
  const json &merges = member(model, "merges");
  if (!merges.is_array())
    damaged("model.merges", "an array was expected");
  for (const json &merge : merges)
    result.merges.push_back(readMerge(merge, result.merges.size()));
  result.ignoreMerges = valueOr(model, "ignore_merges", false);
  result.hasUnknownToken = !member(model, "unk_token").is_null();
}

//===-- added tokens ------------------------------------------------------------------------===//

void readAddedTokens(const json &tokens, TokenizerJson &result) {
  if (tokens.is_null())
    return;
  std::unordered_set<std::string> seen;
  for (const json &token : tokens) {
    std::string content = token.at("content").get<std::string>();
    std::string where = "added_tokens[" + std::to_string(result.addedTokens.size()) + "]";
    if (content.empty())
      damaged(where, "empty content");
    if (!seen.insert(content).second)
      damaged(where, "'" + content + "' occurs twice");
    uint32_t flags = (valueOr(token, "special", false) ? AddedSpecial : 0) |
                     (valueOr(token, "single_word", false) ? AddedSingleWord : 0) |
                     (valueOr(token, "lstrip", false) ? AddedStripLeft : 0) |
                     (valueOr(token, "rstrip", false) ? AddedStripRight : 0);
    result.addedTokens.push_back({readId(token.at("id"), where), std::move(content), flags,
                                  valueOr(token, "normalized", !(flags & AddedSpecial))});
  }
}

//===-- pre-tokenizer -----------------------------------------------------------------------===//

std::string readPattern(const json &pattern, const std::string &where) {
  if (const json &regex = member(pattern, "Regex"); regex.is_string()) {
    try {
      return translateRegex(regex.get<std::string>());
    } catch (const Error &error) {
      throw Error(error.kind, "tokenizer.json: " + where + ": " + error.what());
    }
  }
  if (const json &text = member(pattern, "String"); text.is_string())
    return quoteRegex(text.get<std::string>());
  damaged(where + ".pattern", "Regex or String was expected");
}

StageKind readBehavior(const json &split, const std::string &where) {
  std::string behavior = valueOr<std::string>(split, "behavior", "");
  if (behavior == "Isolated")
    return StageKind::Isolate;
  if (behavior == "Removed")
    return valueOr(split, "invert", false) ? StageKind::KeepMatches : StageKind::RemoveMatches;
  unsupported(where + ".behavior", behavior.empty() ? "an absent value" : behavior);
}

void readStage(const json &part, const std::string &where, bool last, TokenizerJson &result) {
  std::string type = typeOf(part, where);
  if ((type == "ByteLevel") != last)
    unsupported(where, last ? type + " at the end (ByteLevel must be the last pre-tokenizer)"
                            : type + " before the end");
  if (type == "Split") {
    result.stages.push_back(
        {readBehavior(part, where), readPattern(member(part, "pattern"), where)});
  } else if (type == "Digits") {
    bool single = valueOr(part, "individual_digits", false);
    result.stages.push_back({StageKind::Isolate, single ? R"(\p{N})" : R"(\p{N}+)"});
  } else if (type == "ByteLevel") {
    if (valueOr(part, "add_prefix_space", true))
      result.stages.push_back({StageKind::PrefixSpace, ""});
    if (valueOr(part, "use_regex", true))
      result.stages.push_back({StageKind::Isolate, translateRegex(byteLevelPattern)});
  } else {
    unsupported(where, "type " + type);
  }
}

void readPreTokenizer(const json &root, TokenizerJson &result) {
  if (root.is_null())
    unsupported("pre_tokenizer", "null (a ByteLevel pre-tokenizer is needed)");
  if (typeOf(root, "pre_tokenizer") != "Sequence")
    return readStage(root, "pre_tokenizer", /*last=*/true, result);
  const json &parts = member(root, "pretokenizers");
  if (!parts.is_array() || parts.empty())
    damaged("pre_tokenizer.pretokenizers", "a non-empty array was expected");
  for (size_t i = 0; i < parts.size(); ++i)
    readStage(parts[i], "pre_tokenizer.pretokenizers[" + std::to_string(i) + "]",
              i + 1 == parts.size(), result);
}

//===-- normalizer, post-processor, decoder -------------------------------------------------===//

void checkNormalizer(const json &root) {
  if (root.is_null())
    return;
  std::string type = typeOf(root, "normalizer");
  if (type == "Sequence" && member(root, "normalizers").empty())
    return;
  unsupported("normalizer", "type " + type);
}

void checkDecoder(const json &root) {
  if (root.is_null())
    unsupported("decoder", "null (ByteLevel is needed)");
  std::string type = typeOf(root, "decoder");
  if (type == "Sequence" && member(root, "decoders").size() == 1)
    type = typeOf(root["decoders"][0], "decoder.decoders[0]");
  if (type != "ByteLevel")
    unsupported("decoder", "type " + type);
}

void readTemplate(const json &processor, TokenizerJson &result) {
  bool seenText = false;
  for (const json &part : member(processor, "single")) {
    if (part.contains("Sequence")) {
      if (seenText || part["Sequence"].value("id", "A") != "A")
        unsupported("post_processor.single", "more than one sequence");
      seenText = true;
      continue;
    }
    std::string name = part.at("SpecialToken").at("id").get<std::string>();
    const json &token = member(member(processor, "special_tokens"), name.c_str());
    for (const json &id : member(token, "ids"))
      (seenText ? result.suffixIds : result.prefixIds)
          .push_back(readId(id, "post_processor.special_tokens." + name));
  }
  if (!seenText)
    damaged("post_processor.single", "no sequence in it");
}

void readPostProcessor(const json &root, TokenizerJson &result) {
  if (root.is_null())
    return;
  std::string type = typeOf(root, "post_processor");
  if (type == "Sequence") {
    for (const json &part : member(root, "processors"))
      readPostProcessor(part, result);
  } else if (type == "TemplateProcessing") {
    if (!result.prefixIds.empty() || !result.suffixIds.empty())
      unsupported("post_processor", "a second TemplateProcessing");
    readTemplate(root, result);
  } else if (type != "ByteLevel") { // moves offsets only, which nobody asks for here
    unsupported("post_processor", "type " + type);
  }
}

} // namespace

TokenizerJson glm::text::readTokenizerJson(std::string_view text) {
  try {
    json root = json::parse(text);
    if (!root.is_object())
      damaged("the file", "an object was expected");
    TokenizerJson result;
    checkNormalizer(member(root, "normalizer"));
    readPreTokenizer(member(root, "pre_tokenizer"), result);
    readPostProcessor(member(root, "post_processor"), result);
    checkDecoder(member(root, "decoder"));
    readModel(member(root, "model"), result);
    readAddedTokens(member(root, "added_tokens"), result);
    return result;
  } catch (const json::exception &error) {
    throw Error(ErrorKind::Format, std::string("tokenizer.json: ") + error.what());
  }
}
