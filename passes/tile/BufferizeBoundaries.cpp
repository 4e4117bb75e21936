// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function after the other, in place: new arguments of memory types are added behind the old
// ones, every op is written anew on memory in the order of the body, and then the old ops and
// arguments go.
//
// A value stands for one memory, a routing for six. Views stand for the memory of what they are
// views of.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/tile/Emit.h"
#include "passes/tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace glm {
#define GEN_PASS_DEF_BUFFERIZEBOUNDARIES
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;

namespace {

using Memories = SmallVector<Value>;

/// The functions that an op may call with its operands; all of them read memory in the same way.
SmallVector<StringRef, 3> calleesOf(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op))
    return {call.getCallee()};
  if (auto call = dyn_cast<model::CallByKeysOp>(op))
    return {call.getGathered(), call.getMasked(), call.getCausal()};
  return {};
}

/// Caches first: how one lies in memory is what the kernels that read it say.
class CacheTypes {
public:
  explicit CacheTypes(SymbolTable &symbols) : symbols(symbols) {}

  /// The type of a cache value, null where two readers disagree.
  kernel::CacheType of(Value cache) {
    auto [entry, isNew] = known.try_emplace(cache);
    if (!isNew)
      return entry->second;
    auto type = cast<model::CacheType>(cache.getType());
    kernel::CacheType rows = cacheOf(type, Attribute());
    kernel::CacheType found;
    for (OpOperand &use : cache.getUses()) {
      kernel::CacheType used = readBy(use);
      if (used && found && used != found)
        return known[cache] = {};
      found = used ? used : found;
    }
    return known[cache] = found ? found : rows;
  }

private:
  kernel::CacheType readBy(OpOperand &use) {
    if (auto launch = dyn_cast<kernel::LaunchOp>(use.getOwner())) {
      auto kernel = symbols.lookup<kernel::FuncOp>(launch.getKernel());
      return dyn_cast<kernel::CacheType>(kernel.getArgumentTypes()[use.getOperandNumber()]);
    }
    for (StringRef name : calleesOf(use.getOwner()))
      if (auto callee = symbols.lookup<func::FuncOp>(name); !callee.isExternal())
        return of(callee.getArgument(use.getOperandNumber()));
    return {};
  }

  SymbolTable &symbols;
  DenseMap<Value, kernel::CacheType> known;
};

/// The memory types a value of `type` stands for; a static tensor of rank 3 is a bank only by its
/// symbol.
SmallVector<Type> memoryTypes(Type type) {
  if (auto routing = dyn_cast<model::RoutingType>(type)) {
    SmallVector<Type> parts;
    for (Type part : partTypes(routing))
      parts.push_back(bufferOf(part));
    return parts;
  }
  return {bufferOf(type)};
}

bool isView(Operation *op) {
  return isa<model::SplitHeadsOp, model::MergeHeadsOp, model::SelectionIdsOp,
             model::SelectionOfIdsOp>(op);
}

/// The operand whose memory a result of a launch is from then on; null if it has its own.
Value updatedOperand(kernel::LaunchOp launch, unsigned result, kernel::FuncOp kernel) {
  unsigned number = launch.getInputs().size() + result;
  for (auto [index, operand] : llvm::enumerate(launch.getInputs()))
    if (kernel.getArgAttr(index, kernel::updatedAttribute) &&
        number-- == kernel.getArgumentTypes().size())
      return operand;
  return {};
}

/// What an argument of a function is called from now on.
struct Signature {
  SmallVector<Type> inputs, outputs;
};

class Bufferizer {
public:
  Bufferizer(func::FuncOp function, SymbolTable &symbols, CacheTypes &caches,
             DenseMap<StringRef, Signature> &signatures)
      : function(function), symbols(symbols), caches(caches), signatures(signatures),
        builder(function.getContext()), isEntry(function->hasAttr("glm.entry")) {}

  LogicalResult sign();
  LogicalResult rewrite();

