// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pack-weights: symbols of the checkpoint become symbols of the artifact, with a place for their
// bytes.
#include "dialects/program/Layout.h"
#include "passes/place/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace glm::place {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "passes/place/Passes.h.inc"
} // namespace glm::place

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

/// One form in which entries want a weight or bank. References of equal form share it.
struct Form {
  StringAttr symbol;
  Type type;
  /// What a weight is derived by, all null of a plain one.
  program::HeadRowsAttr derive;
  FlatSymbolRefAttr scales;
  DenseI64ArrayAttr block;
  program::QuantizeAttr quantize;
  llvm::SetVector<Operation *> references;
  llvm::SetVector<Attribute> entries;
};

/// Memory of that shape is what `from` is, row-major but for dimensions of one.
bool holds(ArrayRef<int64_t> shape, Attribute layout, RankedTensorType from) {
  return shape == from.getShape() || (!layout && program::differInOnes(shape, from.getShape()));
}

struct PackWeights : place::impl::PackWeightsPassBase<PackWeights> {
  void runOnOperation() override;

private:
  void collect(ModuleOp module);
  std::string nameOf(const Form &form);
  LogicalResult place(Form &form, FlatSymbolRefAttr group, OpBuilder &b);
  LogicalResult placeWeight(Form &form, model::WeightOp source, FlatSymbolRefAttr group,
                            OpBuilder &b);
  LogicalResult placeBank(Form &form, model::BankOp source, FlatSymbolRefAttr group, OpBuilder &b);
  LogicalResult placeStates(ModuleOp module, OpBuilder &b);
  void removeSources(ModuleOp module);

  SmallVector<Form> forms;
  DenseMap<StringAttr, unsigned> formsOf;
  /// Where each glm.weight and glm.bank went; those without one are unused.
  DenseMap<StringAttr, Operation *> sources;
  DenseSet<Operation *> placed;
  int64_t end = 0;
  /// The new symbols, by the reference that is to name them.
  SmallVector<std::pair<Operation *, std::string>> renames;
};

void PackWeights::collect(ModuleOp module) {
  forms.clear(), formsOf.clear(), sources.clear(), placed.clear(), renames.clear();
  end = 0;
  for (Operation &op : *module.getBody())
    if (isa<model::WeightOp, model::BankOp>(op))
      sources[SymbolTable::getSymbolName(&op)] = &op;
  DenseMap<std::pair<Attribute, Type>, unsigned> index;
  auto add = [&](Operation *op, program::EntryOp entry) {
    if (!isa_and_nonnull<program::WeightRefOp, program::BankRefOp>(op))
      return;
    auto symbol =
        op->getAttrOfType<FlatSymbolRefAttr>(isa<program::BankRefOp>(op) ? "bank" : "weight")
            .getAttr();
    Type type = op->getResult(0).getType();
    auto [at, isNew] = index.try_emplace({op->getAttrDictionary(), type}, forms.size());
    if (isNew) {
      forms.push_back({symbol,
                       type,
                       op->getAttrOfType<program::HeadRowsAttr>("derive"),
                       op->getAttrOfType<FlatSymbolRefAttr>("scales"),
                       op->getAttrOfType<DenseI64ArrayAttr>("block"),
                       op->getAttrOfType<program::QuantizeAttr>("quantize"),
                       {},
                       {}});
      ++formsOf[symbol];
    }
    forms[at->second].references.insert(op);
    forms[at->second].entries.insert(FlatSymbolRefAttr::get(entry.getSymNameAttr()));
  };
  for (auto entry : module.getOps<program::EntryOp>()) {
    // As launches use them; then what nobody uses.
    entry.walk([&](program::LaunchOp launch) {
      for (Value operand : launch.getArguments())
        add(operand.getDefiningOp(), entry);
    });
    entry.walk([&](Operation *op) { add(op, entry); });
  }
}

