// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of linears become codes. Which, a list of rules says by the names of weights; the layer
// functions they are passed to get the ops. Layers of one kind whose weights get different formats
// are kinds of their own from here on.
//
// Only weights of linears inside layers can be chosen, and among them not those whose results are
// compared (router, indexer weights): norms, embeddings, head and the projection of latent keys and
// values stay as they are, as the vendor leaves them.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/GlobPattern.h"

#include <map>
#include <optional>

namespace glm {
#define GEN_PASS_DEF_APPLYRECIPE
#include "passes/model/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using namespace glm::model;

namespace {

/// What a weight becomes.
struct Format {
  /// 8 or 4; 0: the weight stays as it is.
  int64_t bits = 0;
  /// Columns that share a scale; 0: all of a row.
  int64_t group = 0;
  /// Codes use their whole range, from a zero of every group on.
  bool zeros = false;
  /// Rows become codes too; otherwise the weight is only rounded to what codes can say.
  bool integer = true;

  bool operator==(const Format &) const = default;
  auto operator<=>(const Format &) const = default;
};

/// `int8`, `int4/32`, `int4/32-zeros`, `int8-weights`, `keep`.
std::optional<Format> parseFormat(StringRef text) {
  if (text == "keep")
    return Format{};
  Format format;
  format.integer = !text.consume_back("-weights");
  format.zeros = text.consume_back("-zeros");
  auto [name, group] = text.split('/');
  if (name == "int8")
    format.bits = 8;
  else if (name == "int4")
    format.bits = 4;
  else
    return std::nullopt;
  if (format.zeros && format.bits != 4)
    return std::nullopt;
  // Eight columns are a word of codes, four of int8; a group is whole words.
  if (!group.empty() &&
      (group.getAsInteger(10, format.group) || format.group < 8 || format.group % 8 != 0))
    return std::nullopt;
  return format;
}

struct Rule {
  std::string text;
  llvm::GlobPattern pattern;
  Format format;
  /// Weights it matches, and those it was the first to match.
  unsigned matched = 0, taken = 0;
};

/// Results that are compared and not summed up.
bool isComparison(LinearOp op) {
  return llvm::any_of(op->getUsers(), llvm::IsaPred<RouteOp, IndexScoresOp>);
}

/// The argument of a layer function is a weight of linears and of nothing else.
bool isLinearWeight(BlockArgument argument) {
  if (argument.use_empty() || !isa<FloatType>(getElementTypeOrSelf(argument.getType())))
    return false;
  return llvm::all_of(argument.getUses(), [&](OpOperand &use) {
    if (auto linear = dyn_cast<LinearOp>(use.getOwner()))
      return use.get() == linear.getWeight() && !isComparison(linear);
    auto linear = dyn_cast<ExpertLinearOp>(use.getOwner());
    return linear && use.get() == linear.getBank();
  });
}

using Formats = std::vector<Format>; // one for each argument

struct ApplyRecipe : glm::impl::ApplyRecipeBase<ApplyRecipe> {
  using ApplyRecipeBase::ApplyRecipeBase;

  void runOnOperation() override {
    if (rules.empty())
      return markAllAnalysesPreserved();
    if (failed(parseRules()))
      return signalPassFailure();
    SymbolTable symbols(getOperation());
    llvm::MapVector<func::FuncOp, std::map<Formats, SmallVector<func::CallOp>>> calls;
    getOperation().walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!callee.isExternal())
        calls[callee][formatsOf(call, callee)].push_back(call);
    });
    if (failed(checkRules()))
      return signalPassFailure();
    for (auto &[callee, byFormats] : calls)
      specialise(callee, byFormats, symbols);
  }

