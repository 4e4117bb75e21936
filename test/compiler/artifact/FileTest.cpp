// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole artifact of the small checkpoint, read back: every element of every weight is where its
// layout says.
#include "compiler/import/Safetensors.h"
#include "compiler/pipeline/Compile.h"
#include "runtime/schema/container.h"
#include "runtime/schema/program_generated.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace glm;

namespace {

const fs::path checkpointFolder = fs::path(GLM_TEST_DATA) / "glm5-tiny";

std::string bytesOfFile(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ArtifactFile : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("glm-artifact-" + std::to_string(getpid()));
    fs::create_directories(folder);
    options.input = checkpointFolder;
    options.output = folder / "model.glm";
    options.targetCpu = "x86-64-v3";
    options.compiler = "test";
  }
  void TearDown() override { fs::remove_all(folder); }

  /// Compiles, once for each precision in the whole suite.
  void compileAndOpen() {
    std::string &compiled = once[options.precision];
    if (compiled.empty()) {
      ASSERT_TRUE(compile(options).ok());
      compiled = bytesOfFile(options.output);
    }
    open(compiled);
  }

  void open(const std::string &bytes) {
    file = bytes;
    std::memcpy(&header, file.data(), sizeof header);
    program = schema::GetProgram(file.data() + header.program_offset);
  }

  const char *segment(uint32_t index) {
    return file.data() + program->segments()->Get(index)->offset();
  }

  /// Element (row, column) of a matrix of `[rows, columns]` at `at`, as the layout's name says;
  /// bf16 bits or f32 bits.
  static uint32_t elementAt(const char *at, const std::string &layout, schema::Dtype dtype,
                            int64_t columns, int64_t row, int64_t column) {
    int64_t index = row * columns + column, n = 0, k = 0;
    if (std::sscanf(layout.c_str(), "panels<%ld,%ld>", &n, &k) == 2)
      index = (((row / n) * ((columns + k - 1) / k) + column / k) * n + row % n) * k + column % k;
    uint32_t value = 0;
    if (dtype == schema::Dtype::bf16)
      std::memcpy(reinterpret_cast<char *>(&value) + 2, at + index * 2, 2); // widened
    else
      std::memcpy(&value, at + index * 4, 4);
    return value;
  }

  static uint32_t sourceAt(const std::string &bytes, const Tensor &tensor, int64_t index) {
    uint32_t value = 0;
    if (tensor.dtype == Dtype::BF16)
      std::memcpy(reinterpret_cast<char *>(&value) + 2, bytes.data() + tensor.offset + index * 2,
                  2);
    else
      std::memcpy(&value, bytes.data() + tensor.offset + index * 4, 4);
    return value;
  }

  void checkPlain(const schema::Weight *weight, const Tensor &tensor, const std::string &bytes);
  void checkKvB(const schema::Weight *weight, const Tensor &tensor, const std::string &bytes);

  static inline std::map<std::string, std::string> once;
  fs::path folder;
  CompileOptions options;
  std::string file;
  glm_container_header header;
  const schema::Program *program = nullptr;
};

void ArtifactFile::checkPlain(const schema::Weight *weight, const Tensor &tensor,
                              const std::string &bytes) {
  const char *at = segment(weight->segment()) + weight->offset();
  int64_t columns = tensor.shape.back(), count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  for (int64_t i = 0; i < count; ++i)
    ASSERT_EQ(
        elementAt(at, weight->layout()->str(), weight->dtype(), columns, i / columns, i % columns),
        sourceAt(bytes, tensor, i))
        << weight->name()->str() << " element " << i;
}

/// Of kv_b_proj [H (DN + DV), KL], 4 heads of 20 + 28 rows, 24 wide: W_UK transposed [H, KL, DN]
/// for absorbed queries, W_UK [H, DN, KL] and W_UV [H, DV, KL] for expanded keys and for values.
void ArtifactFile::checkKvB(const schema::Weight *weight, const Tensor &tensor,
                            const std::string &bytes) {
  bool transposed = weight->name()->str().find("heads0t") != std::string::npos;
  bool keys = weight->name()->str().find("|heads0") != std::string::npos;
  int64_t heads = 4, rows = transposed ? 24 : keys ? 20 : 28, columns = transposed ? 20 : 24;
  ASSERT_EQ(weight->shape()->size(), 3u);
  EXPECT_EQ(weight->shape()->Get(1), rows);
  EXPECT_EQ(weight->shape()->Get(2), columns);
  uint64_t perHead = weight->size() / uint64_t(heads);
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        int64_t first = h * 48 + (keys ? 0 : 20);
        int64_t source = transposed ? (first + c) * 24 + r : (first + r) * 24 + c;
        const char *at = segment(weight->segment()) + weight->offset() + uint64_t(h) * perHead;
        ASSERT_EQ(elementAt(at, weight->layout()->str(), weight->dtype(), columns, r, c),
                  sourceAt(bytes, tensor, source))
            << weight->name()->str();
      }
}

