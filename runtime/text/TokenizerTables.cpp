// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/TokenizerTables.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Error.h"
#include "runtime/text/TableLayout.h"
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/VocabularyHash.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

using namespace glm::text;
using nlohmann::json;

namespace {

/// Two thirds full at most; never full, so that a search ends.
size_t slotsFor(size_t entries) { return std::bit_ceil(std::max<size_t>(8, entries * 3 / 2 + 1)); }

struct ConfigStrings {
  std::string chatTemplate, bos, eos, pad, unknown;
};

class Builder final {
public:
  explicit Builder(const TokenizerJson &json) : json(json) {
    for (const auto &[token, id] : json.vocabulary)
      idOf.emplace(token, id);
  }

  std::string build(const ConfigStrings &config) {
    header.tokenCount = countTokens();
    header.flags = json.ignoreMerges ? IgnoreMerges : 0;
    addTokens();
    addByteIds();
    addVocabulary();
    addMerges();
    addAdded(AddedExact, /*normalized=*/false);
    addAdded(AddedNormalized, /*normalized=*/true);
    addStages();
    put(PrefixIds, json.prefixIds);
    put(SuffixIds, json.suffixIds);
    header.chatTemplate = intern(config.chatTemplate);
    header.bosToken = intern(config.bos);
    header.eosToken = intern(config.eos);
    header.padToken = intern(config.pad);
    header.unknownToken = intern(config.unknown);
    sections[Strings] = strings;
    return assemble();
  }

private:
  [[noreturn]] static void damaged(const std::string &what) {
    throw Error(ErrorKind::Format, "tokenizer.json: " + what);
  }

  uint32_t countTokens() const {
    uint32_t count = 0;
    for (const auto &[token, id] : json.vocabulary)
      count = std::max(count, id + 1);
    for (const AddedToken &token : json.addedTokens)
      count = std::max(count, token.id + 1);
    // A hole costs five bytes, but one mistyped id must not cost gigabytes.
    if (count > 16 * (json.vocabulary.size() + json.addedTokens.size()) + 65536)
      damaged("ids up to " + std::to_string(count - 1) + " for " +
              std::to_string(json.vocabulary.size() + json.addedTokens.size()) + " tokens");
    return count;
  }

  template <typename T> void put(Section section, const std::vector<T> &values) {
    sections[section].assign(reinterpret_cast<const char *>(values.data()),
                             values.size() * sizeof(T));
  }

  StringRange intern(std::string_view text) {
    StringRange range{uint32_t(strings.size()), uint32_t(text.size())};
    strings += text;
    return range;
  }

  /// A token outside the byte alphabet stands for its own UTF-8, as the ByteLevel decoder has it.
  static std::string decoded(const std::string &token) {
    return bytesOfCharacters(token).value_or(token);
  }

  void addTokens() {
    std::vector<const std::string *> tokens(header.tokenCount);
    std::vector<uint8_t> flags(header.tokenCount);
    for (const auto &[token, id] : json.vocabulary) {
      if (tokens[id])
        damaged("model.vocab: id " + std::to_string(id) + " belongs to '" + *tokens[id] +
                "' and to '" + token + "'");
      tokens[id] = &token;
      flags[id] = TokenPresent;
    }
    for (const AddedToken &token : json.addedTokens) {
      auto base = idOf.find(token.content);
      if (base != idOf.end() ? base->second != token.id : tokens[token.id] != nullptr)
        damaged("added_tokens: '" + token.content + "' has id " + std::to_string(token.id) +
                ", which the vocabulary contradicts");
      tokens[token.id] = &token.content;
      flags[token.id] = TokenPresent | TokenAdded | (token.flags & AddedSpecial ? TokenSpecial : 0);
    }
    std::vector<uint32_t> offsets{0};
    for (const std::string *token : tokens) {
      if (token)
        sections[TokenBytes] += decoded(*token);
      offsets.push_back(uint32_t(sections[TokenBytes].size()));
    }
    put(TokenOffsets, offsets);
    put(TokenFlags, flags);
  }

  void addByteIds() {
    std::vector<uint32_t> ids(256, noId);
    for (int byte = 0; byte < 256; ++byte) {
      if (auto found = idOf.find(characterOfByte(uint8_t(byte))); found != idOf.end())
        ids[byte] = found->second;
      else if (json.hasUnknownToken)
        throw Error(ErrorKind::Unsupported, "tokenizer.json: model.unk_token: its use for byte " +
                                                std::to_string(byte) +
                                                ", which has no token, is not supported");
    }
    put(ByteIds, ids);
  }

  void addVocabulary() {
    std::vector<std::pair<std::string, uint32_t>> entries;
    for (const auto &[token, id] : json.vocabulary)
      if (std::optional<std::string> bytes = bytesOfCharacters(token)) // others no text encodes to
        entries.emplace_back(std::move(*bytes), id);
    std::sort(entries.begin(), entries.end());
    std::vector<uint32_t> slots(slotsFor(entries.size()), noId);
    for (const auto &[bytes, id] : entries) {
      size_t slot = hashBytes(bytes) & (slots.size() - 1);
      while (slots[slot] != noId)
        slot = (slot + 1) & (slots.size() - 1);
      slots[slot] = id;
    }
    put(VocabularySlots, slots);
  }

