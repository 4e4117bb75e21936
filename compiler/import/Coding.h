// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the numbers of a weight are stored: plainly, or as codes with companion tensors. A coding is
// a row of a table, here and nowhere else: the codes' dtype, and which tensors stand beside
// `X.weight`, by suffix. What a coding means is in dialects/glm (glm.quantized).
//
//   coding        X.weight              read                                      left out
//   Fp8Blocks     F8_E4M3 [N, K]        weight_scale_inv F32 [N/128, K/128]
//   Int8Static    I8 [N, K]             input_scale, input_offset F32 [1],
//                                       quant_bias I32 [N], deq_scale F32 [N]
//   Int8Dynamic   I8 [N, K]             weight_scale F32 [N, 1]                   weight_offset
//   Int4Dynamic   I8 [N/2, K], two      weight_scale F32 [N, 1]                   weight_offset,
//   scale_bias
//                 rows a byte
#ifndef GLM_COMPILER_IMPORT_CODING_H
#define GLM_COMPILER_IMPORT_CODING_H

#include "compiler/import/Safetensors.h"
#include "compiler/import/Weights.h"

#include <span>
#include <string>
#include <unordered_map>

namespace glm {

enum class Coding : uint8_t { Plain, Fp8Blocks, Int8Static, Int8Dynamic, Int4Dynamic };

/// Why offsets of codes are not read; whoever packs weights checks that it holds.
inline constexpr std::string_view zeroByFormat = "zero by its format: codes are symmetric";

/// Rows and columns that share a scale in FP8 checkpoints.
inline constexpr int64_t fp8Block = 128;

/// One tensor beside the codes.
struct CompanionRow {
  std::string_view suffix;
  Dtype dtype;
  /// Why it is not read; empty when it is.
  std::string_view waived;
};

/// The companions of a coding; those that are read come first, in the order of a layer's operands.
std::span<const CompanionRow> companionsOf(Coding coding);

/// The dtype of the codes; BF16 of plain weights, which may have others.
Dtype codesOf(Coding coding);

/// Shape of the codes in the file, and of a companion, for a logical weight [N, K].
std::vector<int64_t> codesShape(Coding coding, std::span<const int64_t> weight);
std::vector<int64_t> companionShape(const CompanionRow &row, WeightKind kind,
                                    std::span<const int64_t> weight);

/// Whether weights of this kind may be stored as codes: linears, except those whose results are
/// compared (router, indexer weights) and those every published format leaves alone.
bool mayBeCoded(WeightKind kind);

/// `X.suffix` of `X.weight`.
std::string companionName(std::string_view weight, std::string_view suffix);

/// Which coding each weight of a checkpoint has.
class Codings {
public:
  /// FP8 checkpoints are read by the presence of scales (their list of exceptions names tensors
  /// that do not exist), msmodelslim's by quant_model_description.json. Errors: GLM0117, GLM0200.
  static absl::StatusOr<Codings> read(const Checkpoint &checkpoint, const Glm5Config &config,
                                      bool withDraft);

  /// The coding of a tensor `X.weight`. Error GLM0117 for a type that is not of the table.
  absl::StatusOr<Coding> of(std::string_view weight) const;

private:
  explicit Codings(const Checkpoint &checkpoint) : checkpoint(&checkpoint) {}
  absl::Status readDescription(bool withDraft);

  const Checkpoint *checkpoint;
  WeightFormat format = WeightFormat::Plain;
  std::unordered_map<std::string, std::string> types;
};

} // namespace glm

#endif
