// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/Costs.h"
#include "passes/tile/Emit.h"
#include "passes/tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace glm {
#define GEN_PASS_DEF_TILEANDFUSE
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;

namespace {

/// What the weight of a product is called, without its last word: `self_attn.q_a_proj`.
StringRef weightName(Value weight) {
  while (Operation *op = weight.getDefiningOp()) {
    if (auto value = dyn_cast<model::WeightValueOp>(op)) {
      StringRef name = value.getWeight();
      name.consume_back(".weight");
      return name;
    }
    if (!isa<model::HeadRowsOp, model::CastOp, model::QuantizedOp, model::QuantizeOp,
             model::DequantizeOp>(op))
      return "";
    weight = op->getOperand(0);
  }
  auto argument = cast<BlockArgument>(weight);
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "glm.name")
                       : StringAttr();
  StringRef text = name ? name.getValue() : "";
  text.consume_back(".weight");
  return text;
}

/// What a profile calls the launches of a group.
std::string labelOf(kernel::GroupOp group) {
  StringRef weight;
  for (Operation &op : group.getBody().front())
    if (isa<model::LinearOp, model::HeadLinearOp, model::ExpertLinearOp, model::GatedLinearOp,
            model::ExpertGatedLinearOp>(op))
      weight = weightName(op.getOperand(1));
  return (weight.empty() ? group.getKind() : weight).str();
}

struct TileAndFuse : glm::impl::TileAndFuseBase<TileAndFuse> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    auto machine = module->getAttrOfType<kernel::MachineAttr>("kernel.machine");
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      CacheLayouts layouts;
      SmallVector<kernel::GroupOp> groups; // also those in forms for few rows and for many
      function.walk([&](kernel::GroupOp group) { groups.push_back(group); });
      for (kernel::GroupOp group : groups)
        if (auto scores = only<model::IndexScoresOp>(group); scores && machine)
          layouts[scores.getKeys()] =
              kernel::LinesAttr::get(&getContext(), machine.getCacheLineRows());
      for (kernel::GroupOp group : groups)
        if (failed(replace(group, symbols, layouts)))
          return signalPassFailure();
    }
    for (auto kernel : module.getOps<kernel::FuncOp>()) {
      maps += fuseMaps(kernel);
      ++kernels;
    }
  }

private:
  static Results emit(kernel::GroupOp group, SymbolTable &symbols, const CacheLayouts &layouts) {
    StringRef kind = group.getKind();
    if (kind == "rows" || kind == "combine")
      return emitRows(group, symbols, layouts);
    if (kind == "linear" || kind == "gated_linear")
      return emitLinear(group, symbols);
    if (kind == "linear_group" || kind == "norm_linear")
      return emitLinearGroup(group, symbols);
    if (kind == "head_linear")
      return emitHeadLinear(group, symbols);
    if (kind == "expert_linear" || kind == "expert_gated_linear")
      return emitExpertLinear(group, symbols);
    if (kind == "index")
      return emitIndex(group, symbols, layouts);
    if (kind == "attend_expanded")
      return emitAttendExpanded(group, symbols);
    if (kind == "attend")
      return emitAttend(group, symbols);
    if (kind == "router")
      return emitRouter(group, symbols);
    return kind == "route" ? emitRoute(group, symbols) : Results();
  }

  LogicalResult replace(kernel::GroupOp group, SymbolTable &symbols, const CacheLayouts &layouts) {
    if (!group.getScheduleAttr())
      return group.emitError("has no schedule; run glm-choose-tiles first");
    std::string label = labelOf(group);
    Cost cost = costOf(group);
    Operation *before = group->getPrevNode();
    Results results = emit(group, symbols, layouts);
    if (results.size() != group.getNumResults())
      return group.emitError() << "there are no kernels of kind \"" << group.getKind() << "\"";
    Operation *first = before ? before->getNextNode() : &group->getBlock()->front();
    for (Operation *op = first; op != group; op = op->getNextNode())
      if (auto launch = dyn_cast<kernel::LaunchOp>(op)) {
        describe(launch, group, label, symbols);
        // Of several launches the first does what the group is for.
        cost.writeTo(launch);
        cost = {};
      }
    group.replaceAllUsesWith(results);
    group.erase();
    return success();
  }

  /// What later phases want to know of a launch and its kernel.
  static void describe(kernel::LaunchOp launch, kernel::GroupOp group, StringRef label,
                       SymbolTable &symbols) {
    Builder builder(group.getContext());
    launch->setAttr("label", builder.getStringAttr(label));
    if (!launch->hasAttr("dim"))
      launch->setAttr("dim", group->getAttr("dim"));
    if (Attribute reason = group->getAttr("reason"))
      symbols.lookup(launch.getKernel())->setAttr("kernel.reason", reason);
  }
};

} // namespace
