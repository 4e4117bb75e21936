// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of the tokenizer that the corpus does not reach.
#include "runtime/text/Error.h"
#include "runtime/text/RegexSyntax.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <gmock/gmock.h>

#include <chrono>

using namespace glm::text;
using namespace glm::text::testing;
using nlohmann::json;
using ::testing::ElementsAre;

namespace {

// The best-ranked merge wins, not the leftmost: "abc" is a+b first, and "bc" alone still merges.
TEST(BytePairs, FollowRanks) {
  Tiny tiny(tinyJson());
  EXPECT_THAT(tiny.encode("abc"), ElementsAre(257));
  EXPECT_THAT(tiny.encode("bc"), ElementsAre(258));
  EXPECT_THAT(tiny.encode("abbc"), ElementsAre(256, 258));
  EXPECT_THAT(tiny.encode("aab"), ElementsAre('a', 256));
}

// Merges given as pairs mean the same as merges given as strings.
TEST(BytePairs, ReadPairs) {
  json pairs = tinyJson();
  pairs["model"]["merges"] = json::parse(R"([["a", "b"], ["ab", "c"], ["b", "c"]])");
  EXPECT_EQ(Tiny(pairs).blob, Tiny(tinyJson()).blob);
}

// With ignore_merges a word that is a token is taken whole even where no merge leads to it.
TEST(BytePairs, IgnoreMergesForWholeWords) {
  json json = tinyJson();
  json["model"]["vocab"]["zzz"] = 260;
  EXPECT_THAT(Tiny(json).encode("zzz"), ElementsAre('z', 'z', 'z'));
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(Tiny(json).encode("zzz zzzz"), ElementsAre(260, ' ', 'z', 'z', 'z', 'z'));
}

// A million letters without a space take well under a second, also where every pair merges.
TEST(BytePairs, ManageLongWords) {
  Tiny tiny(tinyJson());
  std::string word;
  for (int i = 0; i < 500000; ++i)
    word += "ab";
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tiny.encode(word), std::vector<int32_t>(500000, 256));
  EXPECT_EQ(tiny.encode(std::string(1000000, ' ')).size(), 1000000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// Bytes that are not UTF-8 pass through: they stand between the matches of the pattern.
TEST(Tokenizer, EncodesInvalidBytes) {
  Tiny tiny(tinyJson());
  EXPECT_THAT(tiny.encode("ab\xff\xc3 bc"), ElementsAre(256, 0xff, 0xc3, ' ', 258));
  EXPECT_EQ(tiny.tokenizer.decode(tiny.encode("\xf0\x9f\x98"), false), "\xef\xbf\xbd");
}

// Three ways to treat the text of added tokens.
TEST(AddedTokens, ObeyTheOptions) {
  json json = tinyJson();
  json["added_tokens"].push_back(added(260, "<t>", {{"special", false}}));
  Tiny tiny(json);
  EXPECT_THAT(tiny.encode("<x><t>"), ElementsAre(259, 260));
  EXPECT_THAT(tiny.encode("<x><t>", {AddedIn::NotSpecial}), ElementsAre('<', 'x', '>', 260));
  EXPECT_THAT(tiny.encode("<x><t>", {AddedIn::None}), ElementsAre('<', 'x', '>', '<', 't', '>'));
}

// At one place the longest token counts, whatever the order in the file.
TEST(AddedTokens, PreferTheLongest) {
  json json = tinyJson();
  json["added_tokens"] = {added(259, "<x>"), added(260, "<x><y>"), added(60, "<"),
                          added(261, "<x><y><")};
  Tiny tiny(json);
  EXPECT_THAT(tiny.encode("<x><y>b"), ElementsAre(260, 'b'));
  EXPECT_THAT(tiny.encode("<x><z<"), ElementsAre(259, 60, 'z', 60));
}

// lstrip and rstrip swallow white space of any kind, but not what an earlier token took.
TEST(AddedTokens, StripSpace) {
  json json = tinyJson();
  json["added_tokens"] = {added(259, "<l>", {{"lstrip", true}}),
                          added(260, "<r>", {{"rstrip", true}})};
  Tiny tiny(json);
  EXPECT_THAT(tiny.encode("a \t\xe3\x80\x80<l> b"), ElementsAre('a', 259, ' ', 'b'));
  EXPECT_THAT(tiny.encode("a <r> \n b"), ElementsAre('a', ' ', 260, 'b'));
  EXPECT_THAT(tiny.encode("<r>  <l>"), ElementsAre(260, 259));
}

// single_word tokens do not touch letters, digits or underscores, ASCII or not.
TEST(AddedTokens, StandAlone) {
  json json = tinyJson();
  json["added_tokens"] = {added(259, "zz", {{"single_word", true}})};
  Tiny tiny(json);
  EXPECT_THAT(tiny.encode("zz"), ElementsAre(259));
  EXPECT_THAT(tiny.encode("-zz."), ElementsAre('-', 259, '.'));
  EXPECT_THAT(tiny.encode("zz1"), ElementsAre('z', 'z', '1'));
  EXPECT_THAT(tiny.encode("\xc3\xa9zz"), ElementsAre(0xc3, 0xa9, 'z', 'z'));
}

// Tokens marked normalized are looked for after the others, in what those left.
TEST(AddedTokens, ComeInTwoRounds) {
  json json = tinyJson();
  json["added_tokens"] = {added(259, "<x>"), added(260, "a<x", {{"normalized", true}})};
  EXPECT_THAT(Tiny(json).encode("a<x>a<x"), ElementsAre('a', 259, 260));
}

// What the post-processor puts around a text appears unless it is not wanted.
TEST(Tokenizer, AddsAffixes) {
  json json = tinyJson();
  json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<x>"}}}},
        {{"Sequence", {{"id", "A"}}}},
        {{"SpecialToken", {{"id", "e"}}}}}},
      {"special_tokens", {{"<x>", {{"ids", {259}}}}, {"e", {{"ids", {7, 8}}}}}}};
  Tiny tiny(json);
  EXPECT_THAT(tiny.encode("ab"), ElementsAre(259, 256, 7, 8));
  EXPECT_THAT(tiny.encode("ab", {AddedIn::All, /*affixes=*/false}), ElementsAre(256));
}

