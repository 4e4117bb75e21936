// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Headers of weight files: what is read from good ones, and one case for every way a bad one can
// lie.
#include "Folder.h"

#include "compiler/import/Safetensors.h"

using namespace glm;
using namespace glm::test;

namespace {

/// Opens a folder with this one file as model.safetensors.
absl::Status openFile(const std::string &bytes) {
  Folder folder;
  folder.write("model.safetensors", bytes);
  return Checkpoint::open(folder.path()).status();
}

absl::Status openHeader(const std::string &header, size_t dataBytes) {
  return openFile(safetensors(header, dataBytes));
}

std::string entry(const std::string &name, const std::string &dtype, const std::string &shape,
                  const std::string &offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

const std::string good = R"({"__metadata__":{"format":"pt"},)" +
                         entry("b", "BF16", "[2,3]", "[4,16]") + "," +
                         entry("a", "F32", "[]", "[0,4]") + "}   ";

TEST(Safetensors, ReadsNamesShapesAndAbsoluteOffsets) {
  Folder folder;
  folder.write("model.safetensors", safetensors(good, 16));
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  ASSERT_EQ(checkpoint->tensors().size(), 2u);
  EXPECT_EQ(checkpoint->tensors()[0].name, "a"); // ascending by offset, not by name
  const Tensor *b = checkpoint->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(shapeText(b->shape), "[2, 3]");
  EXPECT_EQ(b->dtype, Dtype::BF16);
  EXPECT_EQ(b->bytes, 12u);
  EXPECT_EQ(b->offset, 8 + good.size() + 4);
  EXPECT_EQ(checkpoint->find("c"), nullptr);
  EXPECT_TRUE(checkpoint->warnings().empty());
}

// Elements are named by their indices, bytes of no tensor by the file.
TEST(Safetensors, NamesElements) {
  Folder folder;
  std::string header =
      entry("b", "BF16", "[2,3]", "[4,16]") + "," + entry("a", "F32", "[]", "[0,4]");
  folder.write("model.safetensors", safetensors("{" + header + "}", 20));
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  uint64_t begin = checkpoint->files()[0].dataBegin;
  EXPECT_EQ(checkpoint->elementAt(0, begin + 2), "a []");
  EXPECT_EQ(checkpoint->elementAt(0, begin + 4), "b [0, 0]");
  EXPECT_EQ(checkpoint->elementAt(0, begin + 15), "b [1, 2]");
  EXPECT_EQ(checkpoint->elementAt(0, begin + 16), (folder.path() / "model.safetensors").string());
}

// Cutting a good file anywhere is an error, never a shorter checkpoint.
TEST(Safetensors, EveryTruncationFails) {
  std::string whole = safetensors(good, 16);
  for (size_t size = 0; size < whole.size(); ++size) {
    absl::Status status = openFile(whole.substr(0, size));
    EXPECT_EQ(numberOf(status), 102u) << size << ": " << status;
  }
  EXPECT_TRUE(openFile(whole).ok());
}

// No single changed byte of the header may crash; it parses or fails with a code.
TEST(Safetensors, EveryChangedByteIsHandled) {
  std::string whole = safetensors(good, 16);
  for (size_t at = 0; at < 8 + good.size(); ++at)
    for (unsigned char value : {0x00, 0x22, 0x2c, 0x39, 0x5b, 0x7b, 0x7d, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      absl::Status status = openFile(changed);
      EXPECT_TRUE(status.ok() || (numberOf(status) >= 100 && numberOf(status) < 200)) << status;
    }
}

TEST(Safetensors, RefusesAHugeHeaderLength) {
  expectError(openFile("\xff\xff\xff\xff\xff\xff\xff\xff{}"), Code::HeaderTooLarge,
              "18446744073709551615");
  expectError(openFile(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)), Code::HeaderTooLarge,
              "100000001");
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  expectError(openHeader("", 0), Code::HeaderMalformed, "does not start with '{'");
  expectError(openHeader(" {}", 0), Code::HeaderMalformed, "does not start with '{'");
  expectError(openHeader("{\"a\":", 0), Code::HeaderMalformed, "not valid JSON at byte");
  expectError(openHeader("{\"a\":1}", 0), Code::HeaderMalformed,
              "unexpected a number in the entry a");
  expectError(openHeader("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"extra\":1}}", 0),
              Code::HeaderMalformed, "unknown field 'extra'");
  expectError(openHeader("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0), Code::HeaderMalformed,
              "lacks data_offsets");
  expectError(openHeader("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0), Code::HeaderMalformed,
              "dtype twice");
  expectError(openHeader("{" + entry("a", "F32", "[[1]]", "[0,4]") + "}", 4), Code::HeaderMalformed,
              "an array");
  expectError(openHeader("{" + entry("a", "F32", "[-1]", "[0,4]") + "}", 4), Code::HeaderMalformed,
              "negative");
  expectError(openHeader("{" + entry("a", "F32", "[1.0]", "[0,4]") + "}", 4), Code::HeaderMalformed,
              "1.0");
  expectError(openHeader("{" + entry("a", "F32", "[1]", "[0,4,8]") + "}", 8), Code::HeaderMalformed,
              "has 3 numbers");
  expectError(openHeader("{" + entry("", "F32", "[1]", "[0,4]") + "}", 4), Code::HeaderMalformed,
              "empty name");
}

TEST(Safetensors, ChecksOffsetsAndSizes) {
  expectError(openHeader("{" + entry("a", "F99", "[1]", "[0,4]") + "}", 4), Code::UnknownDtype,
              "F99");
  expectError(openHeader("{" + entry("a", "F32", "[1]", "[8,4]") + "}", 8), Code::OffsetsOutOfRange,
              "8");
  expectError(openHeader("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 4), Code::FileTruncated,
              "holds 4");
  expectError(openHeader("{" + entry("a", "F32", "[2]", "[0,4]") + "}", 4), Code::SizeMismatch,
              "F32 [2] needs 8 bytes, data_offsets hold 4");
  expectError(openHeader("{" + entry("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", 0),
              Code::SizeMismatch, "overflows 64 bits");
  expectError(openHeader("{" + entry("a", "F4", "[3]", "[0,1]") + "}", 1), Code::SizeMismatch,
              "F4 [3]");
  EXPECT_TRUE(openHeader("{" + entry("a", "F4", "[4]", "[0,2]") + "}", 2).ok());
  EXPECT_TRUE(
      openHeader("{" + entry("a", "F32", "[0,9223372036854775807,9]", "[0,0]") + "}", 0).ok());
}

TEST(Safetensors, RefusesOverlapsAndDuplicates) {
  std::string a = entry("a", "U8", "[4]", "[0,4]");
  expectError(openHeader("{" + a + "," + entry("b", "U8", "[4]", "[3,7]") + "}", 7),
              Code::TensorsOverlap, "inside a, which ends at 4");
  expectError(openHeader("{" + a + "," + entry("b", "U8", "[4]", "[0,4]") + "}", 4),
              Code::TensorsOverlap, "inside");
  expectError(openHeader("{" + a + "," + a + "}", 4), Code::DuplicateTensor,
              "twice in model.safetensors");
}

// A hole is legal to the format's older writers: said, not refused.
TEST(Safetensors, NotesUnusedBytes) {
  Folder folder;
  folder.write("model.safetensors", safetensors("{" + entry("a", "U8", "[4]", "[2,6]") + "}", 9));
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  ASSERT_EQ(checkpoint->warnings().size(), 1u);
  EXPECT_NE(toText(checkpoint->warnings()[0]).find("5 bytes belong to no tensor"),
            std::string::npos);
}

/// A folder of two files with `index` as its index.
absl::Status openIndexed(const std::string &index) {
  Folder folder;
  folder.write("one.safetensors", safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "}", 1));
  folder.write("two.safetensors", safetensors("{" + entry("b", "U8", "[1]", "[0,1]") + "}", 1));
  folder.write("model.safetensors.index.json", index);
  return Checkpoint::open(folder.path()).status();
}

TEST(Safetensors, IndexAndFilesMustAgree) {
  EXPECT_TRUE(
      openIndexed(
          R"({"metadata":{"x":[1,{}]},"weight_map":{"b":"two.safetensors","a":"one.safetensors"}})")
          .ok());
  expectError(openIndexed(R"({"weight_map":{"a":"one.safetensors","b":"three.safetensors"}})"),
              Code::ShardMissing, "three.safetensors");
  expectError(openIndexed(R"({"weight_map":{"a":"two.safetensors","b":"two.safetensors"}})"),
              Code::TensorNotInShard, "is not in two.safetensors");
  expectError(openIndexed(R"({"weight_map":{"a":"one.safetensors","c":"two.safetensors"}})"),
              Code::TensorNotInShard, "c");
  Folder folder;
  folder.write("one.safetensors", safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "," +
                                                  entry("z", "U8", "[1]", "[1,2]") + "}",
                                              2));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"one.safetensors"}})");
  expectError(Checkpoint::open(folder.path()).status(), Code::TensorNotInIndex, "z");
}

TEST(Safetensors, RefusesAMalformedIndex) {
  expectError(openIndexed("{}"), Code::IndexMalformed, "weight_map is missing");
  expectError(openIndexed(R"({"weight_map":{}})"), Code::IndexMalformed, "weight_map is empty");
  expectError(openIndexed(R"({"weight_map":[]})"), Code::IndexMalformed, "an array");
  expectError(openIndexed(R"({"weight_map":{"a":1}})"), Code::IndexMalformed, "a number");
  expectError(openIndexed("[]"), Code::IndexMalformed, "an array");
  expectError(openIndexed("{\"weight_map\""), Code::IndexMalformed, "not valid JSON");
}

TEST(Safetensors, NamesMustStayInTheFolder) {
  for (const char *name : {"../one.safetensors", "/etc/passwd", "x/../../y", "..", ""})
    expectError(openIndexed(std::string(R"({"weight_map":{"a":")") + name + R"("}})"),
                Code::PathEscapes, "outside");
  EXPECT_TRUE(staysInside("a/b..c/d.safetensors"));
  EXPECT_FALSE(staysInside("a/.."));
}

// The layout of a download cache: the folder holds links into a store elsewhere.
TEST(Safetensors, FollowsSymbolicLinks) {
  Folder store, folder;
  store.write("blob", safetensors(good, 16));
  std::filesystem::create_symlink(store / "blob", folder / "model.safetensors");
  EXPECT_TRUE(Checkpoint::open(folder.path()).ok());
}

TEST(Safetensors, AcceptsACompleteSetWithoutIndex) {
  Folder folder;
  folder.write("model-00001-of-00002.safetensors",
               safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "}", 1));
  expectError(Checkpoint::open(folder.path()).status(), Code::ShardMissing,
              "part 2 of 2 is missing");
  folder.write("model-00002-of-00002.safetensors",
               safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "}", 1));
  expectError(Checkpoint::open(folder.path()).status(), Code::DuplicateTensor,
              "and in model-00002");
  folder.write("model-00002-of-00002.safetensors",
               safetensors("{" + entry("b", "U8", "[1]", "[0,1]") + "}", 1));
  EXPECT_TRUE(Checkpoint::open(folder.path()).ok());
}

