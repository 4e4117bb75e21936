// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// .npy files: what NumPy wrote is read, what is written is read back, and what is broken is
// refused.
#include "tools/npy/Npy.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <filesystem>
#include <fstream>

using namespace glm::npy;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string scratch(const char *name) { return testing::TempDir() + name; }

/// A version 1.0 file with this header and these bytes of data.
std::string file(const std::string &header, const std::string &data, char major = 1) {
  std::string result = std::string("\x93NUMPY") + major + '\0';
  result += {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (major == 2)
    result += {'\0', '\0'};
  return result + header + data;
}

std::string refusal(const std::string &bytes) {
  Array array;
  auto error = parse(bytes, "a.npy", array);
  return error ? error->line() : "";
}

// Files that NumPy itself wrote.
TEST(Npy, ReadsWhatNumPyWrote) {
  std::vector<int64_t> ids;
  ASSERT_FALSE(readIds(GLM_TEST_DATA "/glm5-tiny/tokens.npy", ids));
  EXPECT_EQ(ids.size(), 72u);
  Array logits;
  ASSERT_FALSE(read(GLM_TEST_DATA "/glm5-tiny/logits.npy", logits));
  EXPECT_THAT(logits.shape, ElementsAre(72, 761));
  EXPECT_EQ(logits.values<float>().size(), 72u * 761u);
  EXPECT_TRUE(logits.values<int64_t>().empty());
}

// Every element type and rank survives a round trip, and the data is aligned.
TEST(Npy, WritesWhatItReads) {
  const float floats[] = {1.5f, -2.25f, 0, 4, 5, 6};
  const int32_t ints[] = {-1, 7};
  const bool flags[] = {true, false, true};
  const int64_t two[] = {2, 3}, three[] = {1, 3, 1}, one[] = {2};
  Array array;
  std::string path = scratch("round.npy");
  ASSERT_FALSE(write<float>(path, two, floats));
  ASSERT_FALSE(read(path, array));
  EXPECT_THAT(array.shape, ElementsAre(2, 3));
  EXPECT_THAT(array.values<float>(), testing::ElementsAreArray(floats));
  EXPECT_EQ((std::filesystem::file_size(path) - sizeof floats) % 64, 0u);
  ASSERT_FALSE(write<int32_t>(path, one, ints));
  ASSERT_FALSE(read(path, array));
  EXPECT_THAT(array.values<int32_t>(), ElementsAre(-1, 7));
  ASSERT_FALSE(write<bool>(path, three, flags));
  ASSERT_FALSE(read(path, array));
  EXPECT_THAT(array.shape, ElementsAre(1, 3, 1));
  EXPECT_THAT(array.values<bool>(), ElementsAre(true, false, true));
}

// A scalar has no sizes, an empty array no data.
TEST(Npy, ScalarsAndEmptyArrays) {
  const float value[] = {3};
  const int64_t none[] = {0, 5};
  Array array;
  std::string path = scratch("edge.npy");
  ASSERT_FALSE(write<float>(path, {}, value));
  ASSERT_FALSE(read(path, array));
  EXPECT_TRUE(array.shape.empty());
  EXPECT_THAT(array.values<float>(), ElementsAre(3));
  ASSERT_FALSE(write<float>(path, none, {}));
  ASSERT_FALSE(read(path, array));
  EXPECT_THAT(array.shape, ElementsAre(0, 5));
}

// Versions 1.0 and 2.0 differ in the width of a length; fields come in any order.
TEST(Npy, ReadsBothVersions) {
  std::string header = "{\"shape\": (2,), 'fortran_order': False, 'descr': '<i4'}  \n";
  std::string data("\1\0\0\0\2\0\0\0", 8);
  for (char major : {char(1), char(2)}) {
    Array array;
    ASSERT_FALSE(parse(file(header, data, major), "a.npy", array));
    EXPECT_THAT(array.values<int32_t>(), ElementsAre(1, 2));
  }
  EXPECT_THAT(refusal(file(header, data, 3)), HasSubstr("version 3"));
}

// Each way a file can be wrong has its own sentence.
TEST(Npy, RefusesBrokenFiles) {
  auto header = [](const char *descr, const char *order, const char *shape) {
    return std::string("{'descr': '") + descr + "', 'fortran_order': " + order +
           ", 'shape': " + shape + ", }\n";
  };
  EXPECT_THAT(refusal("PK\3\4 this is an archive"), HasSubstr("error[GLM0009]: a.npy: is no .npy"));
  EXPECT_THAT(refusal(file(header("<f8", "False", "(1,)"), "12345678")), HasSubstr("'<f8'"));
  EXPECT_THAT(refusal(file(header(">i4", "False", "(1,)"), "1234")), HasSubstr("'>i4'"));
  EXPECT_THAT(refusal(file(header("<i4", "True", "(1, 1)"), "1234")), HasSubstr("Fortran"));
  EXPECT_THAT(refusal(file(header("<i4", "False", "(2,)"), "1234")), HasSubstr("4 bytes of data"));
  EXPECT_THAT(refusal(file(header("<i4", "False", "(1,)"), "12345")), HasSubstr("needs 4"));
  EXPECT_THAT(refusal(file(header("<i4", "False", "(4294967296, 4294967296)"), "")),
              HasSubstr("more than 2^63"));
  EXPECT_THAT(refusal(file(header("<i4", "False", "(99999999999999999999,)"), "")),
              HasSubstr("header"));
  EXPECT_THAT(refusal(file(header("<i4", "Perhaps", "(1,)"), "1234")), HasSubstr("header"));
  EXPECT_THAT(refusal(file("{'descr': '<i4'}", "1234")), HasSubstr("header"));
  EXPECT_THAT(refusal(file("{'descr': '<i4", "1234")), HasSubstr("header"));
  std::string whole = file(header("<i4", "False", "(1,)"), "1234");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
  EXPECT_EQ(refusal(whole), "");
}

// Ids are integers in one row.
TEST(Npy, IdsAreOneRowOfIntegers) {
  const int64_t row[] = {1, 2}, column[] = {2, 1};
  const int32_t ids[] = {5, 6};
  const float floats[] = {5, 6};
  std::vector<int64_t> read;
  std::string path = scratch("ids.npy");
  ASSERT_FALSE(write<int32_t>(path, row, ids));
  ASSERT_FALSE(readIds(path, read));
  EXPECT_THAT(read, ElementsAre(5, 6));
  ASSERT_FALSE(write<int32_t>(path, column, ids));
  EXPECT_THAT(readIds(path, read)->line(), HasSubstr("one row"));
  ASSERT_FALSE(write<float>(path, row, floats));
  EXPECT_THAT(readIds(path, read)->line(), HasSubstr("int32 or int64"));
}

// What cannot be opened says so, and a failed write leaves nothing behind.
TEST(Npy, FilesThatAreNotThere) {
  Array array;
  EXPECT_EQ(read("/no/such.npy", array)->line(),
            "error[GLM0002]: /no/such.npy: No such file or directory");
  EXPECT_THAT(read(testing::TempDir(), array)->line(), HasSubstr("not a regular file"));
  EXPECT_EQ(write<float>("/no/such.npy", {}, {})->code, 9);
  const int64_t none[] = {0};
  EXPECT_EQ(write<float>("/no/such.npy", none, {})->code, 6);
}

} // namespace
