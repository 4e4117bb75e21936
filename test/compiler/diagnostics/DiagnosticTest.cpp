// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coded errors: the catalogue is in order, a message is one line, and a status gives back what it
// took.
#include "compiler/diagnostics/Diagnostic.h"

#include "nlohmann/json.hpp"
#include "gtest/gtest.h"

#include <cstring>

using namespace glm;

namespace {

const Diagnostic sample{Code::TensorMisshaped, "lm_head.weight",
                        "has shape [2, 3] where config.json implies [3, 3]", "fetch it again"};

TEST(Diagnostic, NumbersAreAscendingAndEveryEntryIsExplained) {
  unsigned previous = 0;
  for (unsigned number : {
#define GLM_DIAGNOSTIC(number, name, rule, page) number,
#include "compiler/diagnostics/Catalogue.def"
#undef GLM_DIAGNOSTIC
       }) {
    EXPECT_GT(number, previous);
    EXPECT_LT(number, 700u);
    previous = number;
    std::string code = codeName(static_cast<Code>(number));
    ASSERT_TRUE(explain(code)) << code;
    EXPECT_FALSE(ruleOf(static_cast<Code>(number)).empty());
    EXPECT_NE(ruleOf(static_cast<Code>(number)).back(), '.') << code;
  }
}

TEST(Diagnostic, TextIsThingRuleRemedy) {
  EXPECT_EQ(toText(sample),
            "error[GLM0302]: lm_head.weight: has shape [2, 3] where config.json implies [3, 3]; "
            "fetch it again");
  EXPECT_EQ(toText({Code::BadArguments, "", "no input", ""}), "error[GLM0001]: no input");
  EXPECT_EQ(toText(sample, "warning").substr(0, 17), "warning[GLM0302]:");
}

// A file name may hold a line break; the error stays one line.
TEST(Diagnostic, ControlCharactersAreEscaped) {
  EXPECT_EQ(toText({Code::InputMissing, "a\nb\x7f", "is\tno folder", ""}),
            "error[GLM0002]: a\\x0ab\\x7f: is\\x09no folder");
}

TEST(Diagnostic, JsonHoldsTheParts) {
  nlohmann::json object = nlohmann::json::parse(toJson(sample));
  EXPECT_EQ(object["code"], "GLM0302");
  EXPECT_EQ(object["name"], "TensorMisshaped");
  EXPECT_EQ(object["thing"], "lm_head.weight");
  EXPECT_EQ(object["severity"], "error");
  EXPECT_NO_THROW(toJson({Code::InputMissing, "\xff", "", ""})); // no UTF-8
}

TEST(Diagnostic, StatusCarriesItWhole) {
  absl::Status status = toStatus(sample);
  std::optional<Diagnostic> back = diagnosticOf(status);
  ASSERT_TRUE(back);
  EXPECT_EQ(toText(*back), toText(sample));
  EXPECT_FALSE(diagnosticOf(absl::OkStatus()));
  EXPECT_FALSE(diagnosticOf(absl::InternalError("plain")));
}

TEST(Diagnostic, ReportPrintsOneLineAndReturnsTheExitCode) {
  char buffer[256] = {};
  std::FILE *stream = fmemopen(buffer, sizeof buffer, "w");
  EXPECT_EQ(report(absl::OkStatus(), stream), 0);
  EXPECT_EQ(report(toStatus(sample), stream), 1);
  EXPECT_EQ(report(absl::InternalError("plain\nlines"), stream), 1);
  std::fclose(stream);
  EXPECT_EQ(std::string(buffer), toText(sample) + "\nerror: plain\\x0alines\n");
}

TEST(Diagnostic, ExplainTakesEverySpellingAndNothingElse) {
  EXPECT_EQ(explain("GLM0302"), explain("302"));
  EXPECT_EQ(explain("glm302"), explain("0302"));
  EXPECT_EQ(explain("GLM0302")->substr(0, 24), "GLM0302 TensorMisshaped\n");
  for (const char *code : {"", "GLM", "GLM0099", "GLM00302", "x302", "GLM03o2"})
    EXPECT_FALSE(explain(code)) << code;
}

} // namespace