  unsigned buffers = 0, packs = 0;

private:
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteLaunch(kernel::LaunchOp launch);
  FailureOr<Memories> passMemory(Operation *call, StringRef callee);
  LogicalResult rewriteCall(func::CallOp call);
  LogicalResult rewriteCallByKeys(model::CallByKeysOp call);
  LogicalResult rewriteByRows(kernel::ByRowsOp op);
  LogicalResult rewriteReturn(func::ReturnOp op);
  LogicalResult planResults(func::ReturnOp op);
  LogicalResult plan(Value result, ArrayRef<Value> destinations);

  Value updatedBy(Value result);
  Type argumentType(Value argument);
  bool isBank(Value value);
  Value allocate(Type type, StringRef dim);
  Value weightFor(Value operand, Type wanted, bool transposed);
  Value bankOrWeight(model::WeightValueOp op);
  void finish();

  LogicalResult fail(Operation *op, const Twine &what) {
    return emitCoded(op, {Code::PassFailed, op->getName().getStringRef().str(), what.str(),
                          "the tile phase copies no memory"});
  }

  func::FuncOp function;
  SymbolTable &symbols;
  CacheTypes &caches;
  DenseMap<StringRef, Signature> &signatures;
  OpBuilder builder;
  Operation *outside = nullptr; // the branch being filled: what both its lists need is before it
  bool isEntry;
  unsigned oldArguments = 0;
  DenseMap<Value, Memories> memory, destination;
  DenseMap<std::pair<Value, Type>, Value> packed;
  SmallVector<Operation *> old;
};

} // namespace

//===--- Signatures ---------------------------------------------------------------------------===//

/// A bank is read by expert linears only, whose kernels take it as one.
bool Bufferizer::isBank(Value value) {
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<model::CastOp, model::QuantizeOp, model::QuantizedOp, model::DequantizeOp>(user))
      return llvm::any_of(user->getResults(), [&](Value result) { return isBank(result); });
    if (auto callees = calleesOf(user); !callees.empty()) {
      auto callee = symbols.lookup<func::FuncOp>(callees.front());
      return !callee.isExternal() && isBank(callee.getArgument(use.getOperandNumber()));
    }
    auto launch = dyn_cast<kernel::LaunchOp>(user);
    return launch && isa<kernel::BankType>(symbols.lookup<kernel::FuncOp>(launch.getKernel())
                                               .getArgumentTypes()[use.getOperandNumber()]);
  });
}

Type Bufferizer::argumentType(Value argument) {
  if (isa<model::CacheType>(argument.getType()))
    return caches.of(argument);
  auto tensor = dyn_cast<RankedTensorType>(argument.getType());
  if (tensor && tensor.hasStaticShape() && tensor.getRank() == 3 && isBank(argument))
    return kernel::BankType::get(tensor.getContext(), tensor.getShape(), tensor.getElementType(),
                                 Attribute());
  return {};
}

/// Adds the new arguments behind the old ones and remembers what each old one stands for.
LogicalResult Bufferizer::sign() {
  Block &block = function.getBody().front();
  oldArguments = block.getNumArguments();
  Signature &signature = signatures[function.getSymName()];
  for (unsigned i = 0; i < oldArguments; ++i) {
    BlockArgument argument = block.getArgument(i);
    SmallVector<Type> types;
    if (isa<model::CacheType>(argument.getType()) && !caches.of(argument))
      return emitCoded(function, {Code::PassFailed, function.getSymName().str(),
                                  "reads argument " + std::to_string(i) + " in two layouts",
                                  "a cache has one"});
    if (Type type = argumentType(argument))
      types.push_back(type);
    else
      types = memoryTypes(argument.getType());
    for (Type type : types)
      memory[argument].push_back(block.addArgument(type, argument.getLoc()));
    llvm::append_range(signature.inputs, types);
  }
  for (Type result : function.getResultTypes())
    llvm::append_range(signature.outputs, memoryTypes(result));
  for (auto state : block.getOps<model::StateValueOp>())
    caches.of(state.getResult()); // now: later the callees have other arguments
  return planResults(cast<func::ReturnOp>(block.getTerminator()));
}

