// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Weights.h"

namespace glm {
namespace {

/// Appends rows of one layer; keeps the table below free of repetition.
struct RowList {
  std::string prefix;
  std::vector<WeightRow> rows;

  void matrix(WeightKind kind, const char *suffix, int64_t out, int64_t in) {
    rows.push_back({kind, prefix + suffix, {out, in}});
  }
  void vector(WeightKind kind, const char *suffix, int64_t length) {
    rows.push_back({kind, prefix + suffix, {length}});
  }
  void bank(WeightKind kind, const char *suffix, int64_t experts, int64_t out, int64_t in) {
    rows.push_back({kind, prefix + suffix, {out, in}, experts});
  }
};

void attentionRows(RowList &list, const Glm5Config &c) {
  using enum WeightKind;
  int64_t h = c.hiddenSize;
  list.vector(InputGain, "input_layernorm.weight", h);
  list.vector(AttentionGain, "post_attention_layernorm.weight", h);
  list.matrix(QueryDown, "self_attn.q_a_proj.weight", c.qLoraRank, h);
  list.vector(QueryGain, "self_attn.q_a_layernorm.weight", c.qLoraRank);
  list.matrix(QueryUp, "self_attn.q_b_proj.weight", c.heads * c.headDim(), c.qLoraRank);
  list.matrix(KvDown, "self_attn.kv_a_proj_with_mqa.weight", c.kvLoraRank + c.ropeDim, h);
  list.vector(KvGain, "self_attn.kv_a_layernorm.weight", c.kvLoraRank);
  list.matrix(KvUp, "self_attn.kv_b_proj.weight", c.heads * (c.nopeDim + c.valueDim), c.kvLoraRank);
  list.matrix(Output, "self_attn.o_proj.weight", h, c.heads * c.valueDim);
}

void indexerRows(RowList &list, const Glm5Config &c) {
  using enum WeightKind;
  list.matrix(IndexQuery, "self_attn.indexer.wq_b.weight", c.indexHeads * c.indexDim, c.qLoraRank);
  list.matrix(IndexKey, "self_attn.indexer.wk.weight", c.indexDim, c.hiddenSize);
  list.vector(IndexGain, "self_attn.indexer.k_norm.weight", c.indexDim);
  list.vector(IndexBias, "self_attn.indexer.k_norm.bias", c.indexDim);
  list.matrix(IndexWeights, "self_attn.indexer.weights_proj.weight", c.indexHeads, c.hiddenSize);
}

void denseRows(RowList &list, const Glm5Config &c) {
  using enum WeightKind;
  list.matrix(DenseGate, "mlp.gate_proj.weight", c.denseWidth, c.hiddenSize);
  list.matrix(DenseUp, "mlp.up_proj.weight", c.denseWidth, c.hiddenSize);
  list.matrix(DenseDown, "mlp.down_proj.weight", c.hiddenSize, c.denseWidth);
}

void expertRows(RowList &list, const Glm5Config &c) {
  using enum WeightKind;
  int64_t h = c.hiddenSize, m = c.expertWidth, shared = c.expertWidth * c.sharedExperts;
  list.matrix(Router, "mlp.gate.weight", c.experts, h);
  list.vector(CorrectionBias, "mlp.gate.e_score_correction_bias", c.experts);
  list.bank(ExpertGate, "mlp.experts.{}.gate_proj.weight", c.experts, m, h);
  list.bank(ExpertUp, "mlp.experts.{}.up_proj.weight", c.experts, m, h);
  list.bank(ExpertDown, "mlp.experts.{}.down_proj.weight", c.experts, h, m);
  if (shared == 0)
    return;
  list.matrix(SharedGate, "mlp.shared_experts.gate_proj.weight", shared, h);
  list.matrix(SharedUp, "mlp.shared_experts.up_proj.weight", shared, h);
  list.matrix(SharedDown, "mlp.shared_experts.down_proj.weight", h, shared);
}

void draftRows(RowList &list, const Glm5Config &c) {
  using enum WeightKind;
  list.vector(DraftEmbeddingGain, "enorm.weight", c.hiddenSize);
  list.vector(DraftHiddenGain, "hnorm.weight", c.hiddenSize);
  list.matrix(DraftProjection, "eh_proj.weight", c.hiddenSize, 2 * c.hiddenSize);
  list.vector(DraftGain, "shared_head.norm.weight", c.hiddenSize);
}

} // namespace

std::string WeightRow::expertName(int64_t expert) const {
  std::string result = name;
  if (size_t at = result.find("{}"); at != std::string::npos)
    result.replace(at, 2, std::to_string(expert));
  return result;
}

std::string WeightRow::symbol() const {
  if (!isBank())
    return name;
  // model.layers.1.mlp.experts.{}.gate_proj.weight → model.layers.1.mlp.experts.gate_proj
  std::string result = name;
  result.erase(result.find("{}"), 3);
  return result.substr(0, result.rfind('.'));
}

std::string layerPrefix(int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }

std::string stackedGateUpName(int64_t layer) {
  return layerPrefix(layer) + "mlp.experts.gate_up_proj";
}

std::string stackedDownName(int64_t layer) { return layerPrefix(layer) + "mlp.experts.down_proj"; }

std::vector<WeightRow> modelRows(const Glm5Config &config) {
  RowList list;
  list.matrix(WeightKind::Embedding, "model.embed_tokens.weight", config.vocabSize,
              config.hiddenSize);
  list.vector(WeightKind::FinalGain, "model.norm.weight", config.hiddenSize);
  if (!config.tiedEmbeddings)
    list.matrix(WeightKind::Head, "lm_head.weight", config.vocabSize, config.hiddenSize);
  return list.rows;
}

std::vector<WeightRow> layerRows(const Glm5Config &config, int64_t layer) {
  RowList list{layerPrefix(layer), {}};
  attentionRows(list, config);
  if (config.layerOwnsIndexer(layer))
    indexerRows(list, config);
  if (config.layerIsSparse(layer))
    expertRows(list, config);
  else
    denseRows(list, config);
  if (layer >= config.layers)
    draftRows(list, config);
  return list.rows;
}

std::vector<WeightRow> allRows(const Glm5Config &config, bool withDraft) {
  std::vector<WeightRow> rows = modelRows(config);
  for (int64_t layer = 0; layer < config.storedLayers(withDraft); ++layer)
    for (WeightRow &row : layerRows(config, layer))
      rows.push_back(std::move(row));
  return rows;
}

bool allowsDtype(WeightKind kind, Dtype dtype) {
  if (kind == WeightKind::CorrectionBias)
    return dtype == Dtype::F32;
  return dtype == Dtype::BF16 || dtype == Dtype::F32;
}

Dtype publishedDtype(WeightKind kind) {
  return kind == WeightKind::CorrectionBias ? Dtype::F32 : Dtype::BF16;
}

} // namespace glm
