// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Packing.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

using namespace glm::artifact;
namespace fs = std::filesystem;

namespace {

std::string bytesOfFile(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Packing : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("glm-packing-" + std::to_string(getpid()));
    fs::create_directories(folder);
    std::mt19937 random(1);
    source.resize(300000);
    for (char &byte : source)
      byte = char(random());
    std::ofstream(folder / "in", std::ios::binary) << source;
  }
  void TearDown() override { fs::remove_all(folder); }

  /// Three tensors of 100 chunks in all, with gaps, in two layouts.
  PackingPlan plan() {
    PackingPlan plan;
    plan.files = {folder / "in"};
    plan.tensors = 3;
    uint64_t offset = 0;
    for (int64_t i = 0; i < 100; ++i) {
      Chunk chunk;
      chunk.offset = offset;
      chunk.rows = 20, chunk.columns = 30;
      chunk.position = uint64_t(i) * chunk.sourceBytes();
      chunk.tensor = i / 50;
      chunk.last = i % 50 == 49;
      if (i % 3)
        chunk.n = 16, chunk.k = 2;
      chunk.bytes = chunk.n ? panelBytes(20, 30, 2, 16, 2) : chunk.sourceBytes();
      plan.chunks.push_back(chunk);
      offset += chunk.bytes + (i % 5 ? 0 : 4096);
    }
    plan.loose.push_back({2, 0, 1000, 50000});
    plan.segmentBytes = offset + 100;
    return plan;
  }

  absl::StatusOr<PackingResult> pack(const PackingPlan &plan, const char *name, unsigned workers) {
    auto file = OutputFile::create(folder / name);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE(file->resize(plan.segmentBytes + 64).ok());
    auto result = packWeights(plan, *file, 64, workers, progress);
    if (result.ok())
      EXPECT_TRUE(file->commit().ok());
    return result;
  }

  fs::path folder;
  std::string source;
  Progress progress;
};

// The bytes and hashes are the same for any number of workers, and the hashes are those of the
// bytes.
TEST_F(Packing, WorkersDoNotMatter) {
  PackingPlan plan = this->plan();
  auto one = pack(plan, "one", 1), four = pack(plan, "four", 4);
  ASSERT_TRUE(one.ok() && four.ok());
  EXPECT_EQ(bytesOfFile(folder / "one"), bytesOfFile(folder / "four"));
  EXPECT_EQ(one->segment, four->segment);
  EXPECT_EQ(one->tensors, four->tensors);
  EXPECT_EQ(one->segment, hashOf(std::string_view(bytesOfFile(folder / "one")).substr(64)));
  EXPECT_EQ(one->tensors[0], hashOf(source.substr(0, 50 * 1200)));
  EXPECT_EQ(one->tensors[1], hashOf(source.substr(50 * 1200, 50 * 1200)));
  EXPECT_EQ(one->tensors[2], hashOf(source.substr(1000, 50000)));
}

// Progress ends at the last byte and never goes back.
TEST_F(Packing, ReportsProgress) {
  uint64_t last = 0, calls = 0;
  progress = [&](uint64_t done, uint64_t total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    ++calls;
  };
  PackingPlan plan = this->plan();
  ASSERT_TRUE(pack(plan, "out", 2).ok());
  EXPECT_EQ(calls, 101u);
  EXPECT_EQ(last, plan.segmentBytes);
}

// A checkpoint that shrinks is an error that names the file; no worker hangs and no file is left.
TEST_F(Packing, TruncatedSource) {
  fs::resize_file(folder / "in", 60000);
  for (unsigned workers : {1u, 4u}) {
    auto result = pack(plan(), "out", workers);
    ASSERT_FALSE(result.ok());
    auto diagnostic = glm::diagnosticOf(result.status());
    ASSERT_TRUE(diagnostic);
    EXPECT_EQ(diagnostic->code, glm::Code::CheckpointChanged);
    EXPECT_EQ(diagnostic->thing, (folder / "in").string());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  }
}

// A weight that is no number is an error that names it; numbers of the same file are none.
TEST_F(Packing, RefusesWhatIsNoNumber) {
  for (char &byte : source)
    byte = char(byte & 0x7f) == 0x7f ? 0 : byte;
  source[5000] = char(0xff);
  std::ofstream(folder / "in", std::ios::binary) << source;
  PackingPlan plan;
  plan.files = {folder / "in"};
  plan.nameOf = [](uint32_t file, uint64_t position) {
    return std::to_string(file) + " at " + std::to_string(position);
  };
  Chunk chunk;
  chunk.rows = 64, chunk.columns = 64, chunk.position = 2000;
  chunk.from = chunk.to = Element::F8E4M3;
  chunk.bytes = plan.segmentBytes = 4096;
  plan.chunks = {chunk};
  auto diagnostic = glm::diagnosticOf(pack(plan, "out", 1).status());
  ASSERT_TRUE(diagnostic);
  EXPECT_EQ(diagnostic->code, glm::Code::NotANumber);
  EXPECT_EQ(diagnostic->thing, "0 at 5000");
  plan.chunks[0].position = 6000;
  EXPECT_TRUE(pack(plan, "out", 1).ok());
}

// What codes lose when they become numbers of another element is reported: 9/16 in bf16 is exact,
// 1 + 2^-8 is not.
TEST_F(Packing, ReportsWhatConversionChanges) {
  std::string codes(2, char(0x38)); // 1
  float scales[] = {0.5625f, 1 + 0x1p-8f};
  std::ofstream(folder / "in", std::ios::binary)
      << codes << std::string(reinterpret_cast<char *>(scales), sizeof scales);
  PackingPlan plan;
  plan.files = {folder / "in"};
  plan.rounded = {"w"};
  Chunk chunk;
  chunk.rows = 1, chunk.columns = 2, chunk.from = Element::F8E4M3;
  chunk.bytes = plan.segmentBytes = 4;
  chunk.rounded = 0;
  chunk.dequantize = {0, 2, 1, 2, 1, 1, 0};
  plan.chunks = {chunk};
  auto result = pack(plan, "out", 1);
  ASSERT_TRUE(result.ok());
  EXPECT_DOUBLE_EQ(result->rounding[0].changes, 0x1p-16);
}

// A file appears under its name only when it is complete.
TEST_F(Packing, OutputAppearsWhole) {
  {
    auto file = OutputFile::create(folder / "out");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write(0, "abc").ok());
    EXPECT_FALSE(fs::exists(folder / "out"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  auto file = OutputFile::create(folder / "out");
  ASSERT_TRUE(file->write(3, "def").ok() && file->commit().ok());
  EXPECT_EQ(bytesOfFile(folder / "out"), std::string("\0\0\0def", 6));
}

TEST_F(Packing, OutputNeedsAFolder) {
  auto file = OutputFile::create(folder / "missing" / "out");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(glm::diagnosticOf(file.status())->code, glm::Code::ArtifactUnwritable);
}

TEST(HashText, AsXxhsumPrints) { EXPECT_EQ(hashOf("").text(), "99aa06d3014798d86001c324468d497f"); }

} // namespace
