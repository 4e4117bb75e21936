// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json: the published forms are read as the specification says, and each contradiction is
// found.
#include "Folder.h"

#include "compiler/import/Config.h"

#include "nlohmann/json.hpp"

using namespace glm;
using namespace glm::test;
using Json = nlohmann::json;

namespace {

Json published(const char *name) {
  std::ifstream file(std::string(GLM_TEST_DATA) + "/" + name + "/config.json");
  return Json::parse(file);
}

absl::StatusOr<Glm5Config> read(const std::string &text) {
  Folder folder;
  folder.write("config.json", text);
  return readGlm5Config(folder / "config.json");
}

/// glm5-tiny's configuration with some fields replaced; null removes a field.
absl::StatusOr<Glm5Config> with(const Json &changes, const char *base = "glm5-tiny") {
  Json config = published(base);
  for (auto &[name, value] : changes.items()) {
    if (value.is_null())
      config.erase(name);
    else
      config[name] = value;
  }
  return read(config.dump());
}

void expectRefused(const Json &changes, Code code, const std::string &part) {
  expectError(with(changes).status(), code, part);
}

std::string schedule(const Glm5Config &config) {
  std::string text;
  for (bool owner : config.ownsIndexer)
    text += owner ? 'F' : 'S';
  return text;
}

TEST(Config, ReadsGlm5) {
  absl::StatusOr<Glm5Config> c = with({});
  ASSERT_TRUE(c.ok()) << c.status();
  EXPECT_EQ(c->hiddenSize, 64);
  EXPECT_EQ(c->headDim(), 32);
  EXPECT_EQ(c->ropeTheta, 1e6);
  EXPECT_EQ(c->rmsEps, 1e-5);
  EXPECT_EQ(schedule(*c), "FFFF");
  EXPECT_EQ(c->isSparse, (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(c->eosTokens, (std::vector<int64_t>{697, 704, 706}));
  EXPECT_FALSE(c->shareIndexForDrafts);
  EXPECT_EQ(c->storedLayers(true), 5);
  EXPECT_EQ(c->format, WeightFormat::Plain);
}

TEST(Config, ReadsGlm52) {
  absl::StatusOr<Glm5Config> c = with({}, "glm52-tiny");
  ASSERT_TRUE(c.ok()) << c.status();
  EXPECT_EQ(schedule(*c), "FFFSFS");
  EXPECT_EQ(c->ropeTheta, 8e6);
  EXPECT_TRUE(c->shareIndexForDrafts);
  EXPECT_EQ(c->expertGroups, 4);
  EXPECT_EQ(c->keptGroups, 2);
  EXPECT_TRUE(c->layerOwnsIndexer(6)); // the draft layer always owns one
}

// indexer_types → index_topk_pattern → index_topk_freq with index_skip_topk_offset.
TEST(Config, SchedulePrecedence) {
  EXPECT_EQ(schedule(*with({{"indexer_types", nullptr}}, "glm52-tiny")), "FFFSFS");
  EXPECT_EQ(
      schedule(*with({{"indexer_types", nullptr}, {"index_topk_pattern", "FSSFSS"}}, "glm52-tiny")),
      "FSSFSS");
  EXPECT_EQ(schedule(*with({{"index_topk_pattern", "FSSFSS"}}, "glm52-tiny")), "FFFSFS");
  // Without the offset the default is 2, another schedule.
  EXPECT_EQ(schedule(*with({{"indexer_types", nullptr}, {"index_skip_topk_offset", nullptr}},
                           "glm52-tiny")),
            "FFSFSF");
  EXPECT_EQ(schedule(*with({{"index_topk_freq", 0}})), "FFFF");
}

// The published GLM-5.2: 21 full layers 0, 1, 2, 6, 10, …, 74 of 78.
TEST(Config, ScheduleOfThePublishedModel) {
  absl::StatusOr<Glm5Config> c =
      with({{"num_hidden_layers", 78}, {"index_topk_freq", 4}, {"index_skip_topk_offset", 3}});
  ASSERT_TRUE(c.ok()) << c.status();
  int owners = 0;
  for (int i = 0; i < 78; ++i) {
    EXPECT_EQ(c->ownsIndexer[i], i < 3 || (i - 2) % 4 == 0) << i;
    owners += c->ownsIndexer[i];
  }
  EXPECT_EQ(owners, 21);
}

TEST(Config, RefusesImpossibleSchedules) {
  expectRefused({{"index_topk_pattern", "SFFF"}}, Code::ScheduleInvalid, "makes layer 0 shared");
  expectRefused({{"index_topk_pattern", "FF"}}, Code::ScheduleInvalid,
                "has 2 entries, num_hidden_layers is 4");
  expectRefused({{"index_topk_pattern", "FFXF"}}, Code::ScheduleInvalid, "'X' for layer 2");
  expectRefused({{"indexer_types", {"full", "full", "part", "full"}}}, Code::ScheduleInvalid,
                "'part' for layer 2");
  expectRefused({{"indexer_types", {"shared", "full", "full", "full"}}}, Code::ScheduleInvalid,
                "indexer_types");
}

TEST(Config, NeededFieldsAreNeverGuessed) {
  for (const char *name : {"vocab_size",
                           "hidden_size",
                           "num_hidden_layers",
                           "num_attention_heads",
                           "q_lora_rank",
                           "kv_lora_rank",
                           "qk_nope_head_dim",
                           "qk_rope_head_dim",
                           "v_head_dim",
                           "index_n_heads",
                           "index_head_dim",
                           "index_topk",
                           "intermediate_size",
                           "moe_intermediate_size",
                           "n_routed_experts",
                           "n_shared_experts",
                           "num_experts_per_tok",
                           "rms_norm_eps",
                           "routed_scaling_factor",
                           "max_position_embeddings",
                           "first_k_dense_replace",
                           "model_type"})
    expectRefused({{name, nullptr}}, Code::FieldMissing, name);
}

TEST(Config, RopeThetaIsNestedOrAnError) {
  expectRefused({{"rope_parameters", nullptr}}, Code::FieldMissing, "holds rope_theta");
  expectRefused({{"rope_parameters", nullptr}, {"rope_theta", 1e6}}, Code::FieldMissing,
                "a top-level rope_theta is not where GLM-5 keeps it");
  expectRefused({{"rope_parameters", {{"rope_type", "default"}}}}, Code::FieldMissing,
                "rope_parameters: rope_theta");
  expectRefused({{"rope_parameters", {{"rope_theta", 1e6}, {"rope_type", "yarn"}}}},
                Code::ValueUnsupported, "'yarn'");
  expectRefused({{"rope_theta", 1e4}}, Code::FieldsContradict,
                "differs from rope_parameters.rope_theta");
}

TEST(Config, ContradictionsNameBothFields) {
  expectRefused({{"qk_head_dim", 64}}, Code::FieldsContradict,
                "is 64, qk_nope_head_dim + qk_rope_head_dim is 20 + 12 = 32");
  expectRefused({{"num_key_value_heads", 2}}, Code::FieldsContradict,
                "num_attention_heads are 2 and 4");
  expectRefused({{"index_head_dim", 8}}, Code::FieldsContradict, "index_head_dim are 12 and 8");
  expectRefused({{"n_group", 5}}, Code::FieldsContradict, "n_group are 12 and 5");
  expectRefused({{"topk_group", 2}}, Code::FieldsContradict, "n_group are 2 and 1");
  expectRefused({{"n_group", 6}, {"num_experts_per_tok", 3}}, Code::FieldsContradict,
                "the kept groups hold 2 experts");
  expectRefused({{"eos_token_id", 761}}, Code::FieldsContradict, "vocab_size are 761 and 761");
  expectRefused({{"mlp_layer_types", {"sparse", "sparse", "sparse", "sparse"}}},
                Code::FieldsContradict, "calls layer 0 sparse, first_k_dense_replace is 1");
  expectRefused({{"mlp_layer_types", {"dense"}}}, Code::FieldsContradict, "has 1 entries");
}

TEST(Config, UnsupportedVariantsAreNamed) {
  expectRefused({{"hidden_act", "gelu"}}, Code::ValueUnsupported, "only 'silu' is supported");
  expectRefused({{"scoring_func", "softmax"}}, Code::ValueUnsupported, "only 'sigmoid'");
  expectRefused({{"topk_method", "greedy"}}, Code::ValueUnsupported, "only 'noaux_tc'");
  expectRefused({{"attention_bias", true}}, Code::ValueUnsupported, "attention_bias");
  expectRefused({{"rope_scaling", {{"factor", 4}}}}, Code::ValueUnsupported, "rope_scaling");
  expectRefused({{"num_nextn_predict_layers", 2}}, Code::ValueUnsupported, "one draft layer");
  expectRefused({{"dtype", "float16"}}, Code::ValueUnsupported, "'float16'");
  expectRefused({{"model_type", "llama"}}, Code::UnsupportedModel, "'llama'");
}

TEST(Config, TypesAndRanges) {
  expectRefused({{"hidden_size", "64"}}, Code::FieldInvalid, "is \"64\" where an integer is meant");
  expectRefused({{"hidden_size", 64.5}}, Code::FieldInvalid, "is 64.5");
  expectRefused({{"hidden_size", 0}}, Code::FieldInvalid, "outside 1 to");
  expectRefused({{"num_hidden_layers", -1}}, Code::FieldInvalid, "is -1, outside");
  expectRefused({{"hidden_size", 18446744073709551615ull}}, Code::FieldInvalid, "outside");
  expectRefused({{"qk_rope_head_dim", 11}, {"qk_nope_head_dim", 21}}, Code::FieldInvalid,
                "which is odd");
  expectRefused({{"rms_norm_eps", 0}}, Code::FieldInvalid, "rms_norm_eps");
  expectRefused({{"norm_topk_prob", 1}}, Code::FieldInvalid, "true or false");
}

TEST(Config, RefusesWhatIsNoConfiguration) {
  expectError(read("").status(), Code::ConfigMalformed, "is not one JSON object");
  expectError(read("[]").status(), Code::ConfigMalformed, "is not one JSON object");
  expectError(read("{\"a\": 1").status(), Code::ConfigMalformed, "is not one JSON object");
  expectError(read(R"({"a": 1, "a": 2})").status(), Code::ConfigMalformed, "the field a twice");
  expectError(readGlm5Config("/nowhere/config.json").status(), Code::InputMissing, "is not there");
}

TEST(Config, RecognisesQuantisedForms) {
  absl::StatusOr<Glm5Config> c = with({{"quantization_config", {{"quant_method", "fp8"}}}});
  ASSERT_TRUE(c.ok()) << c.status();
  EXPECT_EQ(c->format, WeightFormat::Fp8Blocks);
  Folder folder;
  folder.write("config.json", published("glm5-tiny").dump());
  folder.write("quant_model_description.json", "{}");
  EXPECT_EQ(readGlm5Config(folder / "config.json")->format, WeightFormat::ModelSlim);
}

TEST(Config, GenerationDefaultsFallBackToTheConfiguration) {
  absl::StatusOr<Glm5Config> c = with({});
  Folder folder;
  EXPECT_EQ(readGenerationDefaults(folder.path(), *c)->eosTokens, c->eosTokens);
  folder.write("generation_config.json",
               R"({"temperature": 0.7, "top_p": 0.9, "eos_token_id": 5, "top_k": null})");
  absl::StatusOr<GenerationDefaults> g = readGenerationDefaults(folder.path(), *c);
  ASSERT_TRUE(g.ok()) << g.status();
  EXPECT_EQ(g->temperature, 0.7);
  EXPECT_EQ(g->topP, 0.9);
  EXPECT_EQ(g->topK, std::nullopt);
  EXPECT_EQ(g->eosTokens, std::vector<int64_t>{5});
  EXPECT_EQ(g->padToken, 697);
  folder.write("generation_config.json", R"({"top_p": 1.5})");
  expectError(readGenerationDefaults(folder.path(), *c).status(), Code::GenerationInvalid, "top_p");
}

TEST(Config, FindsTheChatTemplateInEitherPlace) {
  Folder folder;
  EXPECT_TRUE(findTextFiles(folder.path())->tokenizer.empty());
  folder.write("tokenizer_config.json", R"({"chat_template": "inline"})");
  EXPECT_EQ(findTextFiles(folder.path())->chatTemplate, "inline");
  folder.write("chat_template.jinja", "file");
  EXPECT_EQ(findTextFiles(folder.path())->chatTemplate, "file");
}

} // namespace
