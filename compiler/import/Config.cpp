// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the fields first, then checks what they say together. Every rule is one small function.
#include "compiler/import/Config.h"

#include "compiler/import/FileText.h"
#include "compiler/import/JsonFields.h"

#include <algorithm>
#include <cmath>

namespace glm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// No dimension of a model comes near; products of two stay inside 64 bits.
constexpr int64_t maxSize = int64_t(1) << 30;
constexpr int64_t maxLayers = 4096, maxExperts = 65536;

void readSizes(JsonFields &f, Glm5Config &c) {
  c.vocabSize = f.integer("vocab_size", 1, maxSize);
  c.hiddenSize = f.integer("hidden_size", 1, maxSize);
  c.layers = f.integer("num_hidden_layers", 1, maxLayers);
  c.heads = f.integer("num_attention_heads", 1, maxSize);
  c.qLoraRank = f.integer("q_lora_rank", 1, maxSize);
  c.kvLoraRank = f.integer("kv_lora_rank", 1, maxSize);
  c.nopeDim = f.integer("qk_nope_head_dim", 1, maxSize);
  c.ropeDim = f.integer("qk_rope_head_dim", 2, maxSize);
  c.valueDim = f.integer("v_head_dim", 1, maxSize);
  c.maxPositions = f.integer("max_position_embeddings", 1, maxSize - 1);
  c.indexHeads = f.integer("index_n_heads", 1, maxSize);
  c.indexDim = f.integer("index_head_dim", 1, maxSize);
  c.indexTopK = f.integer("index_topk", 1, maxSize);
  c.denseWidth = f.integer("intermediate_size", 1, maxSize);
  c.expertWidth = f.integer("moe_intermediate_size", 1, maxSize);
  c.experts = f.integer("n_routed_experts", 1, maxExperts);
  c.sharedExperts = f.integer("n_shared_experts", 0, maxSize);
  c.expertsPerToken = f.integer("num_experts_per_tok", 1, maxSize);
  c.expertGroups = f.integer("n_group", 1, maxSize, 1);
  c.keptGroups = f.integer("topk_group", 1, maxSize, 1);
  c.draftLayers = f.integer("num_nextn_predict_layers", 0, maxLayers, 0);
}

void readFunction(JsonFields &f, Glm5Config &c) {
  c.rmsEps = f.number("rms_norm_eps");
  c.normalizeTopK = f.boolean("norm_topk_prob", true);
  c.routedScale = f.number("routed_scaling_factor");
  c.ropeInterleaved = f.boolean("rope_interleave", true);
  c.indexerRopeInterleaved = f.boolean("indexer_rope_interleave", true);
  c.shareIndexForDrafts = f.boolean("index_share_for_mtp_iteration", false);
  c.tiedEmbeddings = f.boolean("tie_word_embeddings", false);
  c.eosTokens = f.integers("eos_token_id", 0, maxSize);
  if (f.has("pad_token_id"))
    c.padToken = f.integer("pad_token_id", -1, maxSize);
  if (f.has("bos_token_id"))
    c.bosToken = f.integer("bos_token_id", -1, maxSize);
}

void readRope(JsonFields &f, const std::string &thing, Glm5Config &c) {
  const Json *nested = f.nested("rope_parameters");
  if (!nested) {
    f.fail(Code::FieldMissing, "rope_parameters",
           f.has("rope_theta") ? "is missing; a top-level rope_theta is not where GLM-5 keeps it"
                               : "is missing and holds rope_theta",
           "add {\"rope_theta\": …, \"rope_type\": \"default\"} as published");
    return;
  }
  JsonFields rope(*nested, thing + ": rope_parameters");
  c.ropeTheta = rope.number("rope_theta");
  std::string type = rope.text("rope_type", "default");
  if (type != "default")
    rope.fail(Code::ValueUnsupported, "rope_type",
              "is '" + type + "', only 'default' is supported");
  if (rope.status().ok() && !(c.ropeTheta > 1))
    rope.fail(Code::FieldInvalid, "rope_theta", "must be greater than 1");
  if (!rope.status().ok()) {
    Diagnostic d = *diagnosticOf(rope.status());
    f.fail(d.code, d.thing.substr(thing.size() + 2), d.what, d.remedy);
    return;
  }
  double top = f.number("rope_theta", c.ropeTheta);
  if (top != c.ropeTheta)
    f.fail(Code::FieldsContradict, "rope_theta", "differs from rope_parameters.rope_theta",
           "keep the one in rope_parameters");
}

