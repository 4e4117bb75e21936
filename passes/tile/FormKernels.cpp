// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels by level. A *product* (linear, index, attend, route and their kin) reads rows that other
// workers computed, so everything it reads is complete before it starts. Count on every path from
// the function's arguments how many products lie before a value: that is its level. Row-wise ops of
// one level and one row domain never depend on each other through a product, so they share a
// kernel; the function becomes
//
//   rows of level 0, products of level 0, rows of level 1, products of level 1, ...
//
// An op that reads other rows than its own (take_rows, combine) or the same memory in another shape
// opens a new level. Caches are memory: what reads a cache stands no earlier than the append before
// it.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/tile/Passes.h"
#include "passes/tile/RowDomain.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>
#include <optional>

namespace glm {
#define GEN_PASS_DEF_FORMKERNELS
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

//===--- Roles of ops -------------------------------------------------------------------------===//

enum class Role {
  Weight,  // exists before anything runs: weights, what is derived of them, caches
  View,    // the same memory in another shape or type
  Row,     // computes a row of its result of that row of its operands
  Product, // a kernel of its own
  Part,    // belongs to a product
  Call,
  Return,
  None
};

bool isStatic(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && tensor.hasStaticShape();
}

/// Codes and scales are memories of their own; tied together they are both.
bool isView(Operation *op) {
  if (isa<QuantizedOp>(op))
    return !isStatic(op->getOperand(0));
  return isa<SplitHeadsOp, MergeHeadsOp, SelectionIdsOp, SelectionOfIdsOp, RoutingIdsOp,
             RoutingWeightsOp>(op);
}

bool isProduct(Operation *op) {
  return isa<LinearOp, HeadLinearOp, ExpertLinearOp, GatedLinearOp, ExpertGatedLinearOp,
             LinearGroupOp, NormLinearOp, SelectTopKOp, AttendLatentOp, SparseAttentionOp, RouteOp,
             RouterOp>(op);
}

bool isRowWise(Operation *op) {
  return isa<EmbedOp, MaskStartOp, TakeRowsOp, RmsNormOp, LayerNormOp, RopeAnglesOp, RopeOp, AddOp,
             MultiplyOp, SiluOp, CastOp, SliceOp, ConcatOp, AppendOp, CombineOp, QuantizeOp,
             QuantizeStaticOp>(op);
}

/// Products whose result may be rounded where it is written.
bool roundsResult(Operation *op) {
  return isa_and_nonnull<LinearOp, HeadLinearOp, ExpertLinearOp, GatedLinearOp, ExpertGatedLinearOp,
                         AttendLatentOp, SparseAttentionOp>(op);
}

StringRef kindOf(Operation *product) {
  return llvm::TypeSwitch<Operation *, StringRef>(product)
      .Case([](LinearOp) { return "linear"; })
      .Case([](HeadLinearOp) { return "head_linear"; })
      .Case([](ExpertLinearOp) { return "expert_linear"; })
      .Case([](GatedLinearOp) { return "gated_linear"; })
      .Case([](ExpertGatedLinearOp) { return "expert_gated_linear"; })
      .Case([](LinearGroupOp) { return "linear_group"; })
      .Case([](NormLinearOp) { return "norm_linear"; })
      .Case([](RouterOp) { return "router"; })
      .Case([](SelectTopKOp) { return "index"; })
      .Case([](AttendLatentOp) { return "attend"; })
      .Case([](SparseAttentionOp) { return "attend_expanded"; })
      .Default([](Operation *) { return "route"; });
}

//===--- Groups -------------------------------------------------------------------------------===//

struct Group {
  std::string kind; // empty: a call, which stays as it is
  RowDomain domain;
  SmallVector<Operation *> ops;
};

/// Earliest level at which a value can be read, by a row-wise op of its own domain and by a
/// product.
struct Level {
  int rows = 0, product = 0;
};

class Former {
public:
  /// With fewer rows than these, normalised linears and routers are one launch.
  Former(func::FuncOp function, int64_t fewRows, int64_t routeRows)
      : function(function), fewRows(fewRows), routeRows(routeRows) {}