  uint32_t requireToken(const std::string &token, size_t rank) const {
    auto found = idOf.find(token);
    if (found == idOf.end())
      damaged("model.merges[" + std::to_string(rank) + "]: '" + token +
              "' is not in the vocabulary");
    return found->second;
  }

  void addMerges() {
    std::vector<MergeSlot> slots(slotsFor(json.merges.size()), {noId, noId, noId, noId});
    for (size_t rank = 0; rank < json.merges.size(); ++rank) {
      const auto &[left, right] = json.merges[rank];
      MergeSlot merge{requireToken(left, rank), requireToken(right, rank), uint32_t(rank),
                      requireToken(left + right, rank)};
      size_t slot = hashPair(merge.left, merge.right) & (slots.size() - 1);
      while (slots[slot].left != noId &&
             (slots[slot].left != merge.left || slots[slot].right != merge.right))
        slot = (slot + 1) & (slots.size() - 1);
      slots[slot] = merge; // of equal pairs the last one counts
    }
    put(MergeSlots, slots);
  }

  void addAdded(Section section, bool normalized) {
    std::vector<const AddedToken *> tokens;
    for (const AddedToken &token : json.addedTokens)
      if (token.normalized == normalized)
        tokens.push_back(&token);
    std::sort(tokens.begin(), tokens.end(),
              [](const AddedToken *a, const AddedToken *b) { return a->content < b->content; });
    std::vector<AddedEntry> entries;
    for (const AddedToken *token : tokens)
      entries.push_back({token->id, token->flags, intern(token->content)});
    put(section, entries);
  }

  void addStages() {
    std::vector<Stage> stages;
    for (const PreTokenizerStage &stage : json.stages)
      stages.push_back({stage.kind, 0, intern(stage.pattern)});
    put(Stages, stages);
  }

  std::string assemble() {
    std::memcpy(header.magic, tableMagic, sizeof tableMagic);
    header.version = tableVersion;
    header.sectionCount = SectionCount;
    std::string blob(sizeof header, '\0');
    for (size_t i = 0; i < SectionCount; ++i) {
      if (sections[i].size() > 0xffffffffu)
        damaged("section " + std::to_string(i) + " of the tables would exceed 4 GiB");
      blob.resize((blob.size() + 7) & ~size_t{7});
      header.sections[i] = {blob.size(), sections[i].size()};
      blob += sections[i];
    }
    blob.resize((blob.size() + 7) & ~size_t{7});
    header.totalBytes = blob.size();
    std::memcpy(blob.data(), &header, sizeof header);
    return blob;
  }

  const TokenizerJson &json;
  std::unordered_map<std::string, uint32_t> idOf;
  std::string sections[SectionCount];
  std::string strings;
  TableHeader header{};
};

/// A token in tokenizer_config.json is a string, an object with its content, or null.
std::string readToken(const json &config, const char *name) {
  auto token = config.find(name);
  if (token == config.end() || token->is_null())
    return {};
  return (token->is_object() ? token->at("content") : *token).get<std::string>();
}

std::string readTemplate(const json &config) {
  auto value = config.find("chat_template");
  if (value == config.end() || value->is_null())
    return {};
  if (value->is_string())
    return value->get<std::string>();
  for (const json &named : *value)
    if (named.at("name") == "default")
      return named.at("template").get<std::string>();
  return {};
}

ConfigStrings readConfig(std::string_view text, std::string_view chatTemplate) try {
  ConfigStrings strings;
  if (!text.empty()) {
    json config = json::parse(text);
    if (config.value("clean_up_tokenization_spaces", false))
      throw Error(ErrorKind::Unsupported,
                  "tokenizer_config.json: clean_up_tokenization_spaces: true is not supported");
    strings = {readTemplate(config), readToken(config, "bos_token"), readToken(config, "eos_token"),
               readToken(config, "pad_token"), readToken(config, "unk_token")};
  }
  if (!chatTemplate.empty())
    strings.chatTemplate = chatTemplate;
  return strings;
} catch (const json::exception &error) {
  throw Error(ErrorKind::Format, std::string("tokenizer_config.json: ") + error.what());
}

} // namespace

bool glm::text::compileTokenizerTables(const TokenizerSource &source, std::string &blob,
                                       std::string &error) noexcept {
  try {
    blob.clear();
    ConfigStrings config = readConfig(source.tokenizerConfigJson, source.chatTemplate);
    TokenizerJson json = readTokenizerJson(source.tokenizerJson);
    blob = Builder(json).build(config);
    return true;
  } catch (const std::exception &failure) {
    blob.clear();
    error = failure.what();
    return false;
  }
}