/// Fields with one supported value.
void checkVariants(JsonFields &f) {
  struct Text {
    const char *name, *value;
  };
  for (auto [name, value] : {Text{"hidden_act", "silu"}, Text{"scoring_func", "sigmoid"},
                             Text{"topk_method", "noaux_tc"}}) {
    std::string found = f.text(name, value);
    if (found != value)
      f.fail(Code::ValueUnsupported, name, "is '" + found + "', only '" + value + "' is supported");
  }
  for (const char *name : {"attention_bias", "mlp_bias"})
    if (f.boolean(name, false))
      f.fail(Code::ValueUnsupported, name, "is true; no published GLM-5 has biases");
  if (f.has("rope_scaling"))
    f.fail(Code::ValueUnsupported, "rope_scaling", "is set; only plain rotation is supported");
}

std::string pair(int64_t a, int64_t b) { return std::to_string(a) + " and " + std::to_string(b); }

void checkAttention(JsonFields &f, const Glm5Config &c) {
  int64_t qk = f.integer("qk_head_dim", 1, maxSize, c.headDim());
  if (qk != c.headDim())
    f.fail(Code::FieldsContradict, "qk_head_dim",
           "is " + std::to_string(qk) + ", qk_nope_head_dim + qk_rope_head_dim is " +
               std::to_string(c.nopeDim) + " + " + std::to_string(c.ropeDim) + " = " +
               std::to_string(c.headDim()));
  int64_t kvHeads = f.integer("num_key_value_heads", 1, maxSize, c.heads);
  if (kvHeads != c.heads)
    f.fail(Code::FieldsContradict, "num_key_value_heads",
           "and num_attention_heads are " + pair(kvHeads, c.heads) +
               ", latent attention needs them equal");
  if (c.ropeDim % 2 != 0)
    f.fail(Code::FieldInvalid, "qk_rope_head_dim",
           "is " + std::to_string(c.ropeDim) + ", which is odd");
  if (c.ropeDim > c.indexDim)
    f.fail(Code::FieldsContradict, "qk_rope_head_dim",
           "and index_head_dim are " + pair(c.ropeDim, c.indexDim) +
               "; the indexer rotates its first qk_rope_head_dim elements");
  if (!(c.rmsEps > 0 && c.rmsEps < 1))
    f.fail(Code::FieldInvalid, "rms_norm_eps", "must lie between 0 and 1");
}

void checkExperts(JsonFields &f, const Glm5Config &c) {
  if (c.experts % c.expertGroups != 0)
    f.fail(Code::FieldsContradict, "n_routed_experts",
           "and n_group are " + pair(c.experts, c.expertGroups) + ", the groups must be equal");
  if (c.keptGroups > c.expertGroups)
    f.fail(Code::FieldsContradict, "topk_group",
           "and n_group are " + pair(c.keptGroups, c.expertGroups) + ", more kept than there are");
  int64_t reachable = c.experts / c.expertGroups * c.keptGroups;
  if (c.expertsPerToken > reachable)
    f.fail(Code::FieldsContradict, "num_experts_per_tok",
           "is " + std::to_string(c.expertsPerToken) + ", the kept groups hold " +
               std::to_string(reachable) + " experts");
  if (!(c.routedScale > 0))
    f.fail(Code::FieldInvalid, "routed_scaling_factor", "must be positive");
}

void checkTokens(JsonFields &f, const Glm5Config &c) {
  for (int64_t id : c.eosTokens)
    if (id >= c.vocabSize)
      f.fail(Code::FieldsContradict, "eos_token_id",
             "and vocab_size are " + pair(id, c.vocabSize) + ", ids end before vocab_size");
  for (auto [name, id] : {std::pair{"pad_token_id", c.padToken}, {"bos_token_id", c.bosToken}})
    if (id && *id >= c.vocabSize)
      f.fail(Code::FieldsContradict, name,
             "and vocab_size are " + pair(*id, c.vocabSize) + ", ids end before vocab_size");
}

void checkDrafts(JsonFields &f, const Glm5Config &c) {
  if (c.draftLayers > 1)
    f.fail(Code::ValueUnsupported, "num_nextn_predict_layers",
           "is " + std::to_string(c.draftLayers) + ", published checkpoints have one draft layer");
}

