// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the expected table once, then the tensors nobody asked for. Findings are collected by kind
// and reported together: the first by name with its numbers, a few more by name, the rest by count.
#include "compiler/import/Ledger.h"

#include <algorithm>
#include <array>

namespace glm {
namespace {

constexpr size_t namedFindings = 3;
constexpr uint32_t undecided = ~0u;
constexpr uint64_t maxMissing = 1'000'000;

/// Tensors that break one rule.
struct Findings {
  Code code;
  /// "are missing" and the like, for the tensors after the first.
  const char *summary;
  const char *remedy;
  /// The first few names, the first one's detail, and how many there are in all.
  std::vector<std::string> names;
  std::string detail;
  uint64_t count = 0;

  void add(std::string name, std::string why) {
    if (count++ == 0)
      detail = std::move(why);
    if (names.size() <= namedFindings)
      names.push_back(std::move(name));
  }

  std::string more() const {
    std::string text;
    for (size_t i = 1; i < names.size(); ++i)
      text += (i > 1 ? ", " : "") + names[i];
    if (count > names.size())
      text += " and " + std::to_string(count - names.size()) + " others";
    return text;
  }
};

std::string typeText(const Tensor &tensor) { return std::string(nameOf(tensor.dtype)); }

bool endsWith(std::string_view text, std::string_view end) { return text.ends_with(end); }

} // namespace

std::string_view nameOf(Fate fate) {
  constexpr std::array<std::string_view, 3> names = {"consumed", "derived", "waived"};
  return names[static_cast<size_t>(fate)];
}

/// One matching of a checkpoint and a configuration.
class Matcher {
public:
  Matcher(const Checkpoint &checkpoint, const Glm5Config &config, Ledger::Options options)
      : checkpoint(checkpoint), config(config), options(options) {}

  absl::StatusOr<Ledger> run() {
    if (absl::Status status = refuseUnnamedFormat(); !status.ok())
      return status;
    absl::StatusOr<Codings> read = Codings::read(checkpoint, config, !options.noDraft);
    if (!read.ok())
      return read.status();
    codings = &*read;
    ledger.table = allRows(config, !options.noDraft);
    ledger.ledgerRows.reserve(checkpoint.tensors().size());
    for (const Tensor &tensor : checkpoint.tensors())
      ledger.ledgerRows.push_back({&tensor, Fate::Waived, undecided});
    for (const WeightRow &row : ledger.table) {
      // A configuration of millions of experts beside a small checkpoint: enough is known.
      if (missing.count > maxMissing)
        break;
      if (absl::Status status = matchRow(row); !status.ok())
        return status;
    }
    waiveKnownExtras();
    if (absl::Status status = report(); !status.ok())
      return status;
    return std::move(ledger);
  }

private:
  /// Scales beside a configuration that knows of none: one clear message, not thousands of
  /// unexpected tensors.
  absl::Status refuseUnnamedFormat() const {
    if (config.format != WeightFormat::Plain)
      return absl::OkStatus();
    for (const Tensor &tensor : checkpoint.tensors())
      if (endsWith(tensor.name, ".weight_scale_inv") || endsWith(tensor.name, ".weight_scale"))
        return codedError(Code::UnsupportedFormat, checkpoint.folder().string(),
                          "holds scales of quantised weights (" + std::string(tensor.name) +
                              "), but neither config.json nor a description names their format",
                          "fetch the files that belong to the weights");
    return absl::OkStatus();
  }

  uint32_t note(std::string text) {
    if (ledger.notes.empty() || ledger.notes.back() != text)
      ledger.notes.push_back(std::move(text));
    return static_cast<uint32_t>(ledger.notes.size() - 1);
  }

  void decide(const Tensor &tensor, Fate fate, uint32_t why) {
    LedgerRow &row = ledger.ledgerRows[&tensor - checkpoint.tensors().data()];
    if (row.note == undecided)
      row = {&tensor, fate, why};
  }

  bool checkTensorShape(const Tensor &tensor, std::span<const int64_t> shape) {
    if (std::ranges::equal(tensor.shape, shape))
      return true;
    misshaped.add(std::string(tensor.name), "has shape " + shapeText(tensor.shape) +
                                                " where config.json implies " + shapeText(shape));
    return false;
  }

  /// Checks shape and dtype of codes or of what stands beside them.
  void checkExactly(const Tensor &tensor, std::span<const int64_t> shape, Dtype dtype) {
    if (checkTensorShape(tensor, shape) && tensor.dtype != dtype)
      mistyped.add(std::string(tensor.name), "is " + typeText(tensor) + " where " +
                                                 std::string(nameOf(dtype)) + " is needed");
  }