  LogicalResult run() {
    prepare();
    domains.emplace(function);
    for (Operation &op : function.getBody().front())
      if (failed(visit(&op)))
        return failure();
    emit();
    return success();
  }

  unsigned formed = 0, fused = 0, folded = 0;

private:
  //===--- Preparation ------------------------------------------------------------------------===//

  /// Rounding commutes with views: `cast(view(x))` becomes `view(cast(x))`, so that a product can
  /// round.
  void sinkViews() {
    SmallVector<CastOp> casts(function.getOps<CastOp>());
    for (CastOp cast : casts) {
      Operation *view = cast.getX().getDefiningOp();
      if (!view || !isa<SplitHeadsOp, MergeHeadsOp>(view))
        continue;
      OpBuilder builder(cast);
      Value source = view->getOperand(0);
      auto narrow = mlir::cast<RankedTensorType>(source.getType())
                        .clone(mlir::cast<RankedTensorType>(cast.getType()).getElementType());
      Value rounded = CastOp::create(builder, cast.getLoc(), narrow, source);
      Operation *moved = builder.clone(*view);
      moved->setOperand(0, rounded);
      moved->getResult(0).setType(cast.getType());
      cast.getResult().replaceAllUsesWith(moved->getResult(0));
      cast.erase();
      if (view->use_empty())
        view->erase();
    }
  }

  /// Gives `user` its own copy of the op that makes its operand, so that the copy can be part of
  /// its kernel.
  void takeOver(Operation *user, unsigned operand) {
    Operation *source = user->getOperand(operand).getDefiningOp();
    OpBuilder builder(user);
    Operation *copy = builder.clone(*source);
    user->setOperand(operand, copy->getResult(0));
    parts[user].insert(copy);
    part.insert(copy);
    ++folded;
  }