/// Results of a layer function are written where the caller says.
LogicalResult Bufferizer::planResults(func::ReturnOp op) {
  if (isEntry)
    return success();
  Block &block = function.getBody().front();
  for (Value result : op.getOperands()) {
    Memories outs;
    for (Type type : memoryTypes(result.getType()))
      outs.push_back(block.addArgument(type, op.getLoc()));
    if (failed(plan(result, outs)))
      return failure();
  }
  return success();
}

LogicalResult Bufferizer::plan(Value result, ArrayRef<Value> destinations) {
  Operation *maker = result.getDefiningOp();
  if (auto parts = dyn_cast_or_null<UnrealizedConversionCastOp>(maker);
      parts && parts.getInputs().size() == destinations.size()) {
    for (auto [part, out] : llvm::zip(parts.getInputs(), destinations))
      if (failed(plan(part, out)))
        return failure();
    return success();
  }
  if (maker && isView(maker))
    return plan(maker->getOperand(0), destinations);
  if (!isa_and_nonnull<kernel::LaunchOp, func::CallOp, model::CallByKeysOp, kernel::ByRowsOp>(
          maker))
    return fail(function, "returns an argument of its own");
  if (Value operand = updatedBy(result))
    return plan(operand, destinations);
  if (!destination.try_emplace(result, destinations).second)
    return fail(function, "returns a value twice");
  return success();
}

Value Bufferizer::updatedBy(Value result) {
  auto launch = result.getDefiningOp<kernel::LaunchOp>();
  if (!launch)
    return {};
  auto kernel = symbols.lookup<kernel::FuncOp>(launch.getKernel());
  return updatedOperand(launch, cast<OpResult>(result).getResultNumber(), kernel);
}

//===--- Bodies -------------------------------------------------------------------------------===//

Value Bufferizer::allocate(Type type, StringRef dim) {
  bool isDynamic = ShapedType::isDynamic(cast<kernel::BufferType>(type).getShape().front());
  auto attribute = isDynamic ? builder.getStringAttr(dim) : StringAttr();
  ++buffers;
  OpBuilder::InsertionGuard guard(builder);
  if (outside)
    builder.setInsertionPoint(outside);
  return program::BufferOp::create(builder, function.getLoc(), type, attribute, program::ExprAttr(),
                                   program::ExprAttr());
}

Value Bufferizer::bankOrWeight(model::WeightValueOp op) {
  auto tensor = cast<RankedTensorType>(op.getType());
  if (isa<model::BankOp>(symbols.lookup(op.getWeight()))) {
    auto type = kernel::BankType::get(op.getContext(), tensor.getShape(), tensor.getElementType(),
                                      Attribute());
    return program::BankRefOp::create(builder, op.getLoc(), type, op.getWeightAttr(),
                                      program::QuantizeAttr());
  }
  return program::WeightRefOp::create(
      builder, op.getLoc(), bufferOf(op.getType()), op.getWeightAttr(), program::HeadRowsAttr(),
      FlatSymbolRefAttr(), DenseI64ArrayAttr(), program::QuantizeAttr());
}

