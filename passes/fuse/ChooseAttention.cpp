// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equal attentions (by types and scale, with what is done to their weight before and to their
// result behind) become calls of the same three functions. What the functions get are the operands;
// what only depends on a weight is computed inside, so that a weight is passed as the checkpoint
// has it.
#include "passes/fuse/AttentionCosts.h"
#include "passes/fuse/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <set>

namespace glm {
#define GEN_PASS_DEF_CHOOSEATTENTION
#include "passes/fuse/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;
using llvm::formatv;

namespace {

/// Keys that are stored together; the runtime rounds its bound to it.
constexpr int64_t block = 64;

/// One attention with its surroundings.
struct Site {
  SparseAttentionOp op;
  /// What makes its weight of values that exist before anything runs, in order.
  SmallVector<Operation *> before;
  /// What is done to its result alone: heads side by side, rounding.
  SmallVector<Operation *> behind;
  /// What the functions get.
  llvm::SetVector<Value> operands;

  explicit Site(SparseAttentionOp op) : op(op) {
    for (Value operand : op.getOperands())
      operand == op.getKvB() ? addWeight(operand) : void(operands.insert(operand));
    addRounding();
  }

  Value result() { return behind.empty() ? Value(op.getResult()) : behind.back()->getResult(0); }

  /// Equal sites share functions.
  std::string key() {
    std::string text;
    llvm::raw_string_ostream out(text);
    for (Value operand : operands)
      out << operand.getType() << ' ';
    for (Operation *step : before)
      out << step->getName() << step->getAttrDictionary() << step->getResult(0).getType();
    out << op.getScale().convertToDouble() << op.getType() << result().getType();
    return text;
  }

private:
  void addWeight(Value weight) {
    Operation *maker = weight.getDefiningOp();
    if (!maker || !isPure(maker) || isa<WeightValueOp>(maker)) {
      operands.insert(weight);
      return;
    }
    for (Value operand : maker->getOperands())
      addWeight(operand);
    if (!llvm::is_contained(before, maker))
      before.push_back(maker);
  }

  void addRounding() {
    SmallVector<Operation *> steps;
    Value value = op.getResult();
    while (value.hasOneUse()) {
      Operation *user = *value.user_begin();
      if (!isa<MergeHeadsOp, CastOp>(user))
        return;
      steps.push_back(user);
      if (isa<CastOp>(user)) {
        behind = steps;
        return;
      }
      value = user->getResult(0);
    }
  }
};

struct ChooseAttention : glm::impl::ChooseAttentionBase<ChooseAttention> {
  using ChooseAttentionBase::ChooseAttentionBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<SparseAttentionOp> attentions;
    module.walk([&](SparseAttentionOp op) { attentions.push_back(op); });
    std::map<std::string, Names> forms;
    for (SparseAttentionOp op : attentions) {
      if (!decide(op)) {
        expandIntoSteps(op);
        continue;
      }
      Site site(op);
      auto [entry, isNew] = forms.try_emplace(site.key());
      if (isNew) {
        entry->second = writeForms(site, symbols);
        functions += 3;
      }
      replace(site, entry->second);
      ++chosen;
    }
  }

private:
  /// The three functions.
  struct Names {
    FlatSymbolRefAttr gathered, masked, causal;
  };

  //===--- The decision -----------------------------------------------------------------------===//

  AttentionCosts costsOf(SparseAttentionOp op) {
    return {op.keyWidth(),
            op.ropeWidth(),
            op.valueWidth(),
            op.latentWidth(),
            op.getSelection().getType().getLimit(),
            gatheredSpeed};
  }

  /// Whether there are calls for which keys should be expanded. Numbers are written to the module
  /// for the first shape; others must agree with it.
  bool decide(SparseAttentionOp op) {
    AttentionCosts costs = costsOf(op);
    std::string shape =
        formatv("{0} {1} {2} {3} {4}", costs.D, costs.R, costs.V, costs.L, costs.topk);
    if (decided.empty()) {
      decided = shape;
      choosePresets(op, costs);
    } else if (shape != decided) {
      op.emitRemark(
          "glm-choose-attention: gathered only: another attention of the model has other sizes");
      ++kept;
      return false;
    }
    kept += presets.mostKeys == 0;
    return presets.mostKeys > 0;
  }

  struct Presets {
    int64_t mostKeys = 0, fewestRows = 0, fullRows = 0, maxKeys = 0;
  } presets;

  void choosePresets(SparseAttentionOp op, const AttentionCosts &costs) {
    int64_t context = longest;
    if (auto model = getOperation()->getAttrOfType<DictionaryAttr>("glm.model"))
      if (auto given = model.getAs<IntegerAttr>("context"))
        context = given.getInt();
    context = llvm::alignTo(context, block);
    int64_t limit = std::min<int64_t>(context, longest);
    presets.mostKeys = expandedKeys >= 0
                           ? std::min<int64_t>(llvm::alignTo(expandedKeys, block), limit)
                           : costs.mostKeys(chunk, limit, block);
    if (expandedKeys < 0 && presets.mostKeys < leastRows)
      presets.mostKeys = 0; // a prompt has as many keys as rows, at least
    presets.maxKeys = limit;
    if (presets.mostKeys == 0) {
      op.emitRemark(
          formatv("glm-choose-attention: gathered only: up to {0} keys expanding them never pays "
                  "for {1} rows or more",
                  limit, leastRows.getValue())
              .str());
      return;
    }
    int64_t few = std::min(presets.mostKeys, costs.topk);
    presets.fewestRows = std::max(std::min(costs.fewestRows(few), few),
                                  std::min<int64_t>(leastRows, presets.mostKeys));
    presets.fullRows = std::max(presets.fewestRows, std::min({costs.fewestRows(presets.mostKeys),
                                                              presets.mostKeys, chunk.getValue()}));
    explain(op, costs);
    Builder b(&getContext());
    auto number = [&](StringRef name, int64_t value) {
      return b.getNamedAttr(name, b.getI64IntegerAttr(value));
    };
    getOperation()->setAttr("program.presets",
                            b.getDictionaryAttr({number("expanded_keys", presets.mostKeys),
                                                 number("expanded_rows", presets.fewestRows),
                                                 number("full_rows", presets.fullRows),
                                                 number("max_keys", presets.maxKeys),
                                                 number("unmasked_keys", costs.topk)}));
  }

