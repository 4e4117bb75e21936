// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weight ledger: every tensor of the checkpoint has one fate, and every weight of the model
// comes from the checkpoint. Engines that skipped this invented indexer weights and produced
// gibberish past 2,048 tokens without a single error.
//
//   consumed  the tensor is a weight of the model (or one expert of a bank)
//   derived   the tensor reaches the model only through a weight computed from it
//   waived    the tensor is left out for a stated reason: a copy, a table that is recomputed,
//   --no-mtp
//
// The table of expected tensors comes from config.json (Weights.h). Whatever does not fit is an
// error that names tensors: missing, unexpected, misshaped, mistyped.
#ifndef GLM_COMPILER_IMPORT_LEDGER_H
#define GLM_COMPILER_IMPORT_LEDGER_H

#include "compiler/import/Coding.h"
#include "compiler/import/Safetensors.h"
#include "compiler/import/Weights.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm {

enum class Fate : uint8_t { Consumed, Derived, Waived };

/// "consumed", "derived", "waived".
std::string_view nameOf(Fate fate);

/// The fate of one tensor.
struct LedgerRow {
  const Tensor *tensor;
  Fate fate;
  /// Index into Ledger::notes(): the weight symbol that consumes the tensor, or the reason it is
  /// waived.
  uint32_t note;
};

/// A tensor that stands beside the codes of a weight, or one for each expert.
struct Companion {
  const CompanionRow *row;
  std::vector<const Tensor *> tensors;
};

/// The tensors behind one weight symbol: one, or one per expert (all the same tensor when stacked).
struct WeightSource {
  const WeightRow *row;
  /// First tensor; for a bank that of expert 0.
  std::vector<const Tensor *> tensors;
  /// Byte offset of each expert's matrix from the start of its tensor; empty unless stacked.
  std::vector<uint64_t> within;
  Coding coding = Coding::Plain;
  /// What is read beside the codes, in the order of companionsOf(coding).
  std::vector<Companion> companions;
  Dtype dtype() const { return tensors.front()->dtype; }
};

class Ledger {
public:
  struct Options {
    /// Leave the draft layer out: its tensors are waived.
    bool noDraft = false;
  };

  /// Matches `checkpoint`, which must outlive the ledger, against `config`. Errors: GLM0117,
  /// GLM0300-0304.
  static absl::StatusOr<Ledger> match(const Checkpoint &checkpoint, const Glm5Config &config,
                                      Options options);
  static absl::StatusOr<Ledger> match(const Checkpoint &checkpoint, const Glm5Config &config) {
    return match(checkpoint, config, Options{});
  }

  /// One row a tensor, in the order of Checkpoint::tensors().
  const std::vector<LedgerRow> &rows() const { return ledgerRows; }
  const std::string &note(const LedgerRow &row) const { return notes[row.note]; }

  /// The sources of the weights, in the order of allRows().
  const std::vector<WeightSource> &weights() const { return sources; }

  /// The source of one weight by symbol, or null.
  const WeightSource *find(std::string_view symbol) const;

private:
  friend class Matcher;
  Ledger() = default;

  std::vector<WeightRow> table;
  std::vector<WeightSource> sources;
  std::unordered_map<std::string, uint32_t> bySymbol;
  std::vector<LedgerRow> ledgerRows;
  std::vector<std::string> notes;
};

} // namespace glm

#endif