/// indexer_types → index_topk_pattern → index_topk_freq with index_skip_topk_offset.
void readSchedule(JsonFields &f, Glm5Config &c) {
  int64_t freq = f.integer("index_topk_freq", 0, maxLayers, 1);
  int64_t offset = f.integer("index_skip_topk_offset", 0, maxLayers, 2);
  std::vector<bool> formula(c.layers);
  for (int64_t i = 0; i < c.layers; ++i)
    formula[i] = freq <= 1 || std::max<int64_t>(i - offset + 1, 0) % freq == 0;
  c.ownsIndexer = formula;

  std::string pattern = f.text("index_topk_pattern", "");
  auto fits = [&](const char *name, size_t count) {
    if (count == static_cast<size_t>(c.layers))
      return true;
    f.fail(Code::ScheduleInvalid, name,
           "has " + std::to_string(count) + " entries, num_hidden_layers is " +
               std::to_string(c.layers));
    return false;
  };
  if (!pattern.empty() && fits("index_topk_pattern", pattern.size()))
    for (int64_t i = 0; i < c.layers; ++i) {
      if (pattern[i] != 'F' && pattern[i] != 'S')
        f.fail(Code::ScheduleInvalid, "index_topk_pattern",
               "has '" + std::string(1, pattern[i]) + "' for layer " + std::to_string(i) +
                   ", F and S are known");
      c.ownsIndexer[i] = pattern[i] == 'F';
    }
  std::optional<std::vector<std::string>> types = f.texts("indexer_types");
  if (types && f.status().ok() && fits("indexer_types", types->size()))
    for (int64_t i = 0; i < c.layers; ++i) {
      const std::string &type = (*types)[i];
      if (type != "full" && type != "shared")
        f.fail(Code::ScheduleInvalid, "indexer_types",
               "has '" + type + "' for layer " + std::to_string(i) + ", full and shared are known");
      c.ownsIndexer[i] = type == "full";
    }
  if (!c.ownsIndexer[0])
    f.fail(Code::ScheduleInvalid, types ? "indexer_types" : "index_topk_pattern",
           "makes layer 0 shared; there is no earlier selection it could reuse");
}

/// mlp_layer_types, or first_k_dense_replace with moe_layer_freq; where both are given they must
/// agree.
void readMlpTypes(JsonFields &f, Glm5Config &c) {
  std::optional<std::vector<std::string>> types = f.texts("mlp_layer_types");
  bool formula = f.has("first_k_dense_replace");
  if (!types && !formula) {
    f.fail(Code::FieldMissing, "first_k_dense_replace",
           "is missing, and so is mlp_layer_types; which layers are dense is unknown",
           "add one of them as published");
    return;
  }
  c.isSparse.assign(c.layers, false);
  int64_t firstSparse = f.integer("first_k_dense_replace", 0, maxLayers, 0);
  int64_t freq = f.integer("moe_layer_freq", 1, maxLayers, 1);
  for (int64_t i = 0; i < c.layers; ++i)
    c.isSparse[i] = i >= firstSparse && i % freq == 0;
  if (!types || !f.status().ok())
    return;
  if (types->size() != static_cast<size_t>(c.layers)) {
    f.fail(Code::FieldsContradict, "mlp_layer_types",
           "has " + std::to_string(types->size()) + " entries, num_hidden_layers is " +
               std::to_string(c.layers));
    return;
  }
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string &type = (*types)[i];
    if (type != "dense" && type != "sparse")
      f.fail(Code::FieldInvalid, "mlp_layer_types",
             "has '" + type + "' for layer " + std::to_string(i) + ", dense and sparse are known");
    if (formula && c.isSparse[i] != (type == "sparse"))
      f.fail(Code::FieldsContradict, "mlp_layer_types",
             "calls layer " + std::to_string(i) + " " + type + ", first_k_dense_replace is " +
                 std::to_string(firstSparse) + " and moe_layer_freq " + std::to_string(freq));
    c.isSparse[i] = type == "sparse";
  }
}

void readFormat(JsonFields &f, Glm5Config &c) {
  std::string dtype = f.text("dtype", f.text("torch_dtype", "bfloat16"));
  if (dtype != "bfloat16" && dtype != "float32")
    f.fail(Code::ValueUnsupported, "dtype",
           "is '" + dtype + "', bfloat16 and float32 are supported");
  const Json *quantization = f.nested("quantization_config");
  if (!quantization)
    return;
  auto method = quantization->find("quant_method");
  bool named = method != quantization->end() && method->is_string();
  c.quantMethod = named ? method->get<std::string>() : "unnamed";
  c.format = c.quantMethod == "fp8" ? WeightFormat::Fp8Blocks : WeightFormat::Unknown;
}

} // namespace

