// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// inline-layers: functions on memory become flat entries. A layer function is a template for
// commands: walking it with the caller's memory in place of its arguments writes them, so nothing
// is cloned twice and refs are shared.
#include "passes/place/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

namespace glm::place {
#define GEN_PASS_DEF_INLINELAYERSPASS
#include "passes/place/Passes.h.inc"
} // namespace glm::place

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

constexpr StringLiteral deviceName = "host";

/// Rows of a step that a session has room for the logits of, if it does not ask for more: a row a
/// slot. The logits of all rows of a prompt would be 1.3 GB of arena in a model of 154,880 tokens.
constexpr int64_t usualLogitRows = 64;

/// The longest path that all dotted names have in common.
StringRef sharedPath(StringRef a, StringRef b) {
  size_t end = 0, i = 0;
  for (; i < a.size() && i < b.size() && a[i] == b[i]; ++i)
    if (a[i] == '.')
      end = i;
  if ((i == a.size() || a[i] == '.') && (i == b.size() || b[i] == '.'))
    end = i;
  return a.take_front(end);
}

/// The module of the model that a weight belongs to: `model.layers.3.self_attn` of
/// `….self_attn.q_a_proj.weight`.
StringRef moduleOf(StringRef symbol, bool isBank) {
  return isBank ? symbol : symbol.rsplit('.').first;
}

StringRef locationName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().getValue();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location inner : fused.getLocations())
      if (StringRef name = locationName(inner); !name.empty())
        return name;
  return {};
}

/// Writes one entry.
class EntryWriter {
public:
  EntryWriter(func::FuncOp function, SymbolTableCollection &symbols)
      : function(function), symbols(symbols), refs(function.getContext()),
        commands(function.getContext()) {}

  FailureOr<program::EntryOp> write();
  unsigned calls = 0, launches = 0;

private:
  LogicalResult inlineBody(func::FuncOp callee, IRMapping &mapping, StringRef path);
  LogicalResult inlineOp(Operation *op, IRMapping &mapping, StringRef path);
  LogicalResult inlineCall(func::CallOp call, IRMapping &mapping, StringRef path);
  LogicalResult inlineBranch(program::BranchOp branch, IRMapping &mapping, StringRef path);
  LogicalResult writeLaunch(kernel::LaunchOp launch, IRMapping &mapping, StringRef path);
  Value pack(program::PackOp op, Value weight, Value scales);
  Value reference(Operation *op);
  std::string labelOf(ValueRange operands, Operation *launch, StringRef path);
  Value inputBuffer(unsigned index);
  void writePort(program::PortKind kind, Value buffer, StringAttr name);

  func::FuncOp function;
  SymbolTableCollection &symbols;
  program::EntryOp entry;
  /// References and buffers come first, then ports, then commands; each has its own place to grow.
  OpBuilder refs, commands;
  Operation *endOfRefs = nullptr;
  DenseMap<std::pair<Attribute, Type>, Value> shared;
};

FailureOr<program::EntryOp> EntryWriter::write() {
  OpBuilder outside(function);
  entry = program::EntryOp::create(outside, function.getLoc(), function.getSymName(), {}, {});
  Block *body = outside.createBlock(&entry.getBody());
  commands.setInsertionPointToEnd(body);
  // A mark between references and commands; it goes away at the end.
  endOfRefs = program::BarrierOp::create(commands, function.getLoc(), deviceName);
  refs.setInsertionPoint(endOfRefs);

  IRMapping mapping;
  for (BlockArgument argument : function.getArguments())
    mapping.map(argument, inputBuffer(argument.getArgNumber()));
  if (failed(inlineBody(function, mapping, "")))
    return failure();

  refs.setInsertionPoint(endOfRefs);
  auto nameOf = [&](DictionaryAttr attributes, const Twine &otherwise) {
    auto name = attributes ? attributes.getAs<StringAttr>("glm.name") : StringAttr();
    return name ? name : refs.getStringAttr(otherwise);
  };
  for (BlockArgument argument : function.getArguments())
    writePort(program::PortKind::Input, mapping.lookup(argument),
              nameOf(function.getArgAttrDict(argument.getArgNumber()),
                     "input" + Twine(argument.getArgNumber())));
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [index, result] : llvm::enumerate(terminator->getOperands()))
    writePort(program::PortKind::Output, mapping.lookup(result),
              nameOf(function.getResultAttrDict(index), "output" + Twine(index)));
  endOfRefs->erase();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*body)))
    if (isa<program::WeightRefOp, program::BankRefOp, program::StateRefOp, program::BufferOp>(op) &&
        op.use_empty())
      op.erase();
  return entry;
}