  /// Checks shape and dtype; a tensor that fails still counts as known.
  void check(const Tensor &tensor, std::span<const int64_t> shape, WeightKind kind) {
    if (checkTensorShape(tensor, shape) && !allowsDtype(kind, tensor.dtype))
      mistyped.add(std::string(tensor.name),
                   "is " + typeText(tensor) +
                       (kind == WeightKind::CorrectionBias ? " where F32 is needed"
                                                           : " where BF16 or F32 is needed"));
  }

  absl::Status matchRow(const WeightRow &row) {
    WeightSource source{&row, {}, {}, Coding::Plain, {}};
    uint32_t consumer = note(row.symbol());
    absl::StatusOr<Coding> coding = codings->of(row.isBank() ? row.expertName(0) : row.name);
    if (!coding.ok())
      return coding.status();
    if (mayBeCoded(row.kind))
      source.coding = *coding;
    if (source.coding == Coding::Int8Static && row.isBank())
      return codedError(Code::UnsupportedFormat, row.expertName(0),
                        "is an expert with static activations, which no published checkpoint has",
                        "use a dynamic form of the checkpoint");
    if (source.coding != Coding::Plain)
      matchCodes(row, consumer, source);
    else if (!row.isBank())
      matchOne(row, row.name, consumer, source);
    else if (!matchStacked(row, consumer, source))
      for (int64_t expert = 0; expert < row.experts; ++expert)
        matchOne(row, row.expertName(expert), consumer, source);
    if (row.isBank())
      checkUniform(source);
    ledger.bySymbol.emplace(row.symbol(), static_cast<uint32_t>(ledger.sources.size()));
    ledger.sources.push_back(std::move(source));
    return absl::OkStatus();
  }

  /// The codes of a weight or of every expert, and what stands beside them.
  void matchCodes(const WeightRow &row, uint32_t consumer, WeightSource &source) {
    std::vector<int64_t> shape = codesShape(source.coding, row.shape);
    if (source.coding == Coding::Int4Dynamic && row.shape[0] % 2 != 0)
      misshaped.add(row.name, "has an odd number of rows, two of which would share bytes");
    for (int64_t expert = 0; expert < row.experts; ++expert)
      if (const Tensor *tensor = required(row.expertName(expert), shape)) {
        checkExactly(*tensor, shape, codesOf(source.coding));
        decide(*tensor, Fate::Consumed, consumer);
        source.tensors.push_back(tensor);
      }
    for (const CompanionRow &companion : companionsOf(source.coding)) {
      std::vector<int64_t> beside = companionShape(companion, row.kind, row.shape);
      bool isRead = companion.waived.empty();
      uint32_t why = isRead ? consumer : note(std::string(companion.waived));
      Companion found{&companion, {}};
      for (int64_t expert = 0; expert < row.experts; ++expert) {
        const Tensor *tensor =
            required(companionName(row.expertName(expert), companion.suffix), beside);
        if (!tensor)
          continue;
        checkExactly(*tensor, beside, companion.dtype);
        decide(*tensor, isRead ? Fate::Consumed : Fate::Waived, why);
        found.tensors.push_back(tensor);
      }
      if (isRead)
        source.companions.push_back(std::move(found));
    }
  }

  /// The tensor of that name; a finding when there is none.
  const Tensor *required(const std::string &name, std::span<const int64_t> shape) {
    const Tensor *tensor = checkpoint.find(name);
    if (!tensor)
      missing.add(name, "is missing: config.json implies " + shapeText(shape));
    return tensor;
  }

  void matchOne(const WeightRow &row, const std::string &name, uint32_t consumer,
                WeightSource &source) {
    const Tensor *tensor = required(name, row.shape);
    if (!tensor)
      return;
    check(*tensor, row.shape, row.kind);
    decide(*tensor, Fate::Consumed, consumer);
    source.tensors.push_back(tensor);
  }

