// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Plan.h"

#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/Coding.h"
#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <optional>

using namespace mlir;

namespace glm::artifact {

namespace {

/// Aimed at; a chunk is at least one panel of rows.
constexpr uint64_t chunkBytes = 4 << 20;

std::optional<Element> elementOf(Type type) {
  if (type.isF32())
    return Element::F32;
  if (type.isBF16())
    return Element::BF16;
  if (type.isF16())
    return Element::F16;
  if (type.isInteger(8))
    return Element::I8;
  if (type.isInteger(4))
    return Element::I4;
  if (type.isInteger(32))
    return Element::I32;
  if (isa<Float8E4M3FNType>(type))
    return Element::F8E4M3;
  return std::nullopt;
}

std::string nameOfExpert(StringRef pattern, int64_t expert) {
  auto [before, after] = pattern.split("{}");
  return before.size() == pattern.size() ? pattern.str() : (before + Twine(expert) + after).str();
}

/// One matrix on its way: a block of a file, and where it goes.
struct Matrix {
  uint32_t file;
  uint64_t position, offset;
  int64_t rows, columns; // of the source block
  Element from, to;
  bool transposed;
  int64_t n, k;
  int64_t tensor; // hashed on the way, or -1
  Chunk::Dequantization dequantize = {};
  Quantization quantize = {8, 0};
  CodePart part = CodePart::Codes;
  int64_t rounded = -1;
};

class Planner {
public:
  explicit Planner(const Checkpoint &checkpoint) : checkpoint(checkpoint) {
    for (const Tensor &tensor : checkpoint.tensors())
      plan.ledger.push_back({&tensor, nullptr, {}, {}});
    for (const WeightFile &file : checkpoint.files())
      plan.packing.files.push_back(file.path);
    plan.packing.tensors = plan.ledger.size();
    plan.packing.nameOf = [&checkpoint](uint32_t file, uint64_t position) {
      return checkpoint.elementAt(file, position);
    };
    hashedOnTheWay.resize(plan.ledger.size());
  }

  absl::StatusOr<WeightPlan> run(ModuleOp module);

private:
  absl::StatusOr<size_t> find(StringRef name, StringRef file, uint64_t position, uint64_t bytes);
  absl::Status addWeight(program::WeightOp op);
  absl::Status addBank(program::BankOp op);
  /// The number of a weight whose numbers change, -1 of what stands beside codes.
  int64_t round(StringRef weight, CodePart part) {
    if (part != CodePart::Codes)
      return -1;
    plan.packing.rounded.push_back(weight.str());
    return int64_t(plan.packing.rounded.size()) - 1;
  }
  absl::Status addMaking(program::WeightOp op, Matrix &m);
  absl::Status addWaived(ModuleOp module);
  absl::Status checkFates();
  void addLoose();
  void addMatrix(const Matrix &matrix, bool last);
  /// Hash the tensor while chunks read it, unless another form does so already.
  int64_t claim(size_t tensor, bool whole);
  void mark(size_t tensor, const char *fate, StringRef weight, uint64_t offset);