/// The memory of a weight as a kernel reads it: casts, head rows and what makes codes or numbers of
/// each other become one `program.pack`.
Value Bufferizer::weightFor(Value operand, Type wanted, bool transposed) {
  Value &known = packed[{operand, wanted}];
  if (known)
    return known;
  Value base = operand;
  program::HeadRowsAttr derive;
  program::QuantizeAttr quantize;
  DenseI64ArrayAttr block;
  Value scales;
  bool asNumbers = false;
  while (Operation *op = base.getDefiningOp()) {
    if (auto rows = dyn_cast<model::HeadRowsOp>(op)) {
      derive = program::HeadRowsAttr::get(op->getContext(), rows.getBegin(), transposed);
    } else if (auto codes = dyn_cast<model::QuantizeOp>(op)) {
      StringRef part = asNumbers                   ? "numbers"
                       : base == codes.getCodes()  ? "codes"
                       : base == codes.getScales() ? "scales"
                                                   : "zeros";
      quantize = program::QuantizeAttr::get(
          op->getContext(), part,
          getElementTypeOrSelf(codes.getCodes().getType()).getIntOrFloatBitWidth(),
          codes.getColumns(), codes.getAsymmetric());
    } else if (auto numbers = dyn_cast<model::DequantizeOp>(op)) {
      auto tied = numbers.getX().getDefiningOp<model::QuantizedOp>();
      auto type = cast<model::QuantizedType>(getElementTypeOrSelf(numbers.getX().getType()));
      base = tied.getCodes();
      // Codes that packing makes are numbers again without being written.
      asNumbers = bool(base.getDefiningOp<model::QuantizeOp>());
      if (asNumbers)
        continue;
      scales = memory.lookup(tied.getScales()).front();
      block = builder.getDenseI64ArrayAttr({type.getRows(), type.getColumns()});
      continue;
    } else if (!isa<model::CastOp>(op)) {
      break;
    }
    base = op->getOperand(0);
  }
  Value plain = memory.lookup(base).front();
  if (plain.getType() == wanted)
    return known = plain;
  ++packs;
  OpBuilder::InsertionGuard guard(builder);
  if (outside)
    builder.setInsertionPoint(outside);
  return known = program::PackOp::create(builder, operand.getLoc(), wanted, plain, derive, scales,
                                         block, quantize);
}

LogicalResult Bufferizer::rewriteLaunch(kernel::LaunchOp launch) {
  auto kernel = symbols.lookup<kernel::FuncOp>(launch.getKernel());
  ArrayRef<Type> types = kernel.getArgumentTypes();
  auto dim = launch->getAttrOfType<StringAttr>("dim");
  Memories inputs, outputs;
  for (auto [index, operand] : llvm::enumerate(launch.getInputs())) {
    auto tensor = dyn_cast<RankedTensorType>(operand.getType());
    // What stands beside codes is a row for kernels, whatever it is in the checkpoint.
    bool isWeight =
        tensor && tensor.hasStaticShape() &&
        (!memory.contains(operand) || memory.lookup(operand).front().getType() != types[index]);
    if (isWeight || isa<kernel::BankType>(types[index]) || kernel::layoutOf(types[index])) {
      if (!isa<model::CacheType>(operand.getType())) {
        bool transposed = bool(kernel.getArgAttr(index, "kernel.transposed"));
        inputs.push_back(weightFor(operand, types[index], transposed));
        continue;
      }
    }
    inputs.push_back(memory[operand].front());
  }
  for (auto [index, result] : llvm::enumerate(launch.getResults())) {
    if (Value operand = updatedBy(result)) {
      Memories same = memory[operand];
      memory[result] = same;
      continue;
    }
    Memories &out = memory[result];
    auto planned = destination.find(result);
    auto argument = cast<kernel::BufferType>(types[inputs.size() + index]);
    kernel::BufferType own = bufferOf(result.getType());
    // Pairs have a dimension more in memory than as a tensor.
    bool isPairs = argument.getShape().size() == 3 && own.getShape().size() == 2 &&
                   argument.getShape().back() == own.getShape().back();
    if (planned != destination.end())
      out = planned->second;
    else
      out = {allocate(isPairs ? argument : own, dim ? dim.getValue() : "rows")};
    outputs.push_back(out.front());
  }
  auto placed = kernel::LaunchOp::create(builder, launch.getLoc(), TypeRange(),
                                         launch.getKernelAttr(), inputs, outputs);
  for (StringRef name : {"label", "flop", "bytes"})
    if (Attribute value = launch->getAttr(name))
      placed->setAttr(name, value);
  return success();
}

