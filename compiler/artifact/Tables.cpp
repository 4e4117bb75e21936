// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Tables.h"

#include "compiler/artifact/TableWriter.h"
#include "dialects/program/Layout.h"

#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace mlir;

namespace glm::artifact {

TableWriter::TableWriter(ModuleOp module) : module(module) {
  // Fields equal to their default are written too: offsets and hashes then never change the size.
  builder.ForceDefaults(true);
  llvm::DenseMap<OperationName, uint32_t> next;
  for (Operation &op : *module.getBody())
    if (auto symbol = dyn_cast<SymbolOpInterface>(op))
      indices[symbol.getName()] = next[op.getName()]++;
}

Offset<schema::Expr> TableWriter::expr(const program::Expr &expr,
                                       llvm::function_ref<int64_t(StringAttr)> numberOf) {
  std::vector<schema::Term> terms;
  for (const program::Expr::Term &term : expr.postfix())
    terms.emplace_back(schema::ExprOp(term.op),
                       term.op == program::Expr::Kind::Dim ? numberOf(term.dim) : term.value);
  return schema::CreateExpr(builder, builder.CreateVectorOfStructs(terms));
}

Offset<schema::Expr> TableWriter::expr(const program::Expr &expr) {
  return this->expr(expr, [&](StringAttr dim) { return int64_t(indexOf(dim.getValue())); });
}

Offset<schema::Expr> TableWriter::cost(program::ExprAttr attribute) {
  if (!attribute)
    return 0;
  return expr(program::Expr::of(attribute), [&](StringAttr count) {
    if (!llvm::is_contained(counts, count))
      counts.push_back(count);
    return int64_t(llvm::find(counts, count) - counts.begin());
  });
}

schema::Dtype TableWriter::dtypeOf(Type type) {
  using enum schema::Dtype;
  if (type.isF32())
    return f32;
  if (type.isBF16())
    return bf16;
  if (type.isF16())
    return f16;
  if (type.isF64())
    return f64;
  if (type.isInteger(64) || type.isIndex())
    return i64;
  if (type.isInteger(32))
    return i32;
  if (type.isInteger(16))
    return i16;
  if (type.isInteger(4))
    return i4;
  if (isa<Float8E4M3FNType>(type))
    return f8e4m3;
  return type.isInteger(1) ? bool8 : i8;
}

namespace {

class ProgramTables {
public:
  ProgramTables(ModuleOp module, const std::vector<SegmentPlace> &places,
                const Provenance &provenance)
      : w(module), b(w.builder), module(module), places(places), provenance(provenance) {}

  std::string write();

private:
  /// One table: a row for each op of a kind, in the order of the module.
  template <typename Op, typename Row>
  Offset<flatbuffers::Vector<Offset<Row>>> table(Offset<Row> (ProgramTables::*row)(Op)) {
    Offsets<Row> rows;
    for (Op op : module.getOps<Op>())
      rows.push_back((this->*row)(op));
    return b.CreateVector(rows);
  }

  Offset<schema::Device> device(program::DeviceOp op);
  Offset<schema::Device> device(program::DeviceKind kind, StringRef name, ArrayAttr needed,
                                StringRef description);
  Offset<schema::Dim> dim(program::DimOp op);
  Offset<schema::Segment> segment(program::SegmentOp op);
  Offset<schema::Weight> weight(program::WeightOp op);
  Offset<schema::Bank> bank(program::BankOp op);
  Offset<schema::WeightGroup> group(program::GroupOp op);
  Offset<schema::State> state(program::StateOp op);
  Offset<schema::Kernel> kernel(program::KernelOp op);
  Offset<schema::Level> level(program::LevelOp op);
  Offset<schema::Entry> entry(program::EntryOp op) { return writeEntry(w, op); }
  Offset<schema::CommunicationGroup> communication(program::CommunicationOp op) {
    return schema::CreateCommunicationGroup(b, w.string(op.getSymName()), uint32_t(op.getRanks()));
  }
  Offset<flatbuffers::Vector<Offset<schema::Tokenizer>>> tokenizers();
  Offset<schema::Model> model();
  Offset<schema::Generation> generation(DictionaryAttr model);
  Offset<flatbuffers::Vector<Offset<schema::KeyValue>>> attributes(DictionaryAttr model);
  Offset<schema::Provenance> provenanceTable();
  uint64_t parameters();
  uint32_t pageRows();