  const Checkpoint &checkpoint;
  WeightPlan plan;
  std::vector<bool> hashedOnTheWay;
};

absl::StatusOr<size_t> Planner::find(StringRef name, StringRef file, uint64_t position,
                                     uint64_t bytes) {
  const Tensor *tensor = checkpoint.find(std::string_view(name.data(), name.size()));
  bool inside = tensor && checkpoint.files()[tensor->file].name == file &&
                position >= tensor->offset && position + bytes <= tensor->offset + tensor->bytes;
  if (!inside)
    return codedError(Code::CheckpointChanged, name.str(),
                      tensor ? "lies elsewhere in the checkpoint than when it was imported"
                             : "is no longer in the checkpoint",
                      "compile again from the start");
  return size_t(tensor - checkpoint.tensors().data());
}

void Planner::mark(size_t tensor, const char *fate, StringRef weight, uint64_t offset) {
  LedgerTensor &row = plan.ledger[tensor];
  // Consumed as it is says more than derived.
  if (!row.fate || StringRef(fate) == "consumed")
    row.fate = fate;
  if (row.destinations.empty() || row.destinations.back().weight != weight)
    row.destinations.push_back({weight.str(), offset});
}

int64_t Planner::claim(size_t tensor, bool whole) {
  if (!whole || hashedOnTheWay[tensor])
    return -1;
  hashedOnTheWay[tensor] = true;
  return int64_t(tensor);
}

/// Cuts a matrix into chunks of whole panels.
void Planner::addMatrix(const Matrix &m, bool last) {
  int64_t step = m.rows;
  // Scales of several runs that lie turned around: those of all rows at once.
  bool beside = m.part != CodePart::Codes;
  bool whole = m.transposed || (beside && !m.n && m.quantize.columns < m.columns);
  if (!whole) {
    int64_t unit = m.n ? m.n : 1;
    int64_t wanted =
        int64_t(chunkBytes / std::max<uint64_t>(1, bytesOf(m.from, uint64_t(m.columns))));
    step = std::max<int64_t>(unit, wanted / unit * unit);
  }
  uint64_t offset = m.offset;
  for (int64_t row = 0; row < m.rows; row += step) {
    Chunk chunk;
    chunk.rows = std::min(step, m.rows - row);
    chunk.columns = m.columns;
    int64_t rows = m.transposed ? m.columns : chunk.rows,
            columns = m.transposed ? chunk.rows : m.columns;
    if (beside)
      columns = (columns + m.quantize.columns - 1) / m.quantize.columns;
    chunk.bytes = !m.n                  ? bytesOf(m.to, uint64_t(rows * columns))
                  : m.to == Element::I4 ? nibbleBytes(rows, columns, m.n)
                                        : panelBytes(rows, columns, bitsOf(m.to) / 8, m.n, m.k);
    chunk.offset = offset;
    chunk.file = m.file;
    chunk.position = m.position + bytesOf(m.from, uint64_t(row * m.columns));
    chunk.dequantize = m.dequantize;
    chunk.dequantize.firstRow += row;
    chunk.quantize = m.quantize;
    chunk.part = m.part;
    chunk.rounded = m.rounded;
    chunk.from = m.from, chunk.to = m.to, chunk.transposed = m.transposed;
    chunk.n = m.n, chunk.k = m.k;
    chunk.tensor = m.tensor;
    chunk.last = last && row + step >= m.rows;
    offset += chunk.bytes;
    plan.packing.chunks.push_back(chunk);
  }
}

Quantization quantizationOf(program::QuantizeAttr how) {
  return {int(how.getBits()), how.getColumns(), how.getAsymmetric()};
}

CodePart partOf(program::QuantizeAttr how) {
  return how.getPart() == "scales"  ? CodePart::Scales
         : how.getPart() == "zeros" ? CodePart::Zeros
                                    : CodePart::Codes;
}

std::pair<int64_t, int64_t> panelOf(Attribute layout) {
  auto panels = dyn_cast_or_null<kernel::PanelsAttr>(layout);
  return panels ? std::pair(panels.getN(), panels.getK()) : std::pair<int64_t, int64_t>(0, 0);
}

absl::Status unsupported(StringRef name, Type from, Type to) {
  std::string text;
  llvm::raw_string_ostream(text) << "is stored as " << from << " and wanted as " << to;
  return codedError(Code::UnsupportedFormat, name.str(), text,
                    "use a checkpoint in BF16, F16 or F32");
}

/// Numbers become numbers, codes the same codes; the rest says how it is made.
bool isConvertible(Element from, Element to) {
  auto isNumber = [](Element e) {
    return e == Element::F32 || e == Element::BF16 || e == Element::F16;
  };
  return from == to || (isNumber(from) && isNumber(to));
}

absl::Status Planner::addWeight(program::WeightOp op) {
  auto type = cast<kernel::BufferType>(op.getType());
  auto source = cast<RankedTensorType>(op.getFrom());
  std::optional<Element> from = elementOf(source.getElementType()),
                         to = elementOf(type.getElementType());
  bool made = op.getDequantize() || op.getQuantize();
  if (!from || !to || (!made && !isConvertible(*from, *to)))
    return unsupported(op.getSource(), source.getElementType(), type.getElementType());
  uint64_t position = uint64_t(op.getPosition());
  absl::StatusOr<size_t> tensor = find(op.getSource(), op.getFile(), position,
                                       bytesOf(*from, uint64_t(source.getNumElements())));
  if (!tensor.ok())
    return tensor.status();
  auto derive = op.getDeriveAttr();
  mark(*tensor, derive || made ? "derived" : "consumed", op.getSymName(), uint64_t(op.getOffset()));

  auto [n, k] = panelOf(type.getLayout());
  ArrayRef<int64_t> shape = type.getShape();
  Matrix m{plan.ledger[*tensor].tensor->file,
           position,
           uint64_t(op.getOffset()),
           1,
           1,
           *from,
           *to,
           false,
           n,
           k,
           -1};
  if (absl::Status status = addMaking(op, m); !status.ok())
    return status;
  if (!derive) {
    m.tensor = claim(*tensor, true);
    if (!n || shape.size() < 2) {
      // Row-major whatever the rank; rows only bound the chunks, but where each makes something.
      ArrayRef<int64_t> cut = m.part == CodePart::Codes ? shape : source.getShape();
      m.columns = cut.empty() ? 1 : cut.back();
      m.rows = source.getNumElements() / m.columns;
      addMatrix(m, true);
      return absl::OkStatus();
    }
  }
  int64_t heads = shape.size() == 3 ? shape.front() : 1;
  m.rows = shape[shape.size() - 2],
  m.columns = m.part == CodePart::Codes ? shape.back() : source.getShape().back();
  uint64_t rowBytes = bytesOf(*from, uint64_t(m.columns)), between = uint64_t(m.rows) * rowBytes;
  if (derive) {
    m.transposed = derive.getTransposed();
    if (m.transposed)
      std::swap(m.rows, m.columns);
    if (source.getRank() != 2 || source.getDimSize(1) != m.columns ||
        source.getDimSize(0) % heads || derive.getBegin() + m.rows > source.getDimSize(0) / heads)
      return codedError(Code::LedgerBroken, op.getSymName().str(),
                        "does not fit the tensor it is derived from",
                        "please report the checkpoint");
    rowBytes = bytesOf(*from, uint64_t(m.columns));
    between = uint64_t(source.getDimSize(0) / heads) * rowBytes;
    m.position += uint64_t(derive.getBegin()) * rowBytes;
    m.dequantize.firstRow = derive.getBegin();
  }
  for (int64_t head = 0; head < heads; ++head) {
    addMatrix(m, head + 1 == heads);
    m.position += between;
    m.dequantize.firstRow += int64_t(between / rowBytes);
    m.offset += uint64_t(op.getSize() / heads);
  }
  return absl::OkStatus();
}

/// How a weight is made of its source where it is not laid out as it is.
absl::Status Planner::addMaking(program::WeightOp op, Matrix &m) {
  if (program::QuantizeAttr how = op.getQuantizeAttr()) {
    m.quantize = quantizationOf(how);
    m.part = partOf(how);
    m.rounded = round(op.getSymName(), m.part);
  }
  program::DequantizeAttr how = op.getDequantizeAttr();
  if (!how)
    return absl::OkStatus();
  auto source = cast<RankedTensorType>(op.getFrom());
  int64_t rows = llvm::divideCeil(source.getDimSize(0), how.getRows());
  int64_t columns = llvm::divideCeil(source.getDimSize(1), how.getColumns());
  absl::StatusOr<size_t> tensor =
      find(how.getSource().getValue(), how.getFile().getValue(), uint64_t(how.getPosition()),
           bytesOf(Element::F32, uint64_t(rows * columns)));
  if (!tensor.ok())
    return tensor.status();
  mark(*tensor, "derived", op.getSymName(), uint64_t(op.getOffset()));
  m.rounded = round(op.getSymName(), CodePart::Codes);
  m.dequantize = {plan.ledger[*tensor].tensor->file,
                  uint64_t(how.getPosition()),
                  rows,
                  columns,
                  how.getRows(),
                  how.getColumns(),
                  0};
  return absl::OkStatus();
}

absl::Status Planner::addBank(program::BankOp op) {
  auto type = cast<kernel::BankType>(op.getType());
  auto source = cast<RankedTensorType>(op.getFrom());
  std::optional<Element> from = elementOf(source.getElementType()),
                         to = elementOf(type.getElementType());
  program::QuantizeAttr how = op.getQuantizeAttr();
  if (!from || !to || (!how && !isConvertible(*from, *to)))
    return unsupported(op.getSource(), source.getElementType(), type.getElementType());
  int64_t rows = source.getDimSize(1), columns = source.getDimSize(2);
  Quantization quantize = how ? quantizationOf(how) : Quantization{8, 0};
  CodePart part = how ? partOf(how) : CodePart::Codes;
  int64_t rounded = how ? round(op.getSymName(), part) : -1;
  auto [n, k] = panelOf(type.getLayout());
  bool stacked = !op.getSource().contains("{}");
  for (auto [expert, offset] : llvm::enumerate(op.getOffsets())) {
    uint64_t position = uint64_t(op.getPositions()[expert]);
    StringRef file = cast<StringAttr>(op.getFiles()[size_t(op.getFileOf()[expert])]).getValue();
    absl::StatusOr<size_t> tensor = find(nameOfExpert(op.getSource(), int64_t(expert)), file,
                                         position, bytesOf(*from, uint64_t(rows * columns)));
    if (!tensor.ok())
      return tensor.status();
    mark(*tensor, how ? "derived" : "consumed", op.getSymName(), uint64_t(offset));
    addMatrix({plan.ledger[*tensor].tensor->file,
               position,
               uint64_t(offset),
               rows,
               columns,
               *from,
               *to,
               false,
               n,
               k,
               claim(*tensor, !stacked),
               {},
               quantize,
               part,
               rounded},
              true);
  }
  return absl::OkStatus();
}

absl::Status Planner::addWaived(ModuleOp module) {
  auto attribute = module->getAttrOfType<DictionaryAttr>("glm.checkpoint");
  auto waived = attribute ? attribute.getAs<ArrayAttr>("waived") : ArrayAttr();
  for (Attribute pair : waived ? waived.getValue() : ArrayRef<Attribute>()) {
    auto names = cast<ArrayAttr>(pair);
    StringRef name = cast<StringAttr>(names[0]).getValue();
    const Tensor *tensor = checkpoint.find(std::string_view(name.data(), name.size()));
    if (!tensor)
      continue;
    LedgerTensor &row = plan.ledger[size_t(tensor - checkpoint.tensors().data())];
    row.fate = "waived";
    row.reason = cast<StringAttr>(names[1]).str();
  }
  return absl::OkStatus();
}

/// Nothing may be lost on the way through the compiler either.
absl::Status Planner::checkFates() {
  for (const LedgerTensor &row : plan.ledger)
    if (!row.fate)
      return codedError(Code::LedgerBroken, std::string(row.tensor->name),
                        "was imported, but no weight of the artifact is made from it",
                        "please report the checkpoint");
  return absl::OkStatus();
}

void Planner::addLoose() {
  for (auto [number, row] : llvm::enumerate(plan.ledger)) {
    bool isZero = row.reason == zeroByFormat;
    if (isZero || (!hashedOnTheWay[number] && StringRef(row.fate) != "waived"))
      plan.packing.loose.push_back({int64_t(number), row.tensor->file, row.tensor->offset,
                                    row.tensor->bytes, isZero, std::string(row.tensor->name)});
  }
}

absl::StatusOr<WeightPlan> Planner::run(ModuleOp module) {
  for (Operation &op : *module.getBody()) {
    absl::Status status;
    if (auto weight = dyn_cast<program::WeightOp>(op))
      status = addWeight(weight);
    else if (auto bank = dyn_cast<program::BankOp>(op))
      status = addBank(bank);
    else if (auto segment = dyn_cast<program::SegmentOp>(op);
             segment && segment.getKind() == program::SegmentKind::Weights)
      plan.packing.segmentBytes = uint64_t(segment.getSize().value_or(0));
    if (!status.ok())
      return status;
  }
  if (absl::Status status = addWaived(module); !status.ok())
    return status;
  if (absl::Status status = checkFates(); !status.ok())
    return status;
  addLoose();
  return std::move(plan);
}

} // namespace

absl::StatusOr<WeightPlan> planWeights(ModuleOp module, const Checkpoint &checkpoint) {
  return Planner(checkpoint).run(module);
}

std::string ledgerText(const WeightPlan &plan, const Checkpoint &checkpoint,
                       const std::vector<Hash> &hashes) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "{\"tensors\": [";
  const char *separator = "\n";
  for (auto [number, row] : llvm::enumerate(plan.ledger)) {
    llvm::json::Object object;
    object["tensor"] = std::string(row.tensor->name);
    object["file"] = checkpoint.files()[row.tensor->file].name;
    object["dtype"] = std::string(nameOf(row.tensor->dtype));
    object["shape"] =
        llvm::json::Array(llvm::ArrayRef(row.tensor->shape.data(), row.tensor->shape.size()));
    object["fate"] = row.fate;
    object["hash"] = (hashes.empty() ? Hash() : hashes[number]).text();
    if (!row.reason.empty())
      object["reason"] = row.reason;
    llvm::json::Array weights;
    for (const Destination &to : row.destinations)
      weights.push_back(llvm::json::Object{{"weight", to.weight}, {"offset", int64_t(to.offset)}});
    object["weights"] = std::move(weights);
    out << separator << llvm::json::Value(std::move(object));
    separator = ",\n";
  }
  out << "\n]}\n";
  return text;
}

} // namespace glm::artifact