/// Memory for an argument of the entry; its dynamic dimension is `program.dim`, else follows from
/// its name.
Value EntryWriter::inputBuffer(unsigned index) {
  BlockArgument argument = function.getArgument(index);
  auto type = dyn_cast<kernel::BufferType>(argument.getType());
  if (!type)
    return {};
  StringAttr dim;
  if (!type.getShape().empty() && ShapedType::isDynamic(type.getShape().front())) {
    auto name = function.getArgAttrOfType<StringAttr>(index, "glm.name");
    dim = function.getArgAttrOfType<StringAttr>(index, "program.dim");
    if (!dim)
      dim = refs.getStringAttr(name && name.getValue() == "logit_rows" ? "logit_rows" : "rows");
  }
  return program::BufferOp::create(refs, argument.getLoc(), type, dim, {}, {});
}

void EntryWriter::writePort(program::PortKind kind, Value buffer, StringAttr name) {
  program::PortOp::create(refs, buffer.getLoc(), kind, name, buffer);
}

LogicalResult EntryWriter::inlineBody(func::FuncOp callee, IRMapping &mapping, StringRef path) {
  for (Operation &op : callee.getBody().front().without_terminator())
    if (failed(inlineOp(&op, mapping, path)))
      return failure();
  return success();
}

LogicalResult EntryWriter::inlineOp(Operation *op, IRMapping &mapping, StringRef path) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](func::CallOp call) { return inlineCall(call, mapping, path); })
      .Case([&](kernel::LaunchOp launch) { return writeLaunch(launch, mapping, path); })
      .Case([&](program::BranchOp branch) { return inlineBranch(branch, mapping, path); })
      .Case([&](program::BufferOp) { return refs.clone(*op, mapping), success(); })
      .Case([&](program::PackOp packed) -> LogicalResult {
        Value scales = packed.getScales() ? mapping.lookup(packed.getScales()) : Value();
        Value result = pack(packed, mapping.lookup(packed.getWeight()), scales);
        if (!result)
          return op->emitOpError("packs something that is no plain weight or bank of the module");
        mapping.map(packed.getResult(), result);
        return success();
      })
      .Case<program::WeightRefOp, program::BankRefOp, program::StateRefOp>([&](auto) {
        mapping.map(op->getResult(0), reference(op));
        return success();
      })
      .Default([](Operation *op) {
        return op->emitOpError("cannot be placed: a function on memory holds launches, calls, "
                               "branches and memory only");
      });
}

LogicalResult EntryWriter::inlineCall(func::CallOp call, IRMapping &mapping, StringRef path) {
  auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
  if (!callee || callee.isExternal())
    return call.emitOpError("calls @") << call.getCallee() << ", which has no body to inline";
  ++calls;
  SmallVector<Value> operands;
  IRMapping inner;
  for (auto [argument, operand] : llvm::zip_equal(callee.getArguments(), call.getOperands())) {
    operands.push_back(mapping.lookup(operand));
    inner.map(argument, operands.back());
  }
  std::string innerPath = labelOf(operands, call, path);
  if (failed(inlineBody(callee, inner, innerPath)))
    return failure();
  Operation *terminator = callee.getBody().front().getTerminator();
  for (auto [result, returned] : llvm::zip_equal(call.getResults(), terminator->getOperands()))
    mapping.map(result, inner.lookup(returned));
  return success();
}

