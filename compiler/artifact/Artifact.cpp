// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Artifact.h"

#include "compiler/artifact/Plan.h"
#include "compiler/artifact/Provenance.h"
#include "compiler/artifact/Tables.h"
#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/Config.h"
#include "compiler/import/FileText.h"
#include "dialects/program/Program.h"
#include "runtime/schema/container.h"
#include "runtime/text/TokenizerTables.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>
#include <optional>

using namespace mlir;

namespace glm::artifact {

namespace {

/// Larger than any tokenizer.json seen by two orders of magnitude.
constexpr uint64_t textBound = uint64_t(2) << 30;

class Writer {
public:
  Writer(ModuleOp module, const WriteOptions &options) : module(module), options(options) {}

  absl::StatusOr<WriteSummary> write();

private:
  absl::Status readCheckpoint();
  absl::Status compileTokenizer();
  void addSegment(StringRef name, program::SegmentKind kind);
  void placeSegments(uint64_t programBytes);
  absl::Status writeSegments(OutputFile &file);
  absl::Status writeProgram(OutputFile &file, const std::string &program);
  SegmentPlace &place(StringRef name);
  const std::string &bytesOf(program::SegmentOp segment);

  ModuleOp module;
  const WriteOptions &options;
  std::optional<Checkpoint> checkpoint;
  WeightPlan weights;
  std::string tokenizer, ledger;
  Provenance provenance;
  /// In the order of the module's `program.segment`s.
  std::vector<program::SegmentOp> segments;
  std::vector<SegmentPlace> places;
  WriteSummary summary;
};

absl::Status Writer::readCheckpoint() {
  bool hasWeights =
      !module.getOps<program::WeightOp>().empty() || !module.getOps<program::BankOp>().empty();
  if (options.checkpoint.empty()) {
    if (hasWeights)
      return codedError(Code::CheckpointChanged, "module",
                        "has weights but names no checkpoint to take them from",
                        "compile from the checkpoint's folder");
  } else {
    absl::StatusOr<Checkpoint> opened = Checkpoint::open(options.checkpoint);
    if (!opened.ok())
      return opened.status();
    checkpoint.emplace(std::move(*opened));
    absl::StatusOr<WeightPlan> plan = planWeights(module, *checkpoint);
    if (!plan.ok())
      return plan.status();
    weights = std::move(*plan);
    ledger = ledgerText(weights, *checkpoint, {});
    if (absl::Status status = compileTokenizer(); !status.ok())
      return status;
  }
  absl::StatusOr<Provenance> origin =
      describeOrigin(module, checkpoint ? &*checkpoint : nullptr, options.compiler, options.flags);
  if (!origin.ok())
    return origin.status();
  provenance = std::move(*origin);
  return absl::OkStatus();
}

absl::Status Writer::compileTokenizer() {
  absl::StatusOr<TextFiles> files = findTextFiles(options.checkpoint);
  if (!files.ok())
    return files.status();
  if (files->tokenizer.empty()) {
    reportWarning({Code::TokenizerMissing, options.checkpoint.string(),
                   "has no tokenizer.json, so the artifact can neither read nor write text",
                   "add the tokenizer's files to the folder"});
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> json = readWhole(files->tokenizer, textBound);
  if (!json.ok())
    return json.status();
  absl::StatusOr<std::string> config = std::string();
  if (!files->tokenizerConfig.empty())
    config = readWhole(files->tokenizerConfig, textBound);
  if (!config.ok())
    return config.status();
  std::string error;
  if (!text::compileTokenizerTables({*json, *config, files->chatTemplate}, tokenizer, error))
    return codedError(Code::TokenizerMissing, (options.checkpoint / "tokenizer.json").string(),
                      error, "use the checkpoint's own tokenizer files");
  return absl::OkStatus();
}

void Writer::addSegment(StringRef name, program::SegmentKind kind) {
  // In front of the first segment or entry, where the tables of the module are.
  OpBuilder b(module.getBody(), module.getBody()->begin());
  for (Operation &op : *module.getBody())
    if (isa<program::SegmentOp, program::EntryOp, program::KernelOp>(op)) {
      b.setInsertionPoint(&op);
      break;
    }
  if (!module.lookupSymbol(name))
    program::SegmentOp::create(b, module.getLoc(), name, kind, GLM_CONTAINER_SEGMENT_ALIGNMENT,
                               IntegerAttr(), "host");
}

const std::string &Writer::bytesOf(program::SegmentOp segment) {
  static const std::string none;
  switch (segment.getKind()) {
  case program::SegmentKind::Code: {
    auto code = options.code.find(segment.getSymName().str());
    return code == options.code.end() ? none : code->second;
  }
  case program::SegmentKind::Tokenizer:
    return tokenizer;
  case program::SegmentKind::Ledger:
    return ledger;
  default:
    return none;
  }
}

/// Small segments behind the program, weights behind them.
void Writer::placeSegments(uint64_t programBytes) {
  uint64_t end = GLM_CONTAINER_HEADER_SIZE + programBytes;
  for (bool wantWeights : {false, true})
    for (auto [number, segment] : llvm::enumerate(segments)) {
      bool isWeights = segment.getKind() == program::SegmentKind::Weights;
      if (isWeights != wantWeights)
        continue;
      uint64_t size = isWeights ? weights.packing.segmentBytes : bytesOf(segment).size();
      end = llvm::alignTo(end, uint64_t(segment.getAlignment()));
      places[number] = {end, size, {}};
      end += size;
    }
  summary.fileBytes = end;
}

absl::Status Writer::writeSegments(OutputFile &file) {
  // Weights first: the ledger holds their hashes.
  for (auto [number, segment] : llvm::enumerate(segments)) {
    if (segment.getKind() != program::SegmentKind::Weights)
      continue;
    absl::StatusOr<PackingResult> packed = packWeights(weights.packing, file, places[number].offset,
                                                       options.workers, options.progress);
    if (!packed.ok())
      return packed.status();
    places[number].hash = packed->segment;
    for (auto [weight, rounding] : llvm::zip_equal(weights.packing.rounded, packed->rounding))
      summary.rounded.push_back({weight, rounding});
    if (checkpoint)
      ledger = ledgerText(weights, *checkpoint, packed->tensors);
  }
  for (auto [number, segment] : llvm::enumerate(segments)) {
    if (segment.getKind() == program::SegmentKind::Weights)
      continue;
    const std::string &bytes = bytesOf(segment);
    if (bytes.size() != places[number].size)
      return codedError(Code::ArtifactUnwritable, segment.getSymName().str(),
                        "changed its size while it was written", "please report the checkpoint");
    places[number].hash = hashOf(bytes);
    if (absl::Status status = file.write(places[number].offset, bytes); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status Writer::writeProgram(OutputFile &file, const std::string &program) {
  Hash hash = hashOf(program);
  glm_container_header header = {};
  std::memcpy(header.magic, GLM_CONTAINER_MAGIC, sizeof header.magic);
  header.version = GLM_CONTAINER_VERSION;
  header.header_size = GLM_CONTAINER_HEADER_SIZE;
  header.program_offset = GLM_CONTAINER_HEADER_SIZE;
  header.program_size = program.size();
  header.file_size = summary.fileBytes;
  header.program_hash_low = hash.low;
  header.program_hash_high = hash.high;
  static_assert(sizeof header == GLM_CONTAINER_HEADER_SIZE);
  if (absl::Status status = file.write(0, {reinterpret_cast<const char *>(&header), sizeof header});
      !status.ok())
    return status;
  return file.write(header.program_offset, program);
}

absl::StatusOr<WriteSummary> Writer::write() {
  if (absl::Status status = readCheckpoint(); !status.ok())
    return status;
  for (const auto &[segment, bytes] : options.code)
    addSegment(segment, program::SegmentKind::Code);
  if (!tokenizer.empty())
    addSegment("tokenizer", program::SegmentKind::Tokenizer);
  if (!ledger.empty())
    addSegment("ledger", program::SegmentKind::Ledger);
  segments.assign(module.getOps<program::SegmentOp>().begin(),
                  module.getOps<program::SegmentOp>().end());
  places.resize(segments.size());

  std::string program = buildProgram(module, places, provenance);
  if (program.size() > (size_t(1) << 31) - 1)
    return codedError(Code::ArtifactTooLarge, options.output.string(),
                      "its program would take " + std::to_string(program.size()) + " bytes");
  size_t planned = program.size();
  placeSegments(planned);
  absl::StatusOr<OutputFile> file = OutputFile::create(options.output);
  if (!file.ok())
    return file.status();
  if (absl::Status status = file->resize(summary.fileBytes); !status.ok())
    return status;
  if (absl::Status status = writeSegments(*file); !status.ok())
    return status;
  program = buildProgram(module, places, provenance);
  if (program.size() != planned)
    return codedError(Code::ArtifactUnwritable, options.output.string(),
                      "the program changed its size while it was written",
                      "please report the checkpoint");
  if (absl::Status status = writeProgram(*file, program); !status.ok())
    return status;
  if (absl::Status status = file->commit(); !status.ok())
    return status;
  summary.programBytes = planned;
  for (const auto &[segment, bytes] : options.code)
    summary.codeBytes += bytes.size();
  summary.tokenizerBytes = tokenizer.size();
  summary.ledgerBytes = ledger.size();
  summary.weightBytes = weights.packing.segmentBytes;
  return summary;
}

} // namespace

absl::StatusOr<WriteSummary> writeArtifact(ModuleOp module, const WriteOptions &options) {
  return Writer(module, options).write();
}

} // namespace glm::artifact