  /// The decision, then its numbers at some lengths, for reports.
  void explain(SparseAttentionOp op, const AttentionCosts &costs) {
    int64_t weight = op.heads() * costs.D * costs.L *
                     (getElementTypeOrSelf(op.getKvB()).getIntOrFloatBitWidth() / 8);
    op.emitRemark(
        formatv(
            "glm-choose-attention: up to {0} keys are expanded for {1} rows or more ({2} rows at "
            "{0} "
            "keys), hidden by a mask beyond {3}; {4} bytes a key while a step runs, {5} bytes a "
            "layer for W_UK packed a second time",
            presets.mostKeys, presets.fewestRows, presets.fullRows, costs.topk,
            4 * op.heads() * (costs.D + costs.R + costs.V), weight)
            .str());
    for (int64_t keys : std::set<int64_t>{std::max<int64_t>(costs.topk / 4, 1), costs.topk,
                                          2 * costs.topk, presets.mostKeys, 4 * costs.topk}) {
      int64_t rows = std::min<int64_t>(chunk, keys);
      double scale = 2e-6 * double(op.heads()) / double(rows);
      double expanded = scale * costs.expanded(rows, keys),
             gathered = scale * costs.gathered(rows, keys);
      op.emitRemark(
          formatv("glm-choose-attention: {0} rows to {1} keys: {2:F3} MFLOP a row expanded, "
                  "{3:F3} gathered (its attention counted at {4} % of the speed): {5}",
                  rows, keys, expanded, gathered, gatheredSpeed.getValue(),
                  expanded < gathered ? "expanded" : "gathered")
              .str());
    }
  }

  //===--- The functions ----------------------------------------------------------------------===//

  enum class Form { Gathered, Masked, Causal };

  Names writeForms(Site &site, SymbolTable &symbols) {
    auto write = [&](StringRef name, Form form) {
      return FlatSymbolRefAttr::get(writeForm(site, symbols, name, form).getSymNameAttr());
    };
    return {write("attend_gathered", Form::Gathered), write("attend_masked", Form::Masked),
            write("attend_causal", Form::Causal)};
  }

  func::FuncOp writeForm(Site &site, SymbolTable &symbols, StringRef name, Form form) {
    Location loc = site.op.getLoc();
    OpBuilder builder(&getContext());
    SmallVector<Type> inputs = llvm::to_vector(ValueRange(site.operands.getArrayRef()).getTypes());
    auto function =
        func::FuncOp::create(loc, name, builder.getFunctionType(inputs, site.result().getType()));
    function.setPrivate();
    symbols.insert(function, Block::iterator(site.op->getParentOfType<func::FuncOp>()));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToEnd(body);
    IRMapping known;
    for (auto [index, operand] : llvm::enumerate(site.operands)) {
      known.map(operand, body->getArgument(index));
      if (StringAttr given = nameOf(operand))
        function.setArgAttr(index, "glm.name", given);
    }
    for (Operation *step : site.before)
      builder.clone(*step, known);
    auto attention = cast<SparseAttentionOp>(builder.clone(*site.op, known));
    if (form == Form::Gathered)
      known.map(site.op.getResult(), stepsOf(attention, builder));
    if (form == Form::Causal)
      seeEverything(attention);
    for (Operation *step : site.behind)
      builder.clone(*step, known);
    func::ReturnOp::create(builder, loc, known.lookup(site.result()));
    return function;
  }

  /// The name of an argument of a layer function.
  static StringAttr nameOf(Value operand) {
    auto argument = dyn_cast<BlockArgument>(operand);
    auto owner =
        argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
    return owner ? owner.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "glm.name")
                 : StringAttr();
  }

  static Value stepsOf(SparseAttentionOp op, OpBuilder &builder) {
    Value steps = op.decompose(builder).front();
    op.erase();
    return steps;
  }

  void seeEverything(SparseAttentionOp op) {
    OpBuilder builder(op);
    auto type = SelectionType::get(&getContext(), presets.maxKeys);
    op.getSelectionMutable().assign(
        SelectVisibleOp::create(builder, op.getLoc(), type, op.getRows()).getResult());
  }

  //===--- The sites --------------------------------------------------------------------------===//

  static void replace(Site &site, const Names &names) {
    Operation *last = site.behind.empty() ? site.op.getOperation() : site.behind.back();
    OpBuilder builder(last);
    auto call =
        CallByKeysOp::create(builder, site.op.getLoc(), site.result().getType(), names.gathered,
                             names.masked, names.causal, site.operands.getArrayRef());
    site.result().replaceAllUsesWith(call.getResult(0));
    for (Operation *step : llvm::reverse(site.behind))
      step->erase();
    site.op.erase();
    for (Operation *step : llvm::reverse(site.before))
      if (step->use_empty())
        step->erase();
  }

  static void expandIntoSteps(SparseAttentionOp op) {
    OpBuilder builder(op);
    op.getResult().replaceAllUsesWith(op.decompose(builder).front());
    op.erase();
  }

  std::string decided;
};

} // namespace