/// A branch of the entry with the same two sides; only the commands of its lists go into it.
LogicalResult EntryWriter::inlineBranch(program::BranchOp branch, IRMapping &mapping,
                                        StringRef path) {
  auto written =
      program::BranchOp::create(commands, branch.getLoc(), program::Expr::of(branch.getLeft()),
                                program::Expr::of(branch.getRight()));
  OpBuilder::InsertionGuard guard(commands);
  for (auto [from, to] : llvm::zip(branch->getRegions(), written->getRegions())) {
    commands.setInsertionPointToEnd(&to.front());
    for (Operation &op : from.front())
      if (failed(inlineOp(&op, mapping, path)))
        return failure();
  }
  return success();
}

LogicalResult EntryWriter::writeLaunch(kernel::LaunchOp launch, IRMapping &mapping,
                                       StringRef path) {
  if (launch->getNumResults())
    return launch.emitOpError(
        "still returns values; bufferize-boundaries comes before inline-layers");
  ++launches;
  SmallVector<Value> operands;
  for (Value operand : launch->getOperands())
    operands.push_back(mapping.lookup(operand));
  program::LaunchOp::create(commands, launch.getLoc(), launch.getKernel(), operands,
                            labelOf(operands, launch, path), deviceName,
                            launch->getAttrOfType<program::ExprAttr>("flop"),
                            launch->getAttrOfType<program::ExprAttr>("bytes"));
  return success();
}

/// The same weight in the same form is one value of the entry.
Value EntryWriter::reference(Operation *op) {
  Value &place = shared[{op->getAttrDictionary(), op->getResult(0).getType()}];
  if (!place)
    place = refs.clone(*op)->getResult(0);
  return place;
}

Value EntryWriter::pack(program::PackOp op, Value weight, Value scales) {
  OpBuilder::InsertionGuard guard(refs);
  Operation *packed = nullptr;
  if (auto bank = weight.getDefiningOp<program::BankRefOp>())
    packed = program::BankRefOp::create(refs, bank.getLoc(), op.getResult().getType(),
                                        bank.getBankAttr(), op.getQuantizeAttr());
  else if (auto plain = weight.getDefiningOp<program::WeightRefOp>(); plain && !plain.getDerive()) {
    auto companion = scales ? scales.getDefiningOp<program::WeightRefOp>() : program::WeightRefOp();
    packed = program::WeightRefOp::create(
        refs, plain.getLoc(), op.getResult().getType(), plain.getWeightAttr(), op.getDeriveAttr(),
        companion ? companion.getWeightAttr() : FlatSymbolRefAttr(), op.getBlockAttr(),
        op.getQuantizeAttr());
  }
  if (!packed)
    return {};
  // `reference` keeps the first of equal ones; the dead copy would only be noise in the dump.
  Value result = reference(packed);
  packed->erase();
  return result;
}

std::string EntryWriter::labelOf(ValueRange operands, Operation *op, StringRef path) {
  std::optional<StringRef> common;
  for (Value operand : operands) {
    StringRef module;
    if (!operand)
      continue;
    if (auto weight = operand.getDefiningOp<program::WeightRefOp>())
      module = moduleOf(weight.getWeight(), false);
    else if (auto bank = operand.getDefiningOp<program::BankRefOp>())
      module = moduleOf(bank.getBank(), true);
    else
      continue;
    common = common ? sharedPath(*common, module) : module;
  }
  // Weights of another layer (a shared head) say nothing about where a call stands.
  if (common && common->starts_with(path) && common->size() > path.size())
    return common->str();
  if (auto given = op->getAttrOfType<StringAttr>("label"))
    return path.empty() ? given.str() : (path + "." + given.getValue()).str();
  StringRef name = locationName(op->getLoc());
  if (path.empty())
    return name.str();
  // A layer function's locations start with its own name, which the path replaces.
  StringRef part = name.contains('.') ? name.split('.').second : StringRef();
  return part.empty() ? path.str() : (path + "." + part).str();
}

