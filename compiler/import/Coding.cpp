// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Coding.h"

#include "compiler/import/FileText.h"
#include "compiler/import/JsonFields.h"

#include <algorithm>

namespace glm {
namespace {

constexpr std::string_view halves =
    "a sum that accelerators need who multiply halves of 8 bits, not integer products";

constexpr CompanionRow fp8Rows[] = {{"weight_scale_inv", Dtype::F32, {}}};
constexpr CompanionRow staticRows[] = {{"deq_scale", Dtype::F32, {}},
                                       {"quant_bias", Dtype::I32, {}},
                                       {"input_scale", Dtype::F32, {}},
                                       {"input_offset", Dtype::F32, {}}};
constexpr CompanionRow dynamicRows[] = {{"weight_scale", Dtype::F32, {}},
                                        {"weight_offset", Dtype::F32, zeroByFormat}};
constexpr CompanionRow int4Rows[] = {{"weight_scale", Dtype::F32, {}},
                                     {"weight_offset", Dtype::F32, zeroByFormat},
                                     {"scale_bias", Dtype::F32, halves}};

/// Slices that `scale_bias` of a down projection is summed in, one for each of 16 ranks.
constexpr int64_t biasSlices = 16;

struct TypeName {
  std::string_view name;
  Coding coding;
};
constexpr TypeName typeNames[] = {{"FLOAT", Coding::Plain},
                                  {"W8A8", Coding::Int8Static},
                                  {"W8A8_DYNAMIC", Coding::Int8Dynamic},
                                  {"W4A8_DYNAMIC", Coding::Int4Dynamic}};

constexpr const char *descriptionName = "quant_model_description.json";
constexpr const char *remedy = "use the BF16, FP8, W8A8 or W4A8 form of the checkpoint";

int64_t blocks(int64_t size) { return (size + fp8Block - 1) / fp8Block; }

} // namespace

std::span<const CompanionRow> companionsOf(Coding coding) {
  switch (coding) {
  case Coding::Plain:
    return {};
  case Coding::Fp8Blocks:
    return fp8Rows;
  case Coding::Int8Static:
    return staticRows;
  case Coding::Int8Dynamic:
    return dynamicRows;
  case Coding::Int4Dynamic:
    return int4Rows;
  }
  return {};
}

Dtype codesOf(Coding coding) {
  if (coding == Coding::Plain)
    return Dtype::BF16;
  return coding == Coding::Fp8Blocks ? Dtype::F8E4M3 : Dtype::I8;
}

std::vector<int64_t> codesShape(Coding coding, std::span<const int64_t> weight) {
  std::vector<int64_t> shape(weight.begin(), weight.end());
  if (coding == Coding::Int4Dynamic)
    shape[0] /= 2;
  return shape;
}

std::vector<int64_t> companionShape(const CompanionRow &row, WeightKind kind,
                                    std::span<const int64_t> weight) {
  if (row.suffix == "weight_scale_inv")
    return {blocks(weight[0]), blocks(weight[1])};
  if (row.suffix == "input_scale" || row.suffix == "input_offset")
    return {1};
  if (row.suffix == "deq_scale" || row.suffix == "quant_bias")
    return {weight[0]};
  if (row.suffix == "scale_bias" && kind == WeightKind::ExpertDown)
    return {weight[0], biasSlices};
  return {weight[0], 1};
}

bool mayBeCoded(WeightKind kind) {
  switch (kind) {
    using enum WeightKind;
  case QueryDown:
  case QueryUp:
  case KvDown:
  case KvUp:
  case Output:
  case IndexQuery:
  case IndexKey:
  case DenseGate:
  case DenseUp:
  case DenseDown:
  case ExpertGate:
  case ExpertUp:
  case ExpertDown:
  case SharedGate:
  case SharedUp:
  case SharedDown:
    return true;
  default:
    return false;
  }
}

std::string companionName(std::string_view weight, std::string_view suffix) {
  constexpr std::string_view last = "weight";
  if (weight.ends_with(last))
    weight.remove_suffix(last.size());
  return std::string(weight) + std::string(suffix);
}

absl::StatusOr<Codings> Codings::read(const Checkpoint &checkpoint, const Glm5Config &config,
                                      bool withDraft) {
  Codings codings(checkpoint);
  codings.format = config.format;
  if (config.format == WeightFormat::Unknown)
    return codedError(
        Code::UnsupportedFormat, checkpoint.folder().string(),
        "is quantised (" + config.quantMethod + "), a format this version does not import", remedy);
  if (config.format == WeightFormat::ModelSlim)
    if (absl::Status status = codings.readDescription(withDraft); !status.ok())
      return status;
  return codings;
}

absl::Status Codings::readDescription(bool withDraft) {
  std::filesystem::path path = checkpoint->folder() / descriptionName;
  absl::StatusOr<nlohmann::json> object = readJsonObject(path, Code::ConfigMalformed);
  if (!object.ok())
    return object.status();
  for (auto &[name, value] : object->items()) {
    // The rotation of hidden states is undone by weights everywhere but in front of the draft
    // layer.
    bool rotated = (name == "is_rot_used" && value.is_boolean() && value.get<bool>()) ||
                   (name == "optional" && value.is_object() && value.contains("quarot"));
    if (rotated && withDraft)
      return codedError(Code::UnsupportedFormat, path.string(),
                        "rotates hidden states (" + name +
                            "), which the draft layer would have to undo",
                        "leave the draft layer out with --no-mtp");
    if (value.is_string() && name.ends_with(".weight"))
      types.emplace(name, value.get<std::string>());
  }
  return absl::OkStatus();
}

absl::StatusOr<Coding> Codings::of(std::string_view weight) const {
  if (format == WeightFormat::Fp8Blocks)
    return checkpoint->find(companionName(weight, fp8Rows[0].suffix)) ? Coding::Fp8Blocks
                                                                      : Coding::Plain;
  if (format != WeightFormat::ModelSlim)
    return Coding::Plain;
  auto type = types.find(std::string(weight));
  if (type == types.end())
    return Coding::Plain;
  for (const TypeName &known : typeNames)
    if (known.name == type->second)
      return known.coding;
  return codedError(Code::UnsupportedFormat, std::string(weight),
                    "is of type " + type->second + ", which this version does not import", remedy);
}

} // namespace glm