// Other pre-tokenizers: a space in front, single digits, removed matches.
TEST(Tokenizer, AppliesStagesInTurn) {
  json json = tinyJson();
  json["model"]["vocab"]["11"] = 260;
  json["model"]["merges"].push_back("1 1");
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}};
  EXPECT_THAT(Tiny(json).encode("ab's 11"), ElementsAre(' ', 256, '\'', 's', ' ', 260));
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Digits"}, {"individual_digits", true}},
        {{"type", "Split"}, {"pattern", {{"String", "."}}}, {"behavior", "Removed"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  EXPECT_THAT(Tiny(json).encode("a.b11"), ElementsAre('a', 'b', '1', '1'));
}

// Ids that are no token decode to nothing, as padding rows of a vocabulary have to.
TEST(Tokenizer, IgnoresUnknownIds) {
  Tiny tiny(tinyJson());
  EXPECT_EQ(tiny.tokenizer.decode(std::vector<int32_t>{-1, 'a', 260, 0x7fffffff, 'b'}, false),
            "ab");
}

// White space is Unicode's, which differs from PCRE2's own at U+180E.
TEST(RegexSyntax, TranslatesOniguruma) {
  EXPECT_EQ(translateRegex(R"(\s+(?!\S)|[^\r\n\s])"),
            R"(\p{White_Space}+(?!\P{White_Space})|[^\r\n\p{White_Space}])");
  EXPECT_EQ(translateRegex(R"((?i:'s)\p{N}{1,3}\u4e00[]\]a])"),
            R"((?i:'s)\p{N}{1,3}\x{4e00}[]\]a])");
  for (const char *bad :
       {R"([a&&b])", R"([[a]b])", R"((?m:a))", R"((?<n>a))", R"((a)\1)", R"([\W])", R"(a\)"})
    EXPECT_THROW(translateRegex(bad), Error) << bad;
}

} // namespace