struct InlineLayers : place::impl::InlineLayersPassBase<InlineLayers> {
  using InlineLayersPassBase::InlineLayersPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTableCollection symbols;
    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    SmallVector<func::FuncOp> entries;
    llvm::copy_if(functions, std::back_inserter(entries),
                  [](func::FuncOp function) { return function->hasAttr("glm.entry"); });
    if (!entries.empty())
      addTables(module, entries.front());
    for (func::FuncOp function : entries) {
      // Two symbols of one name would be refused when the entry is created.
      std::string name = function.getSymName().str();
      function.setSymName(name + "$function");
      EntryWriter writer(function, symbols);
      FailureOr<program::EntryOp> entry = writer.write();
      if (failed(entry))
        return signalPassFailure();
      entry->setSymName(name);
      calls += writer.calls;
      launches += writer.launches;
    }
    for (func::FuncOp function : functions)
      function.erase();
  }

  /// The device and the dimensions every program has (SCHEMA.md names them).
  void addTables(ModuleOp module, Operation *before) {
    OpBuilder b(before);
    Location loc = module.getLoc();
    MLIRContext *context = &getContext();
    auto machine = module->getAttrOfType<kernel::MachineAttr>("kernel.machine");
    std::string target = machine ? machine.getTarget().str() : "cpu";
    auto kind = target == "npu" ? program::DeviceKind::Npu : program::DeviceKind::Cpu;
    program::DeviceOp::create(b, loc, deviceName, kind, target, b.getStrArrayAttr({}), "");
    int64_t context_ = maxContext;
    if (auto model = module->getAttrOfType<DictionaryAttr>("glm.model"); model && !context_)
      if (auto given = model.getAs<IntegerAttr>("context"))
        context_ = given.getInt();
    context_ = std::max<int64_t>(context_, 1);
    auto dim = [&](StringRef name, program::DimKind kind, int64_t max, IntegerAttr min = {},
                   IntegerAttr preset = {}, StringRef bound = "") {
      program::DimOp::create(b, loc, name, kind, max, min, preset,
                             bound.empty() ? FlatSymbolRefAttr()
                                           : FlatSymbolRefAttr::get(context, bound));
    };
    dim("max_rows", program::DimKind::Session, maxRows);
    dim("slots", program::DimKind::Session, maxSlots);
    dim("context", program::DimKind::Session, context_);
    dim("max_logit_rows", program::DimKind::Session, maxRows, {},
        b.getI64IntegerAttr(std::min<int64_t>(maxRows, usualLogitRows)));
    dim("rows", program::DimKind::Step, maxRows, {}, {}, "max_rows");
    dim("logit_rows", program::DimKind::Step, maxRows, {}, {}, "max_logit_rows");

    // What decides between forms of attention; without estimates there is one form only.
    auto presets = module->getAttrOfType<DictionaryAttr>("program.presets");
    if (!presets)
      return;
    auto preset = [&](StringRef name, int64_t otherwise) {
      auto given = presets.getAs<IntegerAttr>(name);
      return given ? given.getInt() : otherwise;
    };
    auto chosen = [&](StringRef name, int64_t min, int64_t max) {
      dim(name, program::DimKind::Session, max, b.getI64IntegerAttr(min),
          b.getI64IntegerAttr(std::clamp(preset(name, max), min, max)));
    };
    // The most keys must fill whole blocks of 64 (SCHEMA.md); a context need not.
    int64_t maxKeys = preset("max_keys", llvm::alignTo(context_, 64));
    chosen("expanded_keys", 0, maxKeys);
    chosen("expanded_rows", 1, maxRows);
    chosen("full_rows", 1, maxRows);
    chosen("unmasked_keys", 0, std::max(context_, maxKeys));
    dim("keys", program::DimKind::Step, maxKeys, {}, {}, "expanded_keys");
    module->removeAttr("program.presets");
  }
};

} // namespace
