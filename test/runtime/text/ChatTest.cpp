// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chat templates: what they see, how JSON comes out, and how they fail.
#include "runtime/text/Chat.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Error.h"
#include "runtime/text/PythonFormat.h"
#include "runtime/text/TokenizerTables.h"
#include "test/runtime/text/TinyTokenizer.h"

#include <gmock/gmock.h>

using namespace glm::text;
using namespace glm::text::testing;
using ::testing::HasSubstr;

namespace {

std::string render(const std::string &chatTemplate, const std::string &value) {
  return renderChat(chatTemplate, R"({"messages": [], "value": )" + value + "}");
}

// `tojson` prints as Python's json.dumps does, with transformers' defaults.
TEST(Chat, PrintsJsonAsPython) {
  auto json = [](const std::string &value) { return render("{{ value | tojson }}", value); };
  EXPECT_EQ(json(R"({"b":1,"a":[1.0,-0.5,true,null]})"),
            R"({"b": 1, "a": [1.0, -0.5, true, null]})");
  EXPECT_EQ(json("[1e5, 1e16, 1.5e-5, 0.1, 123456789.125, 1e22, -0.0]"),
            "[100000.0, 1e+16, 1.5e-05, 0.1, 123456789.125, 1e+22, -0.0]");
  EXPECT_EQ(json(R"("q\"\\\b\f\n\r\t\u001f\u007fé\u2028😀/")"),
            "\"q\\\"\\\\\\b\\f\\n\\r\\t\\u001f\x7fé\xe2\x80\xa8😀/\"");
  EXPECT_EQ(json("[[], {}]"), "[[], {}]");
  EXPECT_EQ(json("-1234567890123456789"), "-1234567890123456789");
}

// The filter's options are json.dumps's.
TEST(Chat, PrintsJsonWithOptions) {
  EXPECT_EQ(render("{{ value | tojson(ensure_ascii=true) }}", R"("é😀")"),
            R"("\u00e9\ud83d\ude00")");
  EXPECT_EQ(render("{{ value | tojson(indent=2) }}", R"({"a":[1,[]],"b":{}})"),
            "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {}\n}");
  EXPECT_EQ(render("{{ value | tojson(separators=(',', ':')) }}", R"({"a":[1,2]})"),
            R"({"a":[1,2]})");
  EXPECT_EQ(render("{{ value | tojson(sort_keys=true) }}", R"({"b":1,"a":2})"),
            R"({"a": 2, "b": 1})");
}

// Numbers and constants outside of JSON are Python's too.
TEST(Chat, PrintsValuesAsPython) {
  EXPECT_EQ(render("{{ value[0] }} {{ value[1] }} {{ value[2] }}", "[1.0, 1e-7, true]"),
            "1.0 1e-07 True");
  EXPECT_EQ(pythonFloat(5e-324), "5e-324");
  EXPECT_EQ(pythonFloat(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(pythonFloat(0.0001), "0.0001");
  EXPECT_EQ(pythonFloat(9999999999999998.0), "9999999999999998.0");
}

// Lists and objects of the request compare with literals of the template.
TEST(Chat, ComparesWithLiterals) {
  EXPECT_EQ(render("{{ value == [1, 'a'] }} {{ value == [] }}", R"([1, "a"])"), "True False");
}

// A repeated key counts once, with the last value, where it first stood.
TEST(Chat, KeepsKeyOrder) {
  EXPECT_EQ(render("{{ value | tojson }}", R"({"z":1,"a":2,"z":3})"), R"({"z": 3, "a": 2})");
}

// What transformers always defines is defined, and nothing else.
TEST(Chat, DefinesTheUsualVariables) {
  EXPECT_EQ(render("{{ tools is none }} {{ documents is none }} {{ add_generation_prompt }} {{ "
                   "other is defined }}",
                   "1"),
            "True True False False");
}

// Lines that hold only a block leave no trace (trim_blocks, lstrip_blocks).
TEST(Chat, TrimsBlocks) {
  EXPECT_EQ(render("a\n  {% if true %}\nb\n  {% endif %}\nc\n", "1"), "a\nb\nc");
}

// Special tokens and a template in tokenizer_config.json reach the template.
TEST(Chat, ReadsTokenizerConfig) {
  std::string blob, error;
  ASSERT_TRUE(compileTokenizerTables(
      {tinyJson().dump(),
       R"({"bos_token": {"content": "<x>"}, "eos_token": "<e>", "pad_token": null,
           "chat_template": [{"name": "default", "template": "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}"}]})",
       ""},
      blob, error))
      << error;
  Tokenizer tokenizer(bytesOf(blob));
  EXPECT_EQ(renderChat(tokenizer.tables(), R"({"messages": []})"), "<x><e>False");
}

std::string chatError(const std::string &chatTemplate, const std::string &request) {
  try {
    renderChat(chatTemplate, request);
  } catch (const Error &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

// Every failure is one line that says where.
TEST(Chat, FailsInOneLine) {
  std::string good = R"({"messages": []})";
  EXPECT_THAT(chatError("", good), HasSubstr("no chat template"));
  EXPECT_THAT(chatError("a", "[]"), HasSubstr("\"messages\" was expected"));
  EXPECT_THAT(chatError("a", "{}"), HasSubstr("\"messages\" was expected"));
  EXPECT_THAT(chatError("a", "{\"messages\":"), HasSubstr("parse error"));
  EXPECT_THAT(chatError("a", R"({"messages": [18446744073709551615]})"),
              HasSubstr("exceeds 64 bits"));
  EXPECT_THAT(chatError("a", R"({"messages": [99999999999999999999999]})"),
              HasSubstr("exceeds 64 bits"));
  EXPECT_THAT(chatError("a", std::string(200, '[')), HasSubstr("nested deeper than 100"));
  EXPECT_THAT(chatError("x\n{{ raise_exception('roles must alternate') }}", good),
              HasSubstr("chat template: line 2, column 19: roles must alternate"));
  EXPECT_THAT(chatError("{% for %}", good), HasSubstr("chat template: "));
  EXPECT_THAT(chatError("{{ 1 | nosuchfilter }}", good), HasSubstr("nosuchfilter"));
}

} // namespace