/// The checkpoint's name; where a weight is wanted in several forms, with the form behind it.
std::string PackWeights::nameOf(const Form &form) {
  if (formsOf[form.symbol] == 1)
    return form.symbol.str();
  std::string name = form.symbol.str() + "|";
  if (form.derive)
    name += "heads" + std::to_string(form.derive.getBegin()) +
            (form.derive.getTransposed() ? "t," : ",");
  if (form.quantize)
    name += form.quantize.getPart().str() + ",";
  Attribute layout;
  Type element;
  if (auto buffer = dyn_cast<kernel::BufferType>(form.type))
    layout = buffer.getLayout(), element = buffer.getElementType();
  else
    layout = cast<kernel::BankType>(form.type).getLayout(),
    element = cast<kernel::BankType>(form.type).getElementType();
  llvm::raw_string_ostream(name) << program::layoutName(layout) << "," << element;
  return name;
}

LogicalResult PackWeights::place(Form &form, FlatSymbolRefAttr group, OpBuilder &b) {
  Operation *source = sources.lookup(form.symbol);
  Operation *reference = form.references.front();
  placed.insert(source);
  if (auto weight = dyn_cast_or_null<model::WeightOp>(source);
      weight && isa<program::WeightRefOp>(reference))
    return placeWeight(form, weight, group, b);
  if (auto bank = dyn_cast_or_null<model::BankOp>(source);
      bank && isa<program::BankRefOp>(reference))
    return placeBank(form, bank, group, b);
  return reference->emitOpError("there is no ")
         << (isa<program::BankRefOp>(reference) ? "glm.bank @" : "glm.weight @")
         << form.symbol.getValue();
}

LogicalResult PackWeights::placeWeight(Form &form, model::WeightOp source, FlatSymbolRefAttr group,
                                       OpBuilder &b) {
  auto type = cast<kernel::BufferType>(form.type);
  auto from = cast<RankedTensorType>(source.getType());
  if (!form.derive && !form.quantize && !holds(type.getShape(), type.getLayout(), from))
    return form.references.front()->emitOpError("wants ")
           << type << " of a weight of type " << from;
  program::DequantizeAttr dequantize;
  if (form.scales) {
    auto scales = dyn_cast_or_null<model::WeightOp>(sources.lookup(form.scales.getAttr()));
    if (!scales)
      return form.references.front()->emitOpError("there is no glm.weight ") << form.scales;
    placed.insert(scales);
    dequantize =
        program::DequantizeAttr::get(&getContext(), scales.getSymNameAttr(), scales.getFileAttr(),
                                     scales.getOffset(), form.block[0], form.block[1]);
  }
  end = llvm::alignTo(end, program::lineBytes);
  int64_t size = program::packedBytes(type);
  program::WeightOp::create(b, source.getLoc(), nameOf(form), type, "weights", end, size,
                            group.getValue(), source.getSymName(), from, source.getFile(),
                            source.getOffset(), form.derive, dequantize, form.quantize);
  end += size;
  ++weights;
  return success();
}

LogicalResult PackWeights::placeBank(Form &form, model::BankOp source, FlatSymbolRefAttr group,
                                     OpBuilder &b) {
  auto type = cast<kernel::BankType>(form.type);
  auto from = cast<RankedTensorType>(source.getType());
  if (!form.quantize && !holds(type.getShape(), type.getLayout(), from))
    return form.references.front()->emitOpError("wants ") << type << " of a bank of type " << from;
  int64_t slab = llvm::alignTo(program::expertBytes(type), program::slabAlignment);
  SmallVector<int64_t> offsets;
  end = llvm::alignTo(end, program::slabAlignment);
  for (int64_t expert = 0; expert < type.getShape().front(); ++expert, end += slab)
    offsets.push_back(end);
  program::BankOp::create(b, source.getLoc(), nameOf(form), type, "weights", offsets, slab,
                          group.getValue(), source.getTensors(), from, source.getFiles(),
                          source.getFileOf(), source.getOffsets(), form.quantize);
  ++banks;
  return success();
}