  TableWriter w;
  flatbuffers::FlatBufferBuilder &b;
  ModuleOp module;
  const std::vector<SegmentPlace> &places;
  const Provenance &provenance;
};

Offset<schema::Device> ProgramTables::device(program::DeviceKind kind, StringRef name,
                                             ArrayAttr needed, StringRef description) {
  Offsets<flatbuffers::String> features;
  for (auto feature : needed.getAsRange<StringAttr>())
    features.push_back(w.string(feature.getValue()));
  return schema::CreateDevice(b, schema::DeviceKind(kind), w.string(name), b.CreateVector(features),
                              w.string(description));
}

Offset<schema::Device> ProgramTables::device(program::DeviceOp op) {
  return device(op.getKind(), op.getName(), op.getFeatures(), op.getDescription());
}

Offset<schema::Dim> ProgramTables::dim(program::DimOp op) {
  int32_t bound = op.getBound() ? int32_t(w.indexOf(*op.getBound())) : -1;
  return schema::CreateDim(b, w.string(op.getSymName()), schema::DimKind(op.getKind()), op.getMax(),
                           bound, op.getPreset().value_or(-1), op.least());
}

Offset<schema::Segment> ProgramTables::segment(program::SegmentOp op) {
  const SegmentPlace &place = places[w.indexOf(op.getSymName())];
  return schema::CreateSegment(b, schema::SegmentKind(op.getKind()), w.string(op.getSymName()),
                               place.offset, place.size, uint32_t(op.getAlignment()),
                               place.hash.low, place.hash.high, w.indexOf(op.getDevice()));
}

Offset<schema::Weight> ProgramTables::weight(program::WeightOp op) {
  auto type = cast<kernel::BufferType>(op.getType());
  return schema::CreateWeight(
      b, w.string(op.getSymName()), w.indexOf(op.getSegment()), uint64_t(op.getOffset()),
      uint64_t(op.getSize()), TableWriter::dtypeOf(type.getElementType()),
      b.CreateVector(type.getShape().data(), type.getShape().size()),
      w.string(program::layoutName(type.getLayout())), w.indexOf(op.getGroup()));
}

Offset<schema::Bank> ProgramTables::bank(program::BankOp op) {
  auto type = cast<kernel::BankType>(op.getType());
  std::vector<uint64_t> offsets(op.getOffsets().begin(), op.getOffsets().end());
  return schema::CreateBank(
      b, w.string(op.getSymName()), w.indexOf(op.getSegment()), b.CreateVector(offsets),
      uint64_t(op.getSlab()), TableWriter::dtypeOf(type.getElementType()),
      b.CreateVector(type.getShape().data(), type.getShape().size()),
      w.string(program::layoutName(type.getLayout())), w.indexOf(op.getGroup()));
}

Offset<schema::WeightGroup> ProgramTables::group(program::GroupOp op) {
  std::vector<uint32_t> entries;
  for (auto entry : op.getEntries().getAsRange<FlatSymbolRefAttr>())
    entries.push_back(w.indexOf(entry.getValue()));
  return schema::CreateWeightGroup(b, w.string(op.getSymName()), b.CreateVector(entries));
}

Offset<schema::State> ProgramTables::state(program::StateOp op) {
  auto type = cast<kernel::CacheType>(op.getType());
  // What a page of the cache means, so that a snapshot never meets another layout.
  std::string identity;
  llvm::raw_string_ostream(identity) << op.getSymName() << ' ' << type << ' ' << op.getPageRows();
  return schema::CreateState(b, w.string(op.getSymName()), w.indexOf(op.getDevice()),
                             TableWriter::dtypeOf(type.getElementType()), type.getWidth(),
                             program::rowBytes(type), uint32_t(op.getPageRows()),
                             type.getLayout() ? 1 : 0, hashOf(identity).low);
}

Offset<schema::Kernel> ProgramTables::kernel(program::KernelOp op) {
  auto scratch = w.expr(op.getScratch());
  auto name = w.string(op.getSymName());
  return schema::CreateKernel(b, name, w.indexOf(op.getSegment()), uint64_t(op.getEntry()), name,
                              scratch);
}

Offset<schema::Level> ProgramTables::level(program::LevelOp op) {
  Offsets<schema::Kernel> kernels;
  for (auto [kernel, entry, scratch] :
       llvm::zip_equal(module.getOps<program::KernelOp>(), op.getEntries(), op.getScratch())) {
    auto size = w.expr(program::Expr(scratch));
    StringRef symbol = kernel.getSymName();
    auto name = b.CreateSharedString(symbol.data(), symbol.size());
    kernels.push_back(
        schema::CreateKernel(b, name, w.indexOf(op.getSegment()), uint64_t(entry), name, size));
  }
  auto host = device(program::DeviceKind::Cpu, op.getName(), op.getFeatures(), op.getDescription());
  return schema::CreateLevel(b, host, b.CreateVector(kernels));
}

Offset<flatbuffers::Vector<Offset<schema::Tokenizer>>> ProgramTables::tokenizers() {
  Offsets<schema::Tokenizer> rows;
  for (auto segment : module.getOps<program::SegmentOp>())
    if (segment.getKind() == program::SegmentKind::Tokenizer)
      rows.push_back(schema::CreateTokenizer(b, w.string(segment.getSymName()),
                                             w.indexOf(segment.getSymName())));
  return b.CreateVector(rows);
}

int64_t integer(DictionaryAttr dictionary, StringRef name, int64_t otherwise = 0) {
  auto value = dictionary ? dictionary.getAs<IntegerAttr>(name) : IntegerAttr();
  return value ? value.getInt() : otherwise;
}

double real(DictionaryAttr dictionary, StringRef name, double otherwise) {
  auto value = dictionary ? dictionary.getAs<FloatAttr>(name) : FloatAttr();
  return value ? value.getValueAsDouble() : otherwise;
}

StringRef text(DictionaryAttr dictionary, StringRef name) {
  auto value = dictionary ? dictionary.getAs<StringAttr>(name) : StringAttr();
  return value ? value.getValue() : StringRef();
}

Offset<schema::Generation> ProgramTables::generation(DictionaryAttr model) {
  auto given = model ? model.getAs<DictionaryAttr>("generation") : DictionaryAttr();
  std::vector<int32_t> eos;
  if (auto ids = given ? given.getAs<DenseI64ArrayAttr>("eos") : DenseI64ArrayAttr())
    eos.assign(ids.asArrayRef().begin(), ids.asArrayRef().end());
  return schema::CreateGeneration(b, b.CreateVector(eos), int32_t(integer(given, "pad", -1)),
                                  int32_t(integer(given, "bos", -1)),
                                  integer(given, "do_sample") != 0, real(given, "temperature", 1),
                                  real(given, "top_p", 1), int32_t(integer(given, "top_k")),
                                  real(given, "min_p", 0), real(given, "repetition_penalty", 1));
}

/// What has no field of its own, as text.
Offset<flatbuffers::Vector<Offset<schema::KeyValue>>>
ProgramTables::attributes(DictionaryAttr model) {
  Offsets<schema::KeyValue> rows;
  for (NamedAttribute attribute : model ? model.getValue() : ArrayRef<NamedAttribute>()) {
    std::string value;
    StringRef key = attribute.getName().getValue();
    if (llvm::is_contained(
            {"family", "name", "vocabulary", "hidden", "layers", "context", "index_topk"}, key))
      continue;
    if (auto number = dyn_cast<IntegerAttr>(attribute.getValue()))
      value = number.getType().isInteger(1) ? (number.getValue().isZero() ? "false" : "true")
                                            : std::to_string(number.getInt());
    else if (auto string = dyn_cast<StringAttr>(attribute.getValue()))
      value = string.str();
    else
      continue;
    rows.push_back(
        schema::CreateKeyValue(b, w.string(attribute.getName().getValue()), w.string(value)));
  }
  return b.CreateVector(rows);
}

/// Elements of the weights as the checkpoint has them, each tensor once.
uint64_t ProgramTables::parameters() {
  uint64_t count = 0;
  std::set<std::string> seen;
  for (auto weight : module.getOps<program::WeightOp>())
    if (seen.insert(weight.getSource().str()).second)
      count += uint64_t(cast<RankedTensorType>(weight.getFrom()).getNumElements());
  for (auto bank : module.getOps<program::BankOp>())
    if (seen.insert((bank.getSource() + bank.getSymName().split('|').first).str()).second)
      count += uint64_t(cast<RankedTensorType>(bank.getFrom()).getNumElements());
  return count;
}

Offset<schema::Model> ProgramTables::model() {
  auto given = module->getAttrOfType<DictionaryAttr>("glm.model");
  StringRef family = text(given, "family");
  auto familyText = w.string(family.empty() ? "kernels" : family),
       name = w.string(text(given, "name"));
  auto defaults = generation(given);
  auto rest = attributes(given);
  return schema::CreateModel(b, familyText, name, parameters(), integer(given, "vocabulary"),
                             integer(given, "hidden"), integer(given, "layers"),
                             integer(given, "context"), integer(given, "index_topk"), defaults,
                             rest);
}

Offset<schema::Provenance> ProgramTables::provenanceTable() {
  Offsets<flatbuffers::String> flags;
  for (const std::string &flag : provenance.flags)
    flags.push_back(w.string(flag));
  Offsets<schema::SourceFile> files;
  for (const SourceFile &file : provenance.files)
    files.push_back(schema::CreateSourceFile(b, w.string(file.name), file.bytes, file.hash.low,
                                             file.hash.high));
  return schema::CreateProvenance(b, w.string(provenance.compiler), w.string(provenance.commit),
                                  b.CreateVector(flags), w.string(provenance.precision),
                                  w.string(provenance.recipe), b.CreateVector(files),
                                  provenance.schemaHash);
}

uint32_t ProgramTables::pageRows() {
  for (auto state : module.getOps<program::StateOp>())
    return uint32_t(state.getPageRows());
  auto machine = module->getAttrOfType<kernel::MachineAttr>("kernel.machine");
  return machine ? uint32_t(machine.getPageRows()) : 0;
}

std::string ProgramTables::write() {
  auto modelTable = model();
  auto origin = provenanceTable();
  auto devices = table<program::DeviceOp>(&ProgramTables::device);
  auto dims = table(&ProgramTables::dim);
  auto segments = table(&ProgramTables::segment);
  auto weights = table(&ProgramTables::weight);
  auto banks = table(&ProgramTables::bank);
  auto groups = table(&ProgramTables::group);
  auto states = table(&ProgramTables::state);
  auto kernels = table(&ProgramTables::kernel);
  Offsets<schema::Level> levelRows;
  for (auto op : module.getOps<program::LevelOp>())
    levelRows.push_back(level(op));
  auto levels = b.CreateVector(levelRows);
  auto entries = table(&ProgramTables::entry);
  auto communication = table(&ProgramTables::communication);
  auto names = tokenizers();
  Offsets<flatbuffers::String> countNames;
  for (StringAttr count : w.counts)
    countNames.push_back(w.string(count.getValue()));
  auto counts = b.CreateVector(countNames);
  schema::ProgramBuilder program(b);
  program.add_features(0);
  program.add_model(modelTable);
  program.add_provenance(origin);
  program.add_devices(devices);
  program.add_dims(dims);
  program.add_segments(segments);
  program.add_weights(weights);
  program.add_banks(banks);
  program.add_groups(groups);
  program.add_states(states);
  program.add_kernels(kernels);
  program.add_entries(entries);
  program.add_tokenizers(names);
  program.add_communication(communication);
  program.add_page_rows(pageRows());
  program.add_counts(counts);
  program.add_levels(levels);
  schema::FinishProgramBuffer(b, program.Finish());
  return std::string(reinterpret_cast<const char *>(b.GetBufferPointer()), b.GetSize());
}

} // namespace

std::string buildProgram(ModuleOp module, const std::vector<SegmentPlace> &places,
                         const Provenance &provenance) {
  return ProgramTables(module, places, provenance).write();
}

} // namespace glm::artifact
