// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Tokenizer.h"
#include "runtime/text/Error.h"

#include <deque>

using namespace glm::text;

/// One call of encode: the words are views into the text, or into `owned` where a stage had to
/// change them.
class Tokenizer::Encoding final {
public:
  Encoding(const Tokenizer &tokenizer, AddedIn added)
      : tokenizer(tokenizer), pairs(tokenizer.view),
        asText(added == AddedIn::NotSpecial ? uint32_t(AddedSpecial) : 0),
        anyAdded(added != AddedIn::None) {}

  void run(std::string_view text) {
    splitAdded(tokenizer.exact, text, [&](std::string_view part) {
      splitAdded(tokenizer.normalized, part, [&](std::string_view rest) { encodePlain(rest); });
    });
  }

  std::vector<int32_t> ids;

private:
  template <typename Between>
  void splitAdded(const AddedTokens &tokens, std::string_view text, Between between) {
    size_t taken = 0, from = 0;
    while (anyAdded && !tokens.empty()) {
      AddedTokens::Found found = tokens.find(text, from, asText, tokenizer.rules);
      if (!found.entry)
        break;
      if (taken < found.begin)
        between(text.substr(taken, found.begin - taken));
      ids.push_back(int32_t(found.entry->id));
      taken = found.end;
      from = found.next;
    }
    if (taken < text.size())
      between(text.substr(taken));
  }

  void encodePlain(std::string_view text) {
    words.assign(1, text);
    for (const CompiledStage &stage : tokenizer.stages) {
      split.clear();
      for (std::string_view word : words)
        apply(stage, word);
      words.swap(split);
    }
    for (std::string_view word : words)
      pairs.encode(word, ids);
    owned.clear();
  }

  void keep(std::string_view word) {
    if (!word.empty())
      split.push_back(word);
  }

  void apply(const CompiledStage &stage, std::string_view word) {
    if (stage.kind == StageKind::PrefixSpace) {
      if (word.starts_with(' '))
        return keep(word);
      return keep(owned.emplace_back(" " + std::string(word)));
    }
    RegexSearch search(*stage.pattern, word);
    size_t end = 0;
    while (auto match = search.next()) {
      if (stage.kind != StageKind::KeepMatches)
        keep(word.substr(end, match->begin - end));
      if (stage.kind != StageKind::RemoveMatches)
        keep(word.substr(match->begin, match->end - match->begin));
      end = match->end;
    }
    if (stage.kind != StageKind::KeepMatches)
      keep(word.substr(end));
  }

  const Tokenizer &tokenizer;
  BytePairs pairs;
  uint32_t asText;
  bool anyAdded;
  std::vector<std::string_view> words, split;
  std::deque<std::string> owned;
};

Tokenizer::Tokenizer(std::span<const std::byte> tables)
    : view(TableView::verify(tables)), exact(view, /*normalized=*/false),
      normalized(view, /*normalized=*/true) {
  for (const Stage &stage : view.stages()) {
    CompiledStage &compiled = stages.emplace_back(CompiledStage{stage.kind, std::nullopt});
    if (stage.kind != StageKind::PrefixSpace)
      compiled.pattern.emplace(view.string(stage.pattern));
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > 0x7fffffff)
    throw Error(ErrorKind::Argument, "a text of " + std::to_string(text.size()) +
                                         " bytes exceeds 2147483647; encode it in parts");
  Encoding encoding(*this, options.added);
  if (options.affixes)
    encoding.ids.assign(view.prefixIds().begin(), view.prefixIds().end());
  encoding.run(text);
  if (options.affixes)
    encoding.ids.insert(encoding.ids.end(), view.suffixIds().begin(), view.suffixIds().end());
  return std::move(encoding.ids);
}

std::string_view Tokenizer::bytesOf(int32_t id, bool skipSpecial) const {
  if (id < 0 || uint32_t(id) >= view.tokenCount())
    return {};
  if (skipSpecial && view.tokenFlags(uint32_t(id)) & TokenSpecial)
    return {};
  return view.tokenBytes(uint32_t(id));
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
  std::string text;
  Utf8Stream utf8;
  for (int32_t id : ids)
    utf8.push(bytesOf(id, skipSpecial), text);
  utf8.finish(text);
  return text;
}