  /// The stacked layout, if the checkpoint uses it for this bank. Returns whether it does.
  bool matchStacked(const WeightRow &row, uint32_t consumer, WeightSource &source) {
    std::string folder = row.name.substr(0, row.name.find("{}"));
    bool down = row.kind == WeightKind::ExpertDown;
    const Tensor *tensor = checkpoint.find(folder + (down ? "down_proj" : "gate_up_proj"));
    if (!tensor)
      return false;
    if (checkpoint.find(row.expertName(0)))
      mixed.add(std::string(tensor->name), "stands beside " + row.expertName(0));
    int64_t rows = row.shape[0], columns = row.shape[1];
    std::vector<int64_t> shape = {row.experts, down ? rows : 2 * rows, columns};
    check(*tensor, shape, row.kind);
    decide(*tensor, Fate::Consumed, consumer);
    uint64_t element = bitsOf(tensor->dtype) / 8;
    uint64_t stride = static_cast<uint64_t>(shape[1]) * columns * element;
    uint64_t begin =
        row.kind == WeightKind::ExpertUp ? static_cast<uint64_t>(rows) * columns * element : 0;
    source.tensors.assign(row.experts, tensor);
    for (int64_t expert = 0; expert < row.experts; ++expert)
      source.within.push_back(begin + expert * stride);
    return true;
  }

  /// A bank is one symbol of one type.
  void checkUniform(const WeightSource &source) {
    for (const Tensor *tensor : source.tensors)
      if (tensor->dtype != source.dtype()) {
        mistyped.add(std::string(tensor->name), "is " + typeText(*tensor) +
                                                    " where expert 0 of the layer is " +
                                                    typeText(*source.tensors.front()));
        return;
      }
  }

  void waiveKnownExtras() {
    std::string draft = layerPrefix(config.layers);
    std::vector<int64_t> table = {config.vocabSize, config.hiddenSize};
    uint32_t noDraft = undecided;
    for (LedgerRow &row : ledger.ledgerRows) {
      if (row.note != undecided)
        continue;
      std::string_view name = row.tensor->name;
      if (options.noDraft && name.starts_with(draft)) {
        row.note = noDraft = noDraft == undecided ? note("--no-mtp") : noDraft;
      } else if (name == draft + "embed_tokens.weight") {
        check(*row.tensor, table, WeightKind::Embedding);
        row.note = note("copy of model.embed_tokens.weight");
      } else if (name == draft + "shared_head.head.weight") {
        check(*row.tensor, table, WeightKind::Head);
        row.note = note("copy of lm_head.weight");
      } else if (name == "lm_head.weight" && config.tiedEmbeddings) {
        check(*row.tensor, table, WeightKind::Head);
        row.note = note("copy of model.embed_tokens.weight");
      } else if (endsWith(name, "rotary_emb.inv_freq")) {
        row.note = note("recomputed from rope_theta");
      } else {
        unexpected.add(std::string(name),
                       typeText(*row.tensor) + " " + shapeText(row.tensor->shape) +
                           " is not a tensor of the model config.json describes");
      }
    }
  }

  absl::Status report() const {
    for (const Findings *first : {&mixed, &misshaped, &mistyped, &missing, &unexpected}) {
      if (first->count == 0)
        continue;
      std::string what = first->detail;
      if (first->count > 1)
        what += "; " + first->more() + " " + first->summary;
      for (const Findings *other : {&misshaped, &mistyped, &missing, &unexpected})
        if (other != first && other->count != 0)
          what += "; " + std::to_string(other->count) + " " + other->summary + " (" +
                  other->names.front() + ")";
      return codedError(first->code, first->names.front(), what, first->remedy);
    }
    return absl::OkStatus();
  }

  const Checkpoint &checkpoint;
  const Glm5Config &config;
  Ledger::Options options;
  const Codings *codings = nullptr;
  Ledger ledger;
  Findings missing{Code::TensorMissing, "missing too",
                   "fetch the whole checkpoint; weights are never invented"};
  Findings unexpected{Code::TensorUnexpected, "unexpected too",
                      "check that config.json and weights belong together"};
  Findings misshaped{Code::TensorMisshaped, "misshaped too",
                     "check that config.json and weights belong together"};
  Findings mistyped{Code::TensorMistyped, "mistyped too", "use the BF16 form of the checkpoint"};
  Findings mixed{Code::LayoutMixed, "mixed too", "keep one of the two layouts"};
};

absl::StatusOr<Ledger> Ledger::match(const Checkpoint &checkpoint, const Glm5Config &config,
                                     Options options) {
  return Matcher(checkpoint, config, options).run();
}

const WeightSource *Ledger::find(std::string_view symbol) const {
  auto it = bySymbol.find(std::string(symbol));
  return it == bySymbol.end() ? nullptr : &sources[it->second];
}

} // namespace glm
