// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json and generation_config.json of a `glm_moe_dsa` checkpoint (GLM-5, 5.1, 5.2, 5.3),
// checked.
//
// The file is the only source of the model's shape, and a wrong guess computes nonsense without any
// sign of it. So: a field the shape needs is never defaulted, fields that say the same thing must
// agree, and values nobody ever published are refused. Optional fields have the defaults of the
// published model class. Letters in comments are those of the tensor table: H hidden, NH heads,
// QL/KL query and key-value latent, DN/DR/DV nope, rope and value width of a head, IH/ID indexer
// heads and their width, E experts.
#ifndef GLM_COMPILER_IMPORT_CONFIG_H
#define GLM_COMPILER_IMPORT_CONFIG_H

#include "compiler/diagnostics/Diagnostic.h"

#include "absl/status/statusor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm {

/// How weights are stored, as far as config.json and its neighbours tell.
enum class WeightFormat { Plain, Fp8Blocks, ModelSlim, Unknown };

struct Glm5Config {
  // Sizes.
  int64_t vocabSize = 0;  // V
  int64_t hiddenSize = 0; // H
  int64_t layers = 0;     // main layers; the draft layer has this index
  int64_t heads = 0;      // NH
  int64_t qLoraRank = 0;  // QL
  int64_t kvLoraRank = 0; // KL
  int64_t nopeDim = 0;    // DN
  int64_t ropeDim = 0;    // DR, also the rotated width of the indexer
  int64_t valueDim = 0;   // DV
  int64_t maxPositions = 0;
  // Lightning indexer.
  int64_t indexHeads = 0; // IH
  int64_t indexDim = 0;   // ID
  int64_t indexTopK = 0;
  /// One entry a main layer: true = owns an indexer, false = reuses the closest earlier owner's
  /// selection.
  std::vector<bool> ownsIndexer;
  bool shareIndexForDrafts = false; // index_share_for_mtp_iteration
  // Feed-forward.
  int64_t denseWidth = 0;    // I
  int64_t expertWidth = 0;   // M
  int64_t experts = 0;       // E
  int64_t sharedExperts = 0; // width of the shared expert = this times M; 0 = none
  int64_t expertsPerToken = 0;
  int64_t expertGroups = 1, keptGroups = 1;
  bool normalizeTopK = true;
  double routedScale = 1;
  /// One entry a main layer: true = mixture of experts, false = dense.
  std::vector<bool> isSparse;
  // Function.
  double rmsEps = 0;
  double ropeTheta = 0;
  bool ropeInterleaved = true, indexerRopeInterleaved = true;
  // Draft layer.
  int64_t draftLayers = 0;     // 0 or 1
  bool tiedEmbeddings = false; // lm_head is the embedding
  // Tokens.
  std::vector<int64_t> eosTokens;
  std::optional<int64_t> padToken, bosToken;
  // Weights.
  WeightFormat format = WeightFormat::Plain;
  std::string quantMethod; // for messages; empty when not quantised

  int64_t headDim() const { return nopeDim + ropeDim; }
  bool layerOwnsIndexer(int64_t layer) const { return layer >= layers || ownsIndexer[layer]; }
  bool layerIsSparse(int64_t layer) const { return layer >= layers || isSparse[layer]; }
  /// Main layers and, unless left out, the draft layer.
  int64_t storedLayers(bool withDraft) const { return layers + (withDraft ? draftLayers : 0); }
};

/// Sampling defaults. Absent fields stay empty; eos and pad fall back to config.json's.
struct GenerationDefaults {
  std::optional<double> temperature, topP, minP, repetitionPenalty;
  std::optional<int64_t> topK;
  std::optional<bool> sample;
  std::vector<int64_t> eosTokens;
  std::optional<int64_t> padToken;
};

/// Where the text side of a checkpoint lies; empty paths when there is no such file.
struct TextFiles {
  std::filesystem::path tokenizer;        // tokenizer.json
  std::filesystem::path tokenizerConfig;  // tokenizer_config.json
  std::filesystem::path chatTemplateFile; // chat_template.jinja
  std::string chatTemplate;               // its text, or tokenizer_config.json's chat_template
};

/// Reads and checks a config.json (the path of the file). Errors: GLM0004, GLM0200-0205.
absl::StatusOr<Glm5Config> readGlm5Config(const std::filesystem::path &path);

/// Reads generation_config.json of `folder` if there is one. Errors: GLM0200, GLM0206.
absl::StatusOr<GenerationDefaults> readGenerationDefaults(const std::filesystem::path &folder,
                                                          const Glm5Config &config);

/// Looks for the text files of `folder`. Missing ones are not an error here.
absl::StatusOr<TextFiles> findTextFiles(const std::filesystem::path &folder);

} // namespace glm

#endif
