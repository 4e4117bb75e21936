// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/StopText.h"
#include "runtime/text/Error.h"
#include "runtime/text/Utf8.h"

#include <gtest/gtest.h>

using namespace glm::text;

namespace {

// Text that may still become a stop is kept back, and comes once it cannot.
TEST(StopText, KeepsBackWhatMayStop) {
  StopText stop({"###"});
  EXPECT_EQ(stop.push("a#"), "a");
  EXPECT_EQ(stop.push("#"), "");
  EXPECT_EQ(stop.push("b#"), "##b");
  EXPECT_EQ(stop.finish(), "#");
  EXPECT_FALSE(stop.stopped());
}

// A stop over three pieces ends the text before it; what follows is gone.
TEST(StopText, StopsAcrossPieces) {
  StopText stop({"\nUser:"});
  EXPECT_EQ(stop.push("hi\nUs"), "hi");
  EXPECT_EQ(stop.push("er"), "");
  EXPECT_EQ(stop.push(": more"), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.push("x"), "");
  EXPECT_EQ(stop.finish(), "");
}

// Of several stops the one that begins first counts, also when another ends first.
TEST(StopText, TakesTheEarliest) {
  StopText stop({"b", "abc"});
  EXPECT_EQ(stop.push("xabcb"), "x");
  StopText overlapping({"abab", "ba!"});
  EXPECT_EQ(overlapping.push("zaba"), "z");
  EXPECT_EQ(overlapping.push("!"), "a");
  EXPECT_TRUE(overlapping.stopped());
}

// Stops of characters of several bytes never cut one: É and È share their first byte.
TEST(StopText, RespectsCharacters) {
  StopText stop({"È."});
  EXPECT_EQ(stop.push("É"), "É");
  EXPECT_EQ(stop.push("È"), "");
  EXPECT_EQ(stop.push("!"), "È!");
}

// Without stops everything passes at once; an empty stop is an error.
TEST(StopText, HandlesNoneAndEmpty) {
  StopText none({});
  EXPECT_EQ(none.push("abc"), "abc");
  EXPECT_THROW(StopText({"a", ""}), Error);
}

// However a text is cut into pieces, the stream gives the text of the whole.
TEST(Utf8Stream, IsIndependentOfTheCut) {
  std::string bytes = "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xed\xa0\x80\xf0\x9f\xff\xe2\x82z\xc0"
                      "\xaf\xf4\x90\x80\x80\xe2\x82";
  std::string expected =
      "aé中😀\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD";
  for (size_t cut = 0; cut <= bytes.size(); ++cut)
    for (size_t second = cut; second <= bytes.size(); ++second) {
      Utf8Stream stream;
      std::string text;
      stream.push(bytes.substr(0, cut), text);
      stream.push(bytes.substr(cut, second - cut), text);
      stream.push(bytes.substr(second), text);
      stream.finish(text);
      EXPECT_EQ(text, expected) << cut << ' ' << second;
    }
}

// The longest character waits until its last byte.
TEST(Utf8Stream, WaitsForACharacter) {
  Utf8Stream stream;
  std::string text;
  for (const char *byte : {"\xf0", "\x9f", "\x98"}) {
    stream.push(byte, text);
    EXPECT_EQ(text, "");
  }
  stream.push("\x80", text);
  EXPECT_EQ(text, "😀");
}

} // namespace