private:
  LogicalResult fail(StringRef thing, std::string what, const char *remedy) {
    return emitCoded(getOperation(),
                     {Code::BadArguments, ("recipe: " + thing).str(), std::move(what), remedy});
  }

  LogicalResult parseRules() {
    parsed.clear();
    names.clear();
    for (const std::string &text : rules) {
      auto [pattern, formatText] = StringRef(text).rsplit(':');
      std::optional<Format> format = parseFormat(formatText);
      if (!format)
        return fail(text, "has no format this version knows",
                    "formats are int8, int4 and keep, /COLUMNS for groups, -zeros for zero points "
                    "of int4, -weights for rounding only");
      llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(pattern);
      if (!glob)
        return fail(text, llvm::toString(glob.takeError()), "write * for any characters");
      parsed.push_back({text, std::move(*glob), *format});
    }
    return success();
  }

  Format formatOf(StringRef name) {
    bool isNew = names.insert(name).second;
    std::optional<Format> found;
    for (Rule &rule : parsed) {
      if (!rule.pattern.match(name))
        continue;
      rule.matched += isNew;
      rule.taken += isNew && !found;
      if (!found)
        found = rule.format;
    }
    return found.value_or(Format{});
  }

  Formats formatsOf(func::CallOp call, func::FuncOp callee) {
    Formats formats;
    for (auto [operand, argument] : llvm::zip(call.getOperands(), callee.getArguments())) {
      auto weight = operand.getDefiningOp<WeightValueOp>();
      formats.push_back(weight && isLinearWeight(argument) ? formatOf(weight.getWeight())
                                                           : Format{});
    }
    return formats;
  }

  LogicalResult checkRules() {
    for (const Rule &rule : parsed) {
      if (rule.matched == 0)
        return fail(rule.text, "matches no weight of a linear",
                    "norms, embeddings, head, router, indexer weights and kv_b_proj stay as they "
                    "are; --compile-to=import lists names");
      if (rule.taken == 0)
        return fail(rule.text, "never applies: earlier rules match all its weights",
                    "put it in front of them, or remove it");
    }
    return success();
  }

  /// One function for each list of formats; the first takes the place of the original.
  void specialise(func::FuncOp callee, std::map<Formats, SmallVector<func::CallOp>> &byFormats,
                  SymbolTable &symbols) {
    SmallVector<func::FuncOp> kinds{callee};
    while (kinds.size() < byFormats.size()) {
      auto copy = cast<func::FuncOp>(callee->clone());
      symbols.insert(copy, std::next(callee->getIterator()));
      kinds.push_back(copy);
    }
    for (auto [kind, entry] : llvm::zip(kinds, byFormats)) {
      for (func::CallOp call : entry.second)
        call.setCallee(kind.getSymName());
      for (auto [argument, format] : llvm::zip(kind.getArguments(), entry.first))
        if (format.bits)
          quantizeWeight(argument, format);
    }
  }

  void quantizeWeight(BlockArgument weight, Format format) {
    OpBuilder b(&getContext());
    b.setInsertionPointToStart(weight.getOwner());
    auto type = cast<RankedTensorType>(weight.getType());
    int64_t K = type.getShape().back(), group = format.group ? std::min(format.group, K) : K;
    SmallVector<int64_t> runs(type.getShape());
    runs.back() = llvm::divideCeil(K, group);
    Type code = b.getIntegerType(format.bits);
    SmallVector<Type, 1> zeros;
    if (format.zeros)
      zeros.push_back(RankedTensorType::get(runs, b.getI8Type()));
    auto made = QuantizeOp::create(
        b, weight.getLoc(), type.clone(code), RankedTensorType::get(runs, b.getF32Type()), zeros,
        weight, b.getI64IntegerAttr(group), format.zeros ? b.getUnitAttr() : UnitAttr());
    Type element = QuantizedType::get(&getContext(), code, 1, group);
    Value tied = QuantizedOp::create(b, weight.getLoc(), type.clone(element), made.getCodes(),
                                     made.getScales(), Value(),
                                     format.zeros ? made.getZeros().front() : Value());
    if (!format.integer)
      tied = DequantizeOp::create(b, weight.getLoc(), type.clone(b.getF32Type()), tied);
    ++quantized;
    for (OpOperand &use : llvm::make_early_inc_range(weight.getUses())) {
      Operation *user = use.getOwner();
      if (user == made)
        continue;
      use.set(tied);
      if (format.integer)
        quantizeRows(user);
    }
  }

  /// The rows of a linear become codes; those of experts before they are copied.
  void quantizeRows(Operation *linear) {
    OpOperand &rows = linear->getOpOperand(0);
    auto dispatch = rows.get().getDefiningOp<DispatchOp>();
    OpBuilder b(linear);
    Value x = dispatch ? dispatch.getX() : rows.get();
    auto type = cast<RankedTensorType>(x.getType());
    if (isa<QuantizedType>(type.getElementType()))
      return;
    int64_t K = type.getShape().back();
    auto made = QuantizeOp::create(b, x.getLoc(), type.clone(b.getI8Type()),
                                   RankedTensorType::get({type.getDimSize(0), 1}, b.getF32Type()),
                                   TypeRange(), x, b.getI64IntegerAttr(K), UnitAttr());
    Type element = QuantizedType::get(&getContext(), b.getI8Type(), 1, K);
    Value tied = QuantizedOp::create(b, x.getLoc(), type.clone(element), made.getCodes(),
                                     made.getScales(), Value(), Value());
    if (dispatch) {
      auto pairs = cast<RankedTensorType>(dispatch.getType());
      tied = DispatchOp::create(b, dispatch.getLoc(), pairs.clone(element), tied,
                                dispatch.getRouting());
    }
    rows.set(tied);
    if (dispatch && dispatch->use_empty())
      dispatch->erase();
  }

  std::vector<Rule> parsed;
  llvm::StringSet<> names;
};

} // namespace
