// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The corpora whole: what Hugging Face tokenizers and transformers' apply_chat_template gave for
// the same files.
#include "test/runtime/text/Checkpoint.h"

#include "runtime/text/Chat.h"

using namespace glm::text;
using namespace glm::text::testing;
using nlohmann::json;

namespace {

using Ids = std::vector<int32_t>;

// Every text of the corpus encodes to the reference's ids.
TEST(TokenizerCorpus, Encodes) {
  size_t encoded = 0;
  for (const json &row : readLines("tokenizer-corpus.jsonl")) {
    if (row["text"].is_null())
      continue;
    EXPECT_EQ(glm5().tokenizer.encode(row["text"].get<std::string>()), row["ids"].get<Ids>())
        << row["text"];
    ++encoded;
  }
  EXPECT_EQ(encoded, 380u);
}

// Every id sequence decodes to the reference's text, with and without special tokens.
TEST(TokenizerCorpus, Decodes) {
  auto rows = readLines("tokenizer-corpus.jsonl");
  EXPECT_EQ(rows.size(), 564u);
  for (const json &row : rows) {
    Ids ids = row["ids"].get<Ids>();
    EXPECT_EQ(glm5().tokenizer.decode(ids, /*skipSpecial=*/false),
              row["decoded"].get<std::string>());
    EXPECT_EQ(glm5().tokenizer.decode(ids, /*skipSpecial=*/true),
              row["decoded_skip_special"].get<std::string>());
  }
}

// Token by token gives the same text as all at once, and every piece is valid UTF-8 by itself.
TEST(TokenizerCorpus, Streams) {
  for (const json &row : readLines("tokenizer-corpus.jsonl")) {
    TokenStream stream(glm5().tokenizer, /*skipSpecial=*/false);
    std::string text;
    for (int32_t id : row["ids"].get<Ids>()) {
      std::string piece = stream.push(id);
      EXPECT_NO_THROW((void)json(piece).dump()) << piece;
      text += piece;
    }
    text += stream.finish();
    EXPECT_EQ(text, row["decoded"].get<std::string>());
  }
}

// Every conversation renders to the reference's prompt and that prompt encodes to its ids.
TEST(ChatCorpus, RendersAndEncodes) {
  // The order of keys matters: tools are printed as they were given.
  std::istringstream lines(readFile("chat-corpus.jsonl"));
  size_t rendered = 0;
  for (std::string line; std::getline(lines, line); ++rendered) {
    auto row = nlohmann::ordered_json::parse(line);
    auto request = row["kwargs"];
    request["messages"] = row["messages"];
    const Checkpoint &checkpoint = row["checkpoint"] == "glm5-tiny" ? glm5() : glm52();
    std::string prompt = renderChat(checkpoint.tokenizer.tables(), request.dump());
    EXPECT_EQ(prompt, row["rendered"].get<std::string>()) << line;
    EXPECT_EQ(checkpoint.tokenizer.encode(prompt, {AddedIn::All, /*affixes=*/false}),
              row["ids"].get<Ids>());
  }
  EXPECT_EQ(rendered, 234u);
}

} // namespace