/// Every reader of a cache agrees on its layout, or there is none.
LogicalResult PackWeights::placeStates(ModuleOp module, OpBuilder &b) {
  auto machine = module->getAttrOfType<kernel::MachineAttr>("kernel.machine");
  int64_t pageRows = machine ? machine.getPageRows() : 1024;
  llvm::MapVector<StringAttr, program::StateRefOp> users;
  WalkResult walked = module.walk([&](program::StateRefOp reference) {
    program::StateRefOp &first = users[reference.getStateAttr().getAttr()];
    if (!first)
      first = reference;
    if (first.getResult().getType() == reference.getResult().getType())
      return WalkResult::advance();
    reference.emitOpError("wants @")
        << reference.getState() << " as " << reference.getResult().getType()
        << ", another reader as " << first.getResult().getType();
    return WalkResult::interrupt();
  });
  if (walked.wasInterrupted())
    return failure();
  for (auto &[symbol, reference] : users) {
    auto source = dyn_cast_or_null<model::StateOp>(module.lookupSymbol(symbol));
    kernel::CacheType type = reference.getResult().getType();
    if (!source)
      return reference.emitOpError("there is no glm.state @") << symbol.getValue();
    auto cache = cast<model::CacheType>(source.getType());
    // Behind the codes of a row lies their scale.
    int64_t scale = cache.getElementType().isInteger(8) ? 4 : 0;
    if (cache.getWidth() + scale != type.getWidth() ||
        cache.getElementType() != type.getElementType())
      return reference.emitOpError("wants ") << type << " of a state of type " << cache;
    source.setSymName((symbol.getValue() + "$source").str());
    program::StateOp::create(b, source.getLoc(), symbol.getValue(), type, pageRows, "host");
  }
  return success();
}

/// What is left of the model level: sources now have their bytes elsewhere.
void PackWeights::removeSources(ModuleOp module) {
  for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
    if (!isa<model::WeightOp, model::BankOp, model::StateOp>(op))
      continue;
    if (!isa<model::StateOp>(op) && !placed.contains(&op))
      ++unused;
    op.erase();
  }
}

void PackWeights::runOnOperation() {
  ModuleOp module = getOperation();
  collect(module);

  // A group for each set of entries, the one that all entries need first.
  size_t all = llvm::range_size(module.getOps<program::EntryOp>());
  llvm::MapVector<ArrayAttr, SmallVector<Form *>> groups;
  auto key = [&](const Form &form) {
    return ArrayAttr::get(&getContext(), form.entries.size() == all ? ArrayRef<Attribute>()
                                                                    : form.entries.getArrayRef());
  };
  groups[ArrayAttr::get(&getContext(), {})];
  for (Form &form : forms)
    groups[key(form)].push_back(&form);

  OpBuilder b(&getContext());
  auto entries = module.getOps<program::EntryOp>();
  if (entries.empty())
    b.setInsertionPointToEnd(module.getBody());
  else
    b.setInsertionPoint(*entries.begin());
  auto segment =
      program::SegmentOp::create(b, module.getLoc(), "weights", program::SegmentKind::Weights,
                                 program::hugePageBytes, IntegerAttr(), "host");
  unsigned number = 0;
  for (auto &[users, members] : groups) {
    std::string name = "group" + std::to_string(number++);
    program::GroupOp::create(b, module.getLoc(), name, users);
    for (Form *form : members) {
      if (failed(place(*form, FlatSymbolRefAttr::get(&getContext(), name), b)))
        return signalPassFailure();
      for (Operation *reference : form->references)
        renames.emplace_back(reference, nameOf(*form));
    }
  }
  segment.setSizeAttr(b.getI64IntegerAttr(end));
  bytes += end;
  if (failed(placeStates(module, b)))
    return signalPassFailure();
  removeSources(module);
  for (auto &[reference, name] : renames) {
    reference->setAttr(isa<program::BankRefOp>(reference) ? "bank" : "weight",
                       FlatSymbolRefAttr::get(&getContext(), name));
    // The symbol now says how it was derived.
    for (StringRef how : {"derive", "scales", "block", "quantize"})
      reference->removeAttr(how);
  }
}

} // namespace
