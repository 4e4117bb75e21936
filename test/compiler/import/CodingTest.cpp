// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantised checkpoints in the published layouts: every tensor has one fate, codes and scales that
// do not fit are named, and what a format does not say is never guessed.
#include "Folder.h"

#include "compiler/import/Ledger.h"

#include <algorithm>

using namespace glm;
using namespace glm::test;

namespace {

std::filesystem::path data(const std::string &name) {
  return std::filesystem::path(GLM_TEST_DATA) / name;
}

absl::StatusOr<Ledger> matchFolder(const std::filesystem::path &folder, Checkpoint &checkpoint,
                                   Ledger::Options options = {}) {
  absl::StatusOr<Glm5Config> config = readGlm5Config(folder / "config.json");
  if (!config.ok())
    return config.status();
  return Ledger::match(checkpoint, *config, options);
}

/// A copy of a golden folder whose `file` had the first `from` replaced by `to`.
struct Changed : Folder {
  Changed(const char *name, const char *file, const std::string &from, const std::string &to) {
    for (const auto &entry : std::filesystem::directory_iterator(data(name)))
      std::filesystem::copy(entry.path(), path() / entry.path().filename());
    std::ifstream in(data(name) / file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    text.replace(at, from.size(), to);
    write(file, text);
  }
};

absl::Status statusOf(const Folder &folder, Ledger::Options options = {}) {
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(folder.path());
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return matchFolder(folder.path(), *checkpoint, options).status();
}

// What is read is consumed; offsets that are zero by the format and sums for other multipliers are
// waived, each with its reason.
TEST(Coding, EveryTensorHasOneFate) {
  struct Expected {
    const char *name;
    size_t waived;
  };
  for (auto [name, waived] : {Expected{"glm5-tiny-fp8", 0}, Expected{"glm5-tiny-w8a8", 84},
                              Expected{"glm5-tiny-w4a8", 120}}) {
    absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(data(name));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    absl::StatusOr<Ledger> ledger = matchFolder(data(name), *checkpoint);
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    size_t left = std::ranges::count(ledger->rows(), Fate::Waived, &LedgerRow::fate);
    EXPECT_EQ(left, waived) << name;
    for (const LedgerRow &row : ledger->rows())
      if (row.fate == Fate::Waived)
        EXPECT_TRUE(row.tensor->name.ends_with(".weight_offset") ||
                    row.tensor->name.ends_with(".scale_bias"))
            << row.tensor->name;
  }
}

// The list of exceptions in config.json names a tensor that does not exist: scales decide.
TEST(Coding, Fp8IsDecidedByItsScales) {
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(data("glm5-tiny-fp8"));
  absl::StatusOr<Ledger> ledger = matchFolder(data("glm5-tiny-fp8"), *checkpoint);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  auto coding = [&](const char *symbol) { return ledger->find(symbol)->coding; };
  EXPECT_EQ(coding("model.layers.0.self_attn.indexer.weights_proj.weight"), Coding::Plain);
  EXPECT_EQ(coding("model.layers.0.self_attn.indexer.wk.weight"), Coding::Fp8Blocks);
  EXPECT_EQ(coding("model.layers.1.mlp.experts.up_proj"), Coding::Fp8Blocks);
  EXPECT_EQ(coding("model.layers.1.mlp.gate.weight"), Coding::Plain);
}

TEST(Coding, ShapesOfPartialBlocks) {
  std::vector<int64_t> weight = {576, 6144};
  const CompanionRow &scales = companionsOf(Coding::Fp8Blocks)[0];
  EXPECT_EQ(companionShape(scales, WeightKind::KvDown, weight), (std::vector<int64_t>{5, 48}));
  EXPECT_EQ(codesShape(Coding::Int4Dynamic, weight), (std::vector<int64_t>{288, 6144}));
}

TEST(Coding, MissingScalesAreNamed) {
  Changed folder("glm5-tiny-w8a8", "quant_model_description.json",
                 R"("model.layers.0.self_attn.kv_b_proj.weight": "FLOAT")",
                 R"("model.layers.0.self_attn.kv_b_proj.weight": "W8A8_DYNAMIC")");
  expectError(statusOf(folder), Code::TensorMistyped,
              "missing too (model.layers.0.self_attn.kv_b_proj.weight_scale");
}

TEST(Coding, CodesOfAnotherTypeAreNamed) {
  Changed folder("glm5-tiny-w8a8", "quant_model_description.json",
                 R"("model.layers.0.mlp.up_proj.weight": "W8A8_DYNAMIC")",
                 R"("model.layers.0.mlp.up_proj.weight": "FLOAT")");
  expectError(statusOf(folder), Code::TensorMistyped, "model.layers.0.mlp.up_proj.weight: is I8");
}

TEST(Coding, UnknownTypesAreRefused) {
  Changed folder("glm5-tiny-w8a8", "quant_model_description.json",
                 R"("model.layers.0.mlp.up_proj.weight": "W8A8_DYNAMIC")",
                 R"("model.layers.0.mlp.up_proj.weight": "W4A4_MXFP4")");
  expectError(statusOf(folder), Code::UnsupportedFormat, "W4A4_MXFP4");
}

// Rotated hidden states need a weight in front of the draft layer that is not read: without drafts
// nothing is missing.
TEST(Coding, RotationIsRefusedBesideDrafts) {
  Changed folder("glm5-tiny-w8a8", "quant_model_description.json", R"("version": "1.0.0")",
                 R"("version": "1.0.0", "is_rot_used": true)");
  expectError(statusOf(folder), Code::UnsupportedFormat, "--no-mtp");
  EXPECT_TRUE(statusOf(folder, {.noDraft = true}).ok());
}

} // namespace
