// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ledger against the published layout (the golden checkpoints, written by Hugging Face's
// tools): it accepts them, and every deviation is an error that names the tensor.
#include "Folder.h"

#include "compiler/import/Ledger.h"

#include <functional>
#include <map>

using namespace glm;
using namespace glm::test;

namespace {

struct Entry {
  std::string dtype;
  std::vector<int64_t> shape;
};
using Entries = std::map<std::string, Entry>;

std::filesystem::path data(const char *name) { return std::filesystem::path(GLM_TEST_DATA) / name; }

Glm5Config configOf(const char *name) { return *readGlm5Config(data(name) / "config.json"); }

/// Names, dtypes and shapes of a golden checkpoint.
Entries entriesOf(const char *name) {
  Entries entries;
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(data(name));
  for (const Tensor &tensor : checkpoint->tensors())
    entries[std::string(tensor.name)] = {std::string(nameOf(tensor.dtype)),
                                         {tensor.shape.begin(), tensor.shape.end()}};
  return entries;
}

/// Writes entries as one file of zeros.
void writeEntries(const Folder &folder, const Entries &entries) {
  std::string header = "{";
  uint64_t offset = 0;
  for (const auto &[name, entry] : entries) {
    uint64_t bytes = bitsOf(*parseDtype(entry.dtype)) / 8;
    for (int64_t size : entry.shape)
      bytes *= size;
    header += (offset || header.size() > 1 ? ",\"" : "\"") + name + R"(":{"dtype":")" +
              entry.dtype + R"(","shape":)" + shapeText(entry.shape) + R"(,"data_offsets":[)" +
              std::to_string(offset) + "," + std::to_string(offset + bytes) + "]}";
    offset += bytes;
  }
  folder.write("model.safetensors", safetensors(header + "}", offset));
}

struct Matched {
  std::unique_ptr<Folder> folder = std::make_unique<Folder>();
  std::unique_ptr<Checkpoint> checkpoint;
  absl::StatusOr<Ledger> ledger = absl::UnknownError("not matched");
};

/// Matches the golden checkpoint `base` after `change`.
Matched match(const std::function<void(Entries &)> &change, Ledger::Options options = {},
              const char *base = "glm5-tiny") {
  Matched matched;
  Entries entries = entriesOf(base);
  change(entries);
  writeEntries(*matched.folder, entries);
  matched.checkpoint = std::make_unique<Checkpoint>(*Checkpoint::open(matched.folder->path()));
  matched.ledger = Ledger::match(*matched.checkpoint, configOf(base), options);
  return matched;
}

size_t count(const Ledger &ledger, Fate fate) {
  size_t n = 0;
  for (const LedgerRow &row : ledger.rows())
    n += row.fate == fate;
  return n;
}

TEST(Ledger, ConsumesEveryTensorOfTheGoldenCheckpoints) {
  for (const char *name : {"glm5-tiny", "glm52-tiny", "glm5-demo"}) {
    absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(data(name));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    Glm5Config config = configOf(name);
    absl::StatusOr<Ledger> ledger = Ledger::match(*checkpoint, config);
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    EXPECT_EQ(count(*ledger, Fate::Consumed), checkpoint->tensors().size()) << name;
  }
}

// Each tensor of the table, removed one at a time, is missed by name.
TEST(Ledger, EveryMissingTensorIsNamed) {
  Entries all = entriesOf("glm52-tiny");
  for (const auto &[name, entry] : all) {
    if (name.find("experts.") != std::string::npos && name.find("experts.3.") == std::string::npos)
      continue;
    Matched matched = match([&](Entries &entries) { entries.erase(name); }, {}, "glm52-tiny");
    expectError(matched.ledger.status(), Code::TensorMissing,
                name + ": is missing: config.json implies " + shapeText(entry.shape));
  }
}

TEST(Ledger, EveryShapeIsChecked) {
  for (const auto &[name, entry] : entriesOf("glm5-tiny")) {
    if (name.find("experts.") != std::string::npos && name.find("experts.3.") == std::string::npos)
      continue;
    Matched matched = match([&](Entries &entries) { ++entries[name].shape.back(); });
    expectError(matched.ledger.status(), Code::TensorMisshaped, name + ": has shape ");
  }
}

TEST(Ledger, TypesAreChecked) {
  const std::string bias = "model.layers.1.mlp.gate.e_score_correction_bias";
  expectError(match([&](Entries &e) { e[bias].dtype = "BF16"; }).ledger.status(),
              Code::TensorMistyped, bias + ": is BF16 where F32 is needed");
  expectError(match([](Entries &e) { e["lm_head.weight"].dtype = "F16"; }).ledger.status(),
              Code::TensorMistyped, "is F16 where BF16 or F32 is needed");
  expectError(match([](Entries &e) {
                e["model.layers.1.mlp.experts.5.up_proj.weight"].dtype = "F32";
              }).ledger.status(),
              Code::TensorMistyped, "where expert 0 of the layer is BF16");
  EXPECT_TRUE(match([](Entries &e) { e["lm_head.weight"].dtype = "F32"; }).ledger.ok());
}

TEST(Ledger, UnexpectedTensorsAreNamedAndCounted) {
  auto add = [](Entries &e) {
    for (int i = 0; i < 9; ++i)
      e["model.extra." + std::to_string(i)] = {"BF16", {2}};
  };
  Matched matched = match(add);
  expectError(matched.ledger.status(), Code::TensorUnexpected,
              "model.extra.0: BF16 [2] is not a tensor of the model");
  expectError(matched.ledger.status(), Code::TensorUnexpected,
              "model.extra.1, model.extra.2, model.extra.3 and 5 others unexpected too");
}

// An indexer in a shared layer means the schedule was misread by somebody: never ignored.
TEST(Ledger, AnIndexerInASharedLayerIsUnexpected) {
  auto add = [](Entries &e) {
    e["model.layers.3.self_attn.indexer.wk.weight"] = {"BF16", {16, 56}};
  };
  expectError(match(add, {}, "glm52-tiny").ledger.status(), Code::TensorUnexpected,
              "layers.3.self_attn.indexer.wk");
}

TEST(Ledger, WithoutTheDraftLayerItsTensorsAreWaived) {
  Matched matched = match([](Entries &) {}, {.noDraft = true});
  ASSERT_TRUE(matched.ledger.ok()) << matched.ledger.status();
  for (const LedgerRow &row : matched.ledger->rows()) {
    bool draft = row.tensor->name.starts_with("model.layers.4.");
    EXPECT_EQ(row.fate, draft ? Fate::Waived : Fate::Consumed) << row.tensor->name;
    if (draft)
      EXPECT_EQ(matched.ledger->note(row), "--no-mtp");
  }
  EXPECT_EQ(matched.ledger->find("model.layers.4.enorm.weight"), nullptr);
  // Files that never had them are fine as well.
  auto drop = [](Entries &e) {
    std::erase_if(e, [](auto &item) { return item.first.starts_with("model.layers.4."); });
  };
  EXPECT_TRUE(match(drop, {.noDraft = true}).ledger.ok());
  expectError(match(drop).ledger.status(), Code::TensorMissing,
              "model.layers.4.input_layernorm.weight");
}

TEST(Ledger, CopiesAndTablesAreWaived) {
  auto add = [](Entries &e) {
    e["model.layers.4.embed_tokens.weight"] = e["model.embed_tokens.weight"];
    e["model.layers.4.shared_head.head.weight"] = e["lm_head.weight"];
    e["model.layers.0.self_attn.rotary_emb.inv_freq"] = {"F32", {6}};
  };
  Matched matched = match(add);
  ASSERT_TRUE(matched.ledger.ok()) << matched.ledger.status();
  EXPECT_EQ(count(*matched.ledger, Fate::Waived), 3u);
  auto wrong = [](Entries &e) { e["model.layers.4.embed_tokens.weight"] = {"BF16", {761, 65}}; };
  expectError(match(wrong).ledger.status(), Code::TensorMisshaped,
              "model.layers.4.embed_tokens.weight");
}

/// Turns the per-expert tensors of one layer into the two stacked ones.
void stack(Entries &entries, int layer) {
  std::string prefix = "model.layers." + std::to_string(layer) + ".mlp.experts.";
  std::erase_if(entries, [&](auto &item) { return item.first.starts_with(prefix); });
  entries[prefix + "gate_up_proj"] = {"BF16", {12, 72, 64}};
  entries[prefix + "down_proj"] = {"BF16", {12, 64, 36}};
}

TEST(Ledger, AcceptsStackedExperts) {
  Matched matched = match([](Entries &e) { stack(e, 2); });
  ASSERT_TRUE(matched.ledger.ok()) << matched.ledger.status();
  const WeightSource *up = matched.ledger->find("model.layers.2.mlp.experts.up_proj");
  ASSERT_NE(up, nullptr);
  ASSERT_EQ(up->within.size(), 12u);
  EXPECT_EQ(up->within[0], 36u * 64 * 2); // behind the gate rows
  EXPECT_EQ(up->within[1], 36u * 64 * 2 + 72 * 64 * 2);
  const WeightSource *down = matched.ledger->find("model.layers.2.mlp.experts.down_proj");
  EXPECT_EQ(down->within[3], 3u * 64 * 36 * 2);
}

TEST(Ledger, RefusesBothLayoutsAtOnce) {
  auto mix = [](Entries &e) {
    e["model.layers.1.mlp.experts.gate_up_proj"] = {"BF16", {12, 72, 64}};
  };
  expectError(match(mix).ledger.status(), Code::LayoutMixed,
              "stands beside model.layers.1.mlp.experts.0.gate_proj");
}

TEST(Ledger, ScalesWithoutAFormatAreRefusedWithOneReason) {
  auto scale = [](Entries &e) {
    e["model.layers.0.mlp.up_proj.weight_scale_inv"] = {"F32", {1, 1}};
  };
  expectError(match(scale).ledger.status(), Code::UnsupportedFormat, "weight_scale_inv");
  Glm5Config config = configOf("glm5-tiny");
  config.format = WeightFormat::Unknown;
  config.quantMethod = "awq";
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(data("glm5-tiny"));
  expectError(Ledger::match(*checkpoint, config).status(), Code::UnsupportedFormat,
              "quantised (awq)");
}

TEST(Weights, SymbolsAndNamesOfExperts) {
  WeightRow row{WeightKind::ExpertUp, "model.layers.1.mlp.experts.{}.up_proj.weight", {36, 64}, 12};
  EXPECT_EQ(row.symbol(), "model.layers.1.mlp.experts.up_proj");
  EXPECT_EQ(row.expertName(11), "model.layers.1.mlp.experts.11.up_proj.weight");
}

// Totals of the published model: 743,911,218,432 parameters, 753,864,139,008 with the draft layer.
TEST(Weights, ParameterCountOfThePublishedModel) {
  Glm5Config c = configOf("glm5-tiny");
  c.vocabSize = 154880, c.hiddenSize = 6144, c.layers = 78, c.heads = 64, c.qLoraRank = 2048,
  c.kvLoraRank = 512;
  c.nopeDim = 192, c.ropeDim = 64, c.valueDim = 256, c.indexHeads = 32, c.indexDim = 128,
  c.denseWidth = 12288;
  c.expertWidth = 2048, c.experts = 256, c.sharedExperts = 1;
  c.ownsIndexer.assign(78, true);
  c.isSparse.assign(78, true);
  for (int i = 0; i < 3; ++i)
    c.isSparse[i] = false;
  auto total = [&](bool draft) {
    int64_t sum = 0;
    for (const WeightRow &row : allRows(c, draft)) {
      int64_t size = row.experts;
      for (int64_t dim : row.shape)
        size *= dim;
      sum += row.kind == WeightKind::CorrectionBias ? row.shape[0] : size;
    }
    return sum;
  };
  EXPECT_EQ(total(false), 743'911'218'432);
  EXPECT_EQ(total(true), 753'864'139'008);
}

} // namespace