absl::StatusOr<Glm5Config> readGlm5Config(const fs::path &path) {
  std::error_code error;
  if (!fs::exists(path, error))
    return codedError(Code::InputMissing, path.string(), "is not there",
                      "name the folder of a checkpoint");
  absl::StatusOr<Json> object = readJsonObject(path, Code::ConfigMalformed);
  if (!object.ok())
    return object.status();
  std::string thing = path.string();
  JsonFields f(*object, thing);
  std::string type = f.text("model_type");
  if (f.status().ok() && type != "glm_moe_dsa")
    f.fail(Code::UnsupportedModel, "model_type", "is '" + type + "', glm_moe_dsa is supported");

  Glm5Config c;
  if (f.status().ok()) {
    readSizes(f, c);
    readFunction(f, c);
    readRope(f, thing, c);
    checkVariants(f);
  }
  // What follows divides and indexes by the sizes: only with all of them read.
  if (f.status().ok()) {
    readSchedule(f, c);
    readMlpTypes(f, c);
    readFormat(f, c);
    checkAttention(f, c);
    checkExperts(f, c);
    checkTokens(f, c);
    checkDrafts(f, c);
  }
  if (!f.status().ok())
    return f.status();
  if (fs::exists(path.parent_path() / "quant_model_description.json", error)) {
    c.format = WeightFormat::ModelSlim;
    c.quantMethod = "msmodelslim";
  }
  return c;
}

absl::StatusOr<GenerationDefaults> readGenerationDefaults(const fs::path &folder,
                                                          const Glm5Config &config) {
  GenerationDefaults g;
  g.eosTokens = config.eosTokens;
  g.padToken = config.padToken;
  fs::path path = folder / "generation_config.json";
  std::error_code error;
  if (!fs::exists(path, error))
    return g;
  absl::StatusOr<Json> object = readJsonObject(path, Code::ConfigMalformed);
  if (!object.ok())
    return object.status();
  JsonFields f(*object, path.string(), Code::GenerationInvalid);
  auto number = [&](const char *name, double low, double high) -> std::optional<double> {
    if (!f.has(name))
      return std::nullopt;
    double value = f.number(name, low);
    if (!(value >= low && value <= high))
      f.fail(Code::GenerationInvalid, name, "is out of range");
    return value;
  };
  g.temperature = number("temperature", 0, 1000);
  g.topP = number("top_p", 0, 1);
  g.minP = number("min_p", 0, 1);
  g.repetitionPenalty = number("repetition_penalty", 1e-6, 1000);
  if (f.has("top_k"))
    g.topK = f.integer("top_k", 0, maxSize);
  if (f.has("do_sample"))
    g.sample = f.boolean("do_sample", true);
  if (std::vector<int64_t> eos = f.integers("eos_token_id", 0, config.vocabSize - 1); !eos.empty())
    g.eosTokens = std::move(eos);
  if (f.has("pad_token_id"))
    g.padToken = f.integer("pad_token_id", -1, config.vocabSize - 1);
  if (!f.status().ok())
    return f.status();
  return g;
}

absl::StatusOr<TextFiles> findTextFiles(const fs::path &folder) {
  TextFiles files;
  std::error_code error;
  auto locate = [&](const char *name) {
    return fs::exists(folder / name, error) ? folder / name : fs::path();
  };
  files.tokenizer = locate("tokenizer.json");
  files.tokenizerConfig = locate("tokenizer_config.json");
  files.chatTemplateFile = locate("chat_template.jinja");
  if (!files.chatTemplateFile.empty()) {
    absl::StatusOr<std::string> text = readWhole(files.chatTemplateFile, 16 << 20);
    if (!text.ok())
      return text.status();
    files.chatTemplate = std::move(*text);
    return files;
  }
  if (files.tokenizerConfig.empty())
    return files;
  absl::StatusOr<Json> object = readJsonObject(files.tokenizerConfig, Code::ConfigMalformed);
  if (!object.ok())
    return object.status();
  if (auto it = object->find("chat_template"); it != object->end() && it->is_string())
    files.chatTemplate = it->get<std::string>();
  return files;
}

} // namespace glm