TEST(Safetensors, RefusesFoldersWithoutOrWithTwoSetsOfWeights) {
  Folder folder;
  expectError(Checkpoint::open(folder.path()).status(), Code::NoWeights,
              "holds no safetensors file");
  expectError(Checkpoint::open(folder / "none").status(), Code::InputMissing, "is no folder");
  folder.write("model.safetensors", safetensors(good, 16));
  folder.write("one.safetensors", safetensors("{" + entry("x", "U8", "[1]", "[0,1]") + "}", 1));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"x":"one.safetensors"}})");
  expectError(Checkpoint::open(folder.path()).status(), Code::AmbiguousWeights, "does not name it");
  std::filesystem::remove(folder / "model.safetensors.index.json");
  std::filesystem::remove(folder / "model.safetensors");
  std::filesystem::create_directory(folder / "model.safetensors");
  expectError(Checkpoint::open(folder.path()).status(), Code::FileUnreadable, "no regular file");
}

TEST(Safetensors, KnowsEveryDtypeByName) {
  for (int i = 0; i <= static_cast<int>(Dtype::C64); ++i)
    EXPECT_EQ(parseDtype(nameOf(static_cast<Dtype>(i))), static_cast<Dtype>(i));
  EXPECT_EQ(bitsOf(Dtype::BF16), 16u);
  EXPECT_EQ(parseDtype("bf16"), std::nullopt);
}

} // namespace