// bf16 and f32: plain rows, panels, rows of heads for both forms of attention, widened ones.
TEST_F(ArtifactFile, EveryWeightIsWhereItsLayoutSays) {
  options.expandedKeys = 64;
  auto checkpoint = Checkpoint::open(checkpointFolder);
  ASSERT_TRUE(checkpoint.ok());
  std::vector<std::string> files;
  for (const WeightFile &weights : checkpoint->files())
    files.push_back(bytesOfFile(weights.path));
  for (const char *precision : {"bf16", "f32"}) {
    options.precision = precision;
    compileAndOpen();
    int derived = 0;
    for (const schema::Weight *weight : *program->weights()) {
      std::string name = weight->name()->str();
      const Tensor *tensor = checkpoint->find(name.substr(0, name.find('|')));
      ASSERT_TRUE(tensor) << name;
      if (name.find("|heads") == std::string::npos)
        checkPlain(weight, *tensor, files[tensor->file]);
      else
        checkKvB(weight, *tensor, files[tensor->file]), ++derived;
    }
    EXPECT_EQ(derived, 15);
  }
}

TEST_F(ArtifactFile, EveryExpertIsWhereItsLayoutSays) {
  compileAndOpen();
  auto checkpoint = Checkpoint::open(checkpointFolder);
  ASSERT_TRUE(checkpoint.ok());
  ASSERT_EQ(program->banks()->size(), 12u);
  for (const schema::Bank *bank : *program->banks())
    for (uint32_t expert = 0; expert < bank->offsets()->size(); ++expert) {
      std::string name = bank->name()->str();
      size_t dot = name.rfind('.');
      const Tensor *tensor = checkpoint->find(name.substr(0, dot) + "." + std::to_string(expert) +
                                              name.substr(dot) + ".weight");
      ASSERT_TRUE(tensor) << name;
      std::string bytes = bytesOfFile(checkpoint->files()[tensor->file].path);
      EXPECT_EQ(bank->offsets()->Get(expert) % 4096, 0u);
      const char *at = segment(bank->segment()) + bank->offsets()->Get(expert);
      int64_t columns = tensor->shape[1];
      for (int64_t i = 0; i < tensor->shape[0] * columns; ++i)
        ASSERT_EQ(
            elementAt(at, bank->layout()->str(), bank->dtype(), columns, i / columns, i % columns),
            sourceAt(bytes, *tensor, i));
    }
}

// What SCHEMA.md says of header, segments and entries.
TEST_F(ArtifactFile, KeepsTheRulesOfTheContainer) {
  compileAndOpen();
  EXPECT_EQ(std::memcmp(header.magic, GLM_CONTAINER_MAGIC, 8), 0);
  EXPECT_EQ(header.file_size, file.size());
  flatbuffers::Verifier verifier(
      reinterpret_cast<const uint8_t *>(file.data()) + header.program_offset, header.program_size);
  EXPECT_TRUE(schema::VerifyProgramBuffer(verifier));
  EXPECT_STREQ(program->model()->family()->c_str(), "glm_moe_dsa");
  EXPECT_EQ(program->model()->vocabulary(), 761);
  for (const schema::Segment *segment : *program->segments()) {
    EXPECT_EQ(segment->offset() % segment->alignment(), 0u) << segment->name()->str();
    EXPECT_LE(segment->offset() + segment->size(), file.size());
  }
  std::vector<std::string> entries;
  for (const schema::Entry *entry : *program->entries())
    entries.push_back(entry->name()->str());
  EXPECT_EQ(entries, (std::vector<std::string>{"step", "draft"}));
}

// The same input gives the same bytes, whatever the number of workers and the name of the folder.
TEST_F(ArtifactFile, IsDeterministic) {
  options.jobs = 1;
  compileAndOpen();
  fs::copy(checkpointFolder, folder / "elsewhere", fs::copy_options::recursive);
  options.input = folder / "elsewhere";
  options.jobs = 4;
  ASSERT_TRUE(compile(options).ok());
  EXPECT_EQ(file, bytesOfFile(options.output));
}

// Nothing of the building machine's folders is in the file.
TEST_F(ArtifactFile, NamesNoFolder) {
  compileAndOpen();
  EXPECT_EQ(file.find(checkpointFolder.string()), std::string::npos);
  EXPECT_EQ(file.find(folder.string()), std::string::npos);
}

} // namespace