/// What a call passes: the memory of its operands, then that its results are written to.
FailureOr<Memories> Bufferizer::passMemory(Operation *call, StringRef callee) {
  const Signature &signature = signatures[callee];
  Memories operands;
  for (Value operand : call->getOperands())
    llvm::append_range(operands, memory[operand]);
  for (Value result : call->getResults()) {
    auto planned = destination.find(result);
    if (planned != destination.end())
      memory[result] = planned->second;
    else
      for (Type type : memoryTypes(result.getType()))
        memory[result].push_back(allocate(type, "rows"));
    llvm::append_range(operands, memory[result]);
  }
  SmallVector<Type> expected(signature.inputs);
  llvm::append_range(expected, signature.outputs);
  for (auto [index, pair] : llvm::enumerate(llvm::zip_equal(operands, expected)))
    if (std::get<0>(pair).getType() != std::get<1>(pair))
      return call->emitError() << "passes " << std::get<0>(pair).getType() << " as operand "
                               << index << ", expected " << std::get<1>(pair);
  return operands;
}

LogicalResult Bufferizer::rewriteCall(func::CallOp call) {
  FailureOr<Memories> operands = passMemory(call, call.getCallee());
  if (failed(operands))
    return failure();
  auto placed =
      func::CallOp::create(builder, call.getLoc(), call.getCallee(), TypeRange(), *operands);
  placed->setDiscardableAttrs(call->getDiscardableAttrDictionary());
  return success();
}

/// No keys: gathered. More keys than a selection has: masked. Else all keys that a row sees.
LogicalResult Bufferizer::rewriteCallByKeys(model::CallByKeysOp call) {
  FailureOr<Memories> operands = passMemory(call, call.getGathered());
  if (failed(operands))
    return failure();
  auto number = [&](StringRef name) { return program::Expr::dim(builder.getStringAttr(name)); };
  auto callIn = [&](Region &list, StringRef callee) {
    OpBuilder inside = OpBuilder::atBlockEnd(&list.front());
    func::CallOp::create(inside, call.getLoc(), callee, TypeRange(), *operands);
  };
  auto branch = program::BranchOp::create(builder, call.getLoc(), number("keys"), program::Expr(1));
  callIn(branch.getLess(), call.getGathered());
  OpBuilder inside = OpBuilder::atBlockEnd(&branch.getOtherwise().front());
  auto expanded =
      program::BranchOp::create(inside, call.getLoc(), number("unmasked_keys"), number("keys"));
  callIn(expanded.getLess(), call.getMasked());
  callIn(expanded.getOtherwise(), call.getCausal());
  return success();
}

/// Both forms write the same memory.
LogicalResult Bufferizer::rewriteByRows(kernel::ByRowsOp op) {
  auto dim = op->getAttrOfType<StringAttr>("dim");
  for (Value result : op.getResults()) {
    auto planned = destination.find(result);
    if (planned != destination.end())
      memory[result] = planned->second;
    else
      for (Type type : memoryTypes(result.getType()))
        memory[result].push_back(allocate(type, dim ? dim.getValue() : "rows"));
  }
  auto rows = program::Expr::dim(dim ? dim : builder.getStringAttr("rows"));
  auto branch = program::BranchOp::create(builder, op.getLoc(), rows, program::Expr(op.getBound()));
  outside = branch;
  for (auto [from, to] : {std::pair(&op.getFew(), &branch.getLess()),
                          std::pair(&op.getMany(), &branch.getOtherwise())}) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&to->front());
    Block &form = from->front();
    for (auto [value, result] : llvm::zip(form.getTerminator()->getOperands(), op.getResults()))
      if (failed(plan(value, memory[result])))
        return failure();
    for (Operation &inner : form.without_terminator())
      if (failed(rewrite(&inner)))
        return failure();
  }
  outside = nullptr;
  return success();
}

LogicalResult Bufferizer::rewriteReturn(func::ReturnOp op) {
  Memories results;
  if (isEntry)
    for (Value operand : op.getOperands()) {
      if (memory[operand].size() != 1)
        return fail(op, "returns a routing; return its ids and weights");
      results.push_back(memory[operand].front());
    }
  func::ReturnOp::create(builder, op.getLoc(), results);
  return success();
}

