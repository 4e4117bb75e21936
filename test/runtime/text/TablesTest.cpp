// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a tokenizer.json may hold, and what happens to tables that are not what they were.
#include "runtime/text/Error.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <gmock/gmock.h>

using namespace glm::text;
using namespace glm::text::testing;
using nlohmann::json;
using ::testing::HasSubstr;

namespace {

json with(const char *pointer, const json &value) {
  json changed = tinyJson();
  changed[json::json_pointer(pointer)] = value;
  return changed;
}

// Everything that would change ids and is not there is refused with the member's path and its
// value.
TEST(TokenizerJson, NamesWhatIsUnsupported) {
  json metaspace = {{"type", "Metaspace"}};
  json merged = {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithNext"}};
  std::vector<std::pair<json, std::string>> cases = {
      {with("/normalizer", {{"type", "NFC"}}), "normalizer: type NFC"},
      {with("/pre_tokenizer", nullptr), "pre_tokenizer: null"},
      {with("/pre_tokenizer/pretokenizers/0", metaspace), "pretokenizers[0]: type Metaspace"},
      {with("/pre_tokenizer/pretokenizers/0", merged), "behavior: MergedWithNext"},
      {with("/pre_tokenizer/pretokenizers/1", merged), "ByteLevel must be the last"},
      {with("/decoder", nullptr), "decoder: null"},
      {with("/decoder/type", "Metaspace"), "decoder: type Metaspace"},
      {with("/post_processor", {{"type", "BertProcessing"}}),
       "post_processor: type BertProcessing"},
      {with("/model/type", "Unigram"), "model: type Unigram"},
      {with("/model/dropout", 0.1), "model.dropout"},
      {with("/model/byte_fallback", true), "model.byte_fallback"},
      {with("/model/continuing_subword_prefix", "##"), "model.continuing_subword_prefix"},
      {with("/model/end_of_word_suffix", "</w>"), "model.end_of_word_suffix"},
  };
  for (const auto &[changed, message] : cases) {
    EXPECT_THAT(errorOf(changed), HasSubstr(message));
    EXPECT_THAT(errorOf(changed), HasSubstr("is not supported"));
  }
}

// Damaged files are named too, and none of them throws out of the function.
TEST(TokenizerJson, NamesWhatIsDamaged) {
  std::vector<std::pair<json, std::string>> cases = {
      {json::array(), "an object was expected"},
      {with("/model", nullptr), "model: missing"},
      {with("/model/vocab", 3), "model.vocab"},
      {with("/model/vocab/ab", -1), "id -1"},
      {with("/model/vocab/ab", 257), "id 257 belongs to"},
      {with("/model/vocab/ab", 100000000), "ids up to 100000000"},
      {with("/model/merges/0", "a b c"), "model.merges[0]"},
      {with("/model/merges/0", "ab"), "model.merges[0]"},
      {with("/model/merges/1", "ab d"), "model.merges[1]: 'abd' is not in the vocabulary"},
      {with("/added_tokens/0/content", ""), "added_tokens[0]: empty"},
      {with("/added_tokens/0/id", 12), "'<x>' has id 12"},
      {with("/added_tokens/1", added(260, "<x>")), "occurs twice"},
      {with("/added_tokens/0", {{"id", 4}}), "content"},
  };
  for (const auto &[changed, message] : cases)
    EXPECT_THAT(errorOf(changed), HasSubstr(message));
  std::string blob, error;
  EXPECT_FALSE(compileTokenizerTables({"{\"model\"", "", ""}, blob, error));
  EXPECT_THAT(error, HasSubstr("tokenizer.json: "));
  EXPECT_FALSE(compileTokenizerTables({tinyJson().dump(), "[", ""}, blob, error));
  EXPECT_THAT(error, HasSubstr("tokenizer_config.json: "));
}

// Text that the decoder would have to clean up afterwards is refused rather than left as it is.
TEST(TokenizerJson, RefusesCleanUp) {
  EXPECT_THAT(errorOf(tinyJson(), R"({"clean_up_tokenization_spaces": true})"),
              HasSubstr("clean_up_tokenization_spaces"));
}

// An unknown token is harmless while every byte has a token, and refused otherwise.
TEST(TokenizerJson, AllowsUnknownTokenWithAllBytes) {
  json unknown = with("/model/unk_token", "<x>");
  EXPECT_EQ(errorOf(unknown), "");
  unknown["model"]["vocab"].erase("Q");
  EXPECT_THAT(errorOf(unknown), HasSubstr("model.unk_token"));
}

// The same files give the same bytes, also when the members of the vocabulary come in another
// order.
TEST(Tables, AreDeterministic) {
  EXPECT_EQ(compileFolder("glm5-tiny"), compileFolder("glm5-tiny"));
  auto reversed = nlohmann::ordered_json::parse(tinyJson().dump());
  nlohmann::ordered_json vocabulary;
  for (auto it = reversed["model"]["vocab"].rbegin(); it != reversed["model"]["vocab"].rend(); ++it)
    vocabulary[it.key()] = it.value();
  reversed["model"]["vocab"] = vocabulary;
  std::string blob, error;
  EXPECT_TRUE(compileTokenizerTables({reversed.dump(), "", ""}, blob, error)) << error;
  EXPECT_EQ(blob, Tiny(tinyJson()).blob);
}

void expectRefused(const std::string &blob, const std::string &what) {
  try {
    Tokenizer tokenizer(bytesOf(blob));
    ADD_FAILURE() << "opened: " << what;
  } catch (const Error &error) {
    EXPECT_EQ(error.kind, ErrorKind::Format);
  }
}

// Every proper prefix is refused, and so is a byte too many.
TEST(Tables, RefuseEveryTruncation) {
  std::string blob = Tiny(tinyJson()).blob;
  for (size_t size = 0; size < blob.size(); ++size)
    expectRefused(blob.substr(0, size), std::to_string(size));
  expectRefused(blob + '\0', "longer");
}

// Blobs that do not start at a multiple of 8 bytes could not be read in place.
TEST(Tables, RefuseMisalignment) {
  std::string shifted = "1234" + Tiny(tinyJson()).blob;
  EXPECT_THROW(Tokenizer(bytesOf(shifted).subspan(4)), Error);
}

/// Opens and uses tables that may be damaged in a way that cannot be noticed; must stay inside
/// them.
void exercise(const std::string &blob) {
  try {
    Tokenizer tokenizer(bytesOf(blob));
    auto ids = tokenizer.encode("abc <x> q\xff bcabca <x");
    (void)tokenizer.decode(ids, true);
    for (int32_t id = -1; id < 300; ++id)
      (void)tokenizer.bytesOf(id, false);
    (void)tokenizer.tables().chatTemplate();
  } catch (const Error &) {
  }
}

// No single changed byte makes anything read outside the blob (ASan is the judge) or run forever.
TEST(Tables, SurviveEveryChangedByte) {
  std::string blob = Tiny(tinyJson()).blob;
  for (size_t i = 0; i < blob.size(); ++i)
    for (int change : {0x01, 0x80, 0xff}) {
      std::string damaged = blob;
      damaged[i] = char(damaged[i] ^ change);
      exercise(damaged);
    }
}

// Damage that verification exists for is noticed as such.
TEST(Tables, NamesTheDamage) {
  std::string blob = Tiny(tinyJson()).blob;
  auto header = [](std::string &bytes) { return reinterpret_cast<TableHeader *>(bytes.data()); };
  auto expectError = [&](auto change, const char *message) {
    std::string damaged = blob;
    change(damaged);
    try {
      Tokenizer tokenizer(bytesOf(damaged));
      ADD_FAILURE() << message;
    } catch (const Error &error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  auto section = [&](std::string &bytes, Section index) {
    return bytes.data() + header(bytes)->sections[index].offset;
  };
  expectError([&](auto &b) { b[0] = 'X'; }, "magic");
  expectError([&](auto &b) { header(b)->version = 9; }, "version 9, this library reads version 1");
  expectError([&](auto &b) { header(b)->sections[Strings].offset += 8; }, "out of range");
  expectError([&](auto &b) { section(b, TokenOffsets)[1] = 9; }, "ascending");
  expectError([&](auto &b) { section(b, ByteIds)[5] = 0x7f; }, "byte ids");
  expectError(
      [&](auto &b) {
        auto *slots = reinterpret_cast<uint32_t *>(section(b, VocabularySlots));
        std::fill_n(slots, header(b)->sections[VocabularySlots].bytes / 4, 0u);
      },
      "vocabulary: no empty slot");
  expectError(
      [&](auto &b) {
        auto *slots = reinterpret_cast<MergeSlot *>(section(b, MergeSlots));
        std::fill_n(slots, header(b)->sections[MergeSlots].bytes / sizeof(MergeSlot), MergeSlot{});
      },
      "merges: no empty slot");
  expectError([&](auto &b) { header(b)->chatTemplate.bytes = 1u << 30; }, "header");
}

} // namespace
