// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tensors a `glm_moe_dsa` model has: the checkpoint table, generated from its configuration.
// The ledger checks a checkpoint against it, the importer asks it for a layer's weights in order,
// and glm-synthesize writes what it lists. There is no other list of names.
#ifndef GLM_COMPILER_IMPORT_WEIGHTS_H
#define GLM_COMPILER_IMPORT_WEIGHTS_H

#include "compiler/import/Config.h"
#include "compiler/import/Dtype.h"

#include <string>
#include <string_view>
#include <vector>

namespace glm {

/// What a tensor is for. One value for each row of the table (gate and up are one kind of matrix
/// but two rows).
enum class WeightKind : uint8_t {
  Embedding,
  Head,
  FinalGain,
  InputGain,
  AttentionGain,
  QueryDown,
  QueryGain,
  QueryUp,
  KvDown,
  KvGain,
  KvUp,
  Output,
  IndexQuery,
  IndexKey,
  IndexGain,
  IndexBias,
  IndexWeights,
  DenseGate,
  DenseUp,
  DenseDown,
  Router,
  CorrectionBias,
  ExpertGate,
  ExpertUp,
  ExpertDown,
  SharedGate,
  SharedUp,
  SharedDown,
  DraftEmbeddingGain,
  DraftHiddenGain,
  DraftProjection,
  DraftGain,
};

/// One row of the table for one layer (or for the model). `name` is the full tensor name; for the
/// expert kinds it has `{}` in place of the expert's number and stands for `experts` tensors.
struct WeightRow {
  WeightKind kind;
  std::string name;
  /// [rows, columns], or [length].
  std::vector<int64_t> shape;
  /// Number of tensors the row stands for: 1, or n_routed_experts.
  int64_t experts = 1;

  bool isBank() const { return name.find("{}") != std::string::npos; }
  /// The symbol of the weight: the tensor's name; of a bank: up to `experts`, then the matrix.
  std::string symbol() const;
  /// The tensor name of one expert.
  std::string expertName(int64_t expert) const;
};

/// Embedding, final norm and head (no head when it is tied to the embedding).
std::vector<WeightRow> modelRows(const Glm5Config &config);

/// The rows of layer `layer`, in the order of the table: norms, attention, indexer (owners), then
/// dense or expert feed-forward, then what only the draft layer (index `config.layers`) has.
std::vector<WeightRow> layerRows(const Glm5Config &config, int64_t layer);

/// Everything: modelRows and layerRows of every stored layer.
std::vector<WeightRow> allRows(const Glm5Config &config, bool withDraft);

/// Whether a tensor of this kind may be stored as `dtype`. Weights are BF16 or F32;
/// e_score_correction_bias decides between experts and is F32 in every published file.
bool allowsDtype(WeightKind kind, Dtype dtype);

/// The dtype published BF16 checkpoints use.
Dtype publishedDtype(WeightKind kind);

/// `model.layers.7.`
std::string layerPrefix(int64_t layer);

/// In the stacked layout of transformers ≥ 5 one tensor holds all experts of a layer:
/// `….mlp.experts.gate_up_proj` [E, 2M, H] (gate rows first) and `….mlp.experts.down_proj` [E, H,
/// M].
std::string stackedGateUpName(int64_t layer);
std::string stackedDownName(int64_t layer);

} // namespace glm

#endif