LogicalResult Bufferizer::rewrite(Operation *op) {
  if (auto launch = dyn_cast<kernel::LaunchOp>(op))
    return rewriteLaunch(launch);
  if (auto call = dyn_cast<func::CallOp>(op))
    return rewriteCall(call);
  if (auto call = dyn_cast<model::CallByKeysOp>(op))
    return rewriteCallByKeys(call);
  if (auto forms = dyn_cast<kernel::ByRowsOp>(op))
    return rewriteByRows(forms);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return rewriteReturn(ret);
  if (auto weight = dyn_cast<model::WeightValueOp>(op)) {
    memory[weight.getResult()] = {bankOrWeight(weight)};
    return success();
  }
  if (auto state = dyn_cast<model::StateValueOp>(op)) {
    kernel::CacheType type = caches.of(state.getResult());
    if (!type)
      return fail(op, "is read in two layouts");
    memory[state.getResult()] = {
        program::StateRefOp::create(builder, op->getLoc(), type, state.getStateAttr())};
    return success();
  }
  if (isa<model::HeadRowsOp, model::CastOp, model::QuantizedOp, model::QuantizeOp,
          model::DequantizeOp>(op))
    return success(); // followed from the launches that read them
  if (isView(op)) {
    Memories same = memory[op->getOperand(0)]; // a copy: the map may grow
    memory[op->getResult(0)] = same;
    return success();
  }
  if (isa<model::RoutingIdsOp, model::RoutingWeightsOp>(op)) {
    unsigned part = isa<model::RoutingIdsOp>(op) ? Ids : Weights;
    memory[op->getResult(0)] = {memory[op->getOperand(0)][part]};
    return success();
  }
  auto cast = dyn_cast<UnrealizedConversionCastOp>(op);
  if (!cast)
    return fail(op, "is left outside of kernels");
  Memories parts;
  for (Value operand : cast.getInputs())
    llvm::append_range(parts, memory[operand]);
  for (auto [index, result] : llvm::enumerate(cast.getResults()))
    memory[result] = cast.getNumResults() == 1 ? parts : Memories{parts[index]};
  return success();
}

LogicalResult Bufferizer::rewrite() {
  Block &block = function.getBody().front();
  for (Operation &op : block)
    old.push_back(&op);
  builder.setInsertionPointToEnd(&block);
  for (Operation *op : old)
    if (failed(rewrite(op)))
      return failure();
  finish();
  return success();
}

void Bufferizer::finish() {
  for (Operation *op : llvm::reverse(old))
    op->erase();
  Block &block = function.getBody().front();
  SmallVector<DictionaryAttr> attributes;
  for (unsigned i = 0; i < oldArguments; ++i)
    for (unsigned part = 0; part < memory[block.getArgument(i)].size(); ++part)
      attributes.push_back(function.getArgAttrDict(i));
  block.eraseArguments(0, oldArguments);
  attributes.resize(block.getNumArguments(), builder.getDictionaryAttr({}));
  const Signature &signature = signatures[function.getSymName()];
  SmallVector<DictionaryAttr> results;
  if (isEntry)
    function.getAllResultAttrs(results);
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  function.setFunctionType(builder.getFunctionType(
      block.getArgumentTypes(), isEntry ? TypeRange(signature.outputs) : TypeRange()));
  function.setAllArgAttrs(attributes);
  if (isEntry)
    function.setAllResultAttrs(results);
}

//===--- The pass -----------------------------------------------------------------------------===//

namespace {

struct BufferizeBoundaries : glm::impl::BufferizeBoundariesBase<BufferizeBoundaries> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    CacheTypes caches(symbols);
    DenseMap<StringRef, Signature> signatures;
    SmallVector<std::unique_ptr<Bufferizer>> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(std::make_unique<Bufferizer>(function, symbols, caches, signatures));
    // All signatures before any body: calls go both ways in the module's order.
    for (auto &function : functions)
      if (failed(function->sign()))
        return signalPassFailure();
    for (auto &function : functions) {
      if (failed(function->rewrite()))
        return signalPassFailure();
      buffers += function->buffers;
      packs += function->packs;
    }
  }
};

} // namespace