  void prepare() {
    sinkViews();
    SmallVector<Operation *> products;
    for (Operation &op : function.getBody().front())
      if (isProduct(&op))
        products.push_back(&op);
    for (Operation *op : products) {
      Operation *source = op->getOperand(0).getDefiningOp();
      if (isa_and_nonnull<SliceOp>(source) && isa<LinearOp, HeadLinearOp>(op))
        takeOver(op, 0);
      else if (isa_and_nonnull<DispatchOp>(source) && isa<ExpertLinearOp>(op))
        takeOver(op, 0);
      else if (isa_and_nonnull<IndexScoresOp>(source) && isa<SelectTopKOp>(op))
        takeOver(op, 0);
      if (auto attend = dyn_cast<AttendLatentOp>(op);
          attend && attend.getGathered().getDefiningOp<GatherOp>())
        takeOver(op, 2);
      if (auto attend = dyn_cast<SparseAttentionOp>(op);
          attend && attend.getSelection().getDefiningOp<SelectVisibleOp>())
        takeOver(op, attend.getSelectionMutable().getOperandNumber());
      if (op->hasOneUse() && roundsResult(op))
        if (auto cast = dyn_cast<CastOp>(*op->user_begin())) {
          parts[op].insert(cast);
          part.insert(cast);
          ++folded;
        }
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  Role roleOf(Operation *op) const {
    if (part.contains(op))
      return Role::Part;
    if (isa<WeightValueOp, StateValueOp, HeadRowsOp, DequantizeOp>(op) ||
        (isa<CastOp, QuantizedOp, QuantizeOp>(op) && isStatic(op->getOperand(0))))
      return Role::Weight;
    if (isView(op))
      return Role::View;
    if (isProduct(op))
      return Role::Product;
    if (isRowWise(op))
      return Role::Row;
    if (isa<func::CallOp, CallByKeysOp>(op))
      return Role::Call;
    return isa<func::ReturnOp>(op) ? Role::Return : Role::None;
  }

  //===--- Levels -----------------------------------------------------------------------------===//

  LogicalResult visit(Operation *op) {
    switch (roleOf(op)) {
    case Role::Weight:
    case Role::Part: // visited with its product
    case Role::Return:
      return success();
    case Role::View:
      visitView(op);
      return success();
    case Role::Row:
      return visitRow(op);
    case Role::Product:
      return visitProduct(op);
    case Role::Call:
      visitOpaque({"", {}, {op}}, {op});
      return success();
    case Role::None:
      break;
    }
    return noKernel(op, reasonAgainst(op));
  }

  /// A tile cannot change its shape, memory can: rows behind a view start a new kernel.
  void visitView(Operation *op) {
    Level level;
    for (Value operand : op->getOperands()) {
      Level source = levels.lookup(operand);
      level.rows = std::max(level.rows, source.rows + madeByRows.contains(operand));
      level.product = std::max(level.product, source.product);
    }
    levels[op->getResult(0)] = level;
  }

  LogicalResult visitRow(Operation *op) {
    RowDomain domain = domainOf(op);
    if (domain.kind == RowDomain::None)
      return noKernel(op, "has no rows");
    bool readsOtherRows = isa<TakeRowsOp, CombineOp>(op);
    int level = 0;
    for (Value operand : op->getOperands()) {
      int before = levels.lookup(operand).rows;
      bool otherRows = readsOtherRows || !(domains->of(operand) == domain);
      level = std::max(level, before + (otherRows && madeByRows.contains(operand)));
    }
    if (auto append = dyn_cast<AppendOp>(op)) {
      Memory &memory = memoryOf(append.getCache());
      level = std::max(level, memory.readBefore);
      memory.writtenAt = std::max(memory.writtenAt, level);
    }
    Group &group = rowsGroup(level, domain);
    if (isa<CombineOp>(op))
      group.kind = "combine";
    fused += !group.ops.empty();
    group.ops.push_back(op);
    for (Value result : op->getResults()) {
      levels[result] = {level, level};
      madeByRows.insert(result);
    }
    return success();
  }

  RowDomain domainOf(Operation *op) {
    if (auto append = dyn_cast<AppendOp>(op))
      return domains->of(append.getValues());
    return domains->of(op->getResult(0));
  }

  LogicalResult visitProduct(Operation *op) {
    const llvm::SmallSetVector<Operation *, 4> &own = parts[op];
    if (isa<SelectTopKOp>(op) && own.empty())
      return noKernel(op, "selects from scores that are not computed beside it");
    if (isa<AttendLatentOp>(op) && own.empty())
      return noKernel(op, "attends to rows that are not gathered beside it");
    SmallVector<Operation *> ops(own.begin(), own.end());
    ops.push_back(op);
    llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    Group group{kindOf(op).str(), domains->of(op->getResult(0)), ops};
    visitOpaque(std::move(group), ops);
    return success();
  }

  /// A product or a call: reads complete values, and caches as they are.
  void visitOpaque(Group group, ArrayRef<Operation *> ops) {
    int level = 0;
    for (Operation *op : ops)
      for (Value operand : op->getOperands()) {
        level = std::max(level, levels.lookup(operand).product);
        if (isa<CacheType>(operand.getType()))
          level = std::max(level, memoryOf(operand).levelFor(op));
      }
    for (Operation *op : ops) {
      for (Value operand : op->getOperands())
        if (isa<CacheType>(operand.getType()))
          memoryOf(operand).use(op, level);
      for (Value result : op->getResults())
        levels[result] = {level + 1, level + 1};
    }
    opaque[level].push_back(std::move(group));
    highest = std::max(highest, level);
  }

  Group &rowsGroup(int level, RowDomain domain) {
    highest = std::max(highest, level);
    for (Group &group : rows[level])
      if (group.domain == domain)
        return group;
    return rows[level].emplace_back(Group{"rows", domain, {}});
  }

  //===--- Refusals ---------------------------------------------------------------------------===//

  static StringRef reasonAgainst(Operation *op) {
    if (isa<AttendExpandedOp>(op))
      return "attends to expanded keys; run glm-absorb-latent-projections first";
    if (isa<IndexScoresOp>(op))
      return "keeps its scores, which are computed only to be selected from";
    if (isa<GatherOp>(op))
      return "keeps gathered rows, which are gathered only to be attended to";
    if (isa<DispatchOp>(op))
      return "keeps dispatched rows, which are read only by their experts";
    return "is of no kind that has kernels";
  }

  static LogicalResult noKernel(Operation *op, StringRef reason) {
    return emitCoded(op, {Code::NoKernel, op->getName().getStringRef().str(), reason.str(),
                          "nothing falls back to slower code by itself"});
  }

  //===--- Emission ---------------------------------------------------------------------------===//

  void emit() {
    Block &block = function.getBody().front();
    Operation *end = block.getTerminator();
    SmallVector<Operation *> weights;
    for (Operation &op : block)
      if (roleOf(&op) == Role::Weight)
        weights.push_back(&op);
    for (Operation *op : weights)
      op->moveBefore(end);
    for (BlockArgument argument : block.getArguments())
      moveViewsOf(argument, end);
    for (int level = 0; level <= highest; ++level) {
      for (Group &group : rows[level])
        emit(group, end);
      for (Group &group : opaque[level])
        emit(group, end);
    }
  }

  /// Views stand behind what they are views of.
  static void moveViewsOf(Value value, Operation *end) {
    for (Operation *user : value.getUsers())
      if (isView(user)) {
        user->moveBefore(end);
        moveViewsOf(user->getResult(0), end);
      }
  }

  void emit(Group &group, Operation *end) {
    Operation *emitted = group.ops.front();
    if (group.kind.empty())
      emitted->moveBefore(end);
    else if (isa<NormLinearOp, RouterOp, RouteOp>(emitted))
      emitted = byRows(group, end);
    else
      emitted = wrap(group, end);
    for (Value result : emitted->getResults())
      moveViewsOf(result, end);
  }

  Operation *wrap(Group &group, Operation *end) {
    llvm::SmallPtrSet<Operation *, 16> inside(group.ops.begin(), group.ops.end());
    auto isOutside = [&](OpOperand &use) { return !inside.contains(use.getOwner()); };
    SmallVector<Value> yielded;
    for (Operation *op : group.ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUses(), isOutside))
          yielded.push_back(result);
    OpBuilder builder(end);
    auto wrapped =
        kernel::GroupOp::create(builder, group.ops.front()->getLoc(),
                                TypeRange(ValueRange(yielded)), group.kind, kernel::ScheduleAttr());
    annotate(wrapped, group.domain);
    for (auto [value, result] : llvm::zip(yielded, wrapped.getResults()))
      value.replaceUsesWithIf(result, isOutside);
    Block &body = wrapped.getBody().emplaceBlock();
    for (Operation *op : group.ops)
      op->moveBefore(&body, body.end());
    builder.setInsertionPointToEnd(&body);
    kernel::YieldOp::create(builder, wrapped.getLoc(), yielded);
    ++formed;
    return wrapped;
  }

  //===--- Few rows and many ------------------------------------------------------------------===//

  /// A kernel around `ops`, at the builder, that yields `results`.
  kernel::GroupOp group(OpBuilder &builder, StringRef kind, RowDomain domain,
                        ArrayRef<Operation *> ops, ValueRange results) {
    auto made = kernel::GroupOp::create(builder, ops.front()->getLoc(), results.getTypes(), kind,
                                        kernel::ScheduleAttr());
    annotate(made, domain);
    Block &body = made.getBody().emplaceBlock();
    for (Operation *op : ops)
      op->moveBefore(&body, body.end());
    OpBuilder inside = OpBuilder::atBlockEnd(&body);
    kernel::YieldOp::create(inside, made.getLoc(), results);
    ++formed;
    return made;
  }

  /// One launch for few rows; for many the steps of the op, each with work for all workers.
  Operation *byRows(Group &from, Operation *end) {
    Operation *op = from.ops.front();
    OpBuilder builder(end);
    int64_t bound = isa<NormLinearOp>(op) ? fewRows : routeRows;
    auto both = kernel::ByRowsOp::create(builder, op->getLoc(), op->getResultTypes(), bound);
    annotate(both, from.domain);
    op->replaceAllUsesWith(both.getResults());
    OpBuilder few = OpBuilder::atBlockEnd(&both.getFew().emplaceBlock());
    OpBuilder many = OpBuilder::atBlockEnd(&both.getMany().emplaceBlock());
    SmallVector<Value> results = manyRows(many, op, from.domain);
    kernel::YieldOp::create(many, op->getLoc(), results);
    StringRef kind = isa<NormLinearOp>(op) ? "norm_linear" : "router";
    auto made = group(few, kind, from.domain, {op}, op->getResults());
    kernel::YieldOp::create(few, op->getLoc(), made.getResults());
    return both;
  }

  SmallVector<Value> manyRows(OpBuilder &builder, Operation *op, RowDomain domain) {
    if (auto norm = dyn_cast<NormLinearOp>(op))
      return manyRows(builder, norm, domain);
    Operation *route = builder.clone(*op);
    if (auto router = dyn_cast<RouterOp>(op)) {
      route->erase();
      route = router.decompose(builder).front().getDefiningOp();
      Operation *linear = route->getOperand(0).getDefiningOp();
      auto logits = group(builder, "linear", domain, {linear}, linear->getResults());
      route->setOperand(0, logits.getResult(0));
    }
    return {group(builder, "route", domain, {route}, route->getResults()).getResult(0)};
  }

  /// Rows that are written once and read by all panels.
  SmallVector<Value> manyRows(OpBuilder &builder, NormLinearOp op, RowDomain domain) {
    SmallVector<Value> linears = op.decompose(builder), rows, weights;
    SmallVector<Operation *> steps;
    llvm::SmallSetVector<Value, 2> read;
    for (Value result : linears) {
      auto linear = result.getDefiningOp<LinearOp>();
      read.insert(linear.getX());
      weights.push_back(linear.getWeight());
      rows.push_back(linear.getX());
      linear.erase();
    }
    for (Operation &step : *builder.getInsertionBlock())
      steps.push_back(&step);
    auto normal = group(builder, "rows", domain, steps, read.getArrayRef());
    for (Value &value : rows)
      value = normal.getResult(llvm::find(read, value) - read.begin());
    if (rows.size() == 1) {
      Operation *linear =
          LinearOp::create(builder, op.getLoc(), op->getResultTypes().front(), rows[0], weights[0]);
      return SmallVector<Value>(
          group(builder, "linear", domain, {linear}, linear->getResults()).getResults());
    }
    Operation *linear =
        LinearGroupOp::create(builder, op.getLoc(), op.getResultTypes(), rows, weights);
    return SmallVector<Value>(
        group(builder, "linear_group", domain, {linear}, linear->getResults()).getResults());
  }

  static void annotate(Operation *group, RowDomain domain) {
    Builder builder(group->getContext());
    group->setAttr("dim", builder.getStringAttr(dimensionOf(domain)));
    if (domain.kind == RowDomain::Pairs)
      group->setAttr("pairs", builder.getI64IntegerAttr(domain.topK));
  }

  /// What happened to a cache. A call may do both; within a level calls and products keep their
  /// order.
  struct Memory {
    int writtenAt = 0, readBefore = 0;

    int levelFor(Operation *op) const {
      return isa<func::CallOp>(op) ? std::max(writtenAt, readBefore - 1) : writtenAt;
    }
    void use(Operation *op, int level) {
      readBefore = std::max(readBefore, level + 1);
      if (isa<func::CallOp>(op))
        writtenAt = std::max(writtenAt, level);
    }
  };

  /// Two values of one state are one memory.
  Memory &memoryOf(Value cache) {
    if (auto state = cache.getDefiningOp<StateValueOp>())
      return memories[state.getStateAttr().getAsOpaquePointer()];
    return memories[cache.getAsOpaquePointer()];
  }

  func::FuncOp function;
  int64_t fewRows, routeRows;
  std::optional<RowDomains> domains;
  llvm::DenseMap<Operation *, llvm::SmallSetVector<Operation *, 4>> parts;
  llvm::SmallPtrSet<Operation *, 16> part;
  llvm::DenseMap<Value, Level> levels;
  llvm::DenseSet<Value> madeByRows;
  llvm::DenseMap<const void *, Memory> memories;
  std::map<int, SmallVector<Group>> rows, opaque;
  int highest = 0;
};

struct FormKernels : glm::impl::FormKernelsBase<FormKernels> {
  using FormKernelsBase::FormKernelsBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      Former former(function, fewRows, routeRows);
      if (failed(former.run()))
        return signalPassFailure();
      groups += former.formed;
      fused += former.fused;
      folded += former.folded;
    }
  }
};

} // namespace
