// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module around the layers: symbols, one function a kind of layer, and the entries `step`,
// `draft` and `draft_shared` that call them.
#include "compiler/import/Glm5.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/import/Glm5Layer.h"
#include "dialects/glm/Glm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

#include <map>

namespace glm {
namespace {

using namespace mlir;
using llvm::ArrayRef;

constexpr int64_t dyn = ShapedType::kDynamic;

/// An entry under construction: named arguments and named results.
struct Entry {
  SmallVector<Type> inputs, outputs;
  SmallVector<std::string> inputNames, outputNames;
  SmallVector<Value> results;
  func::FuncOp function;

  void input(const char *name, Type type) {
    inputNames.push_back(name);
    inputs.push_back(type);
  }
  void output(std::string name, Value value) {
    outputNames.push_back(std::move(name));
    results.push_back(value);
    outputs.push_back(value.getType());
  }
};

class ModuleBuilder {
public:
  ModuleBuilder(MLIRContext &context, const Glm5Config &config, const Ledger &ledger,
                const ImportOptions &options)
      : context(&context), b(&context), c(config), ledger(ledger), options(options),
        latentEps(options.latentNormEps.value_or(config.rmsEps)),
        hiddenType(f32Tensor(&context, {dyn, config.hiddenSize})),
        drafts(config.draftLayers > 0 && !options.noMtp) {}

  OwningOpRef<ModuleOp> build(const GenerationDefaults &generation, const Checkpoint &checkpoint) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(NameLoc::get(b.getStringAttr("glm5")));
    (*module)->setAttr("glm.model", modelAttribute(generation));
    (*module)->setAttr("glm.checkpoint", checkpointAttribute(checkpoint));
    b.setInsertionPointToEnd(module->getBody());
    for (const WeightSource &source : ledger.weights())
      weightSymbol(source, checkpoint);
    for (int64_t layer = 0; layer < c.storedLayers(drafts); ++layer)
      stateSymbols(layer);
    functions = b.saveInsertionPoint();
    buildStep();
    if (drafts) {
      buildDraft(/*shared=*/false);
      if (c.shareIndexForDrafts)
        buildDraft(/*shared=*/true);
    }
    return module;
  }

private:
  Location at(const Twine &path) { return NameLoc::get(b.getStringAttr(path)); }

  //===--- attributes
  //----------------------------------------------------------------------------===//

  NamedAttribute number(StringRef name, int64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(value));
  }
  NamedAttribute real(StringRef name, double value) {
    return b.getNamedAttr(name, b.getF64FloatAttr(value));
  }

  Attribute modelAttribute(const GenerationDefaults &g) {
    SmallVector<NamedAttribute> generation = {
        b.getNamedAttr("eos", b.getDenseI64ArrayAttr(g.eosTokens))};
    auto add = [&](StringRef name, const std::optional<double> &value) {
      if (value)
        generation.push_back(real(name, *value));
    };
    add("temperature", g.temperature);
    add("top_p", g.topP);
    add("min_p", g.minP);
    add("repetition_penalty", g.repetitionPenalty);
    if (g.topK)
      generation.push_back(number("top_k", *g.topK));
    if (g.padToken)
      generation.push_back(number("pad", *g.padToken));
    if (g.sample)
      generation.push_back(b.getNamedAttr("do_sample", b.getBoolAttr(*g.sample)));
    SmallVector<NamedAttribute> fields = {
        b.getNamedAttr("family", b.getStringAttr("glm_moe_dsa")),
        number("context", options.context ? options.context : c.maxPositions),
        number("max_positions", c.maxPositions),
        number("vocabulary", c.vocabSize),
        number("hidden", c.hiddenSize),
        number("layers", c.layers),
        number("draft_layers", drafts ? c.draftLayers : 0),
        number("heads", c.heads),
        number("nope", c.nopeDim),
        number("rope", c.ropeDim),
        number("value", c.valueDim),
        number("latent", c.kvLoraRank),
        number("index_heads", c.indexHeads),
        number("index_dim", c.indexDim),
        number("index_topk", c.indexTopK),
        number("experts", c.experts),
        number("experts_per_token", c.expertsPerToken),
        b.getNamedAttr("share_index", b.getBoolAttr(drafts && c.shareIndexForDrafts)),
        b.getNamedAttr("generation", b.getDictionaryAttr(generation))};
    return b.getDictionaryAttr(fields);
  }

  Attribute checkpointAttribute(const Checkpoint &checkpoint) {
    SmallVector<Attribute> waived;
    for (const LedgerRow &row : ledger.rows())
      if (row.fate == Fate::Waived)
        waived.push_back(
            b.getStrArrayAttr({StringRef(row.tensor->name), StringRef(ledger.note(row))}));
    return b.getDictionaryAttr(
        {b.getNamedAttr("folder", b.getStringAttr(checkpoint.folder().string())),
         number("tensors", static_cast<int64_t>(checkpoint.tensors().size())),
         b.getNamedAttr("waived", b.getArrayAttr(waived))});
  }

  //===--- symbols
  //-------------------------------------------------------------------------------===//

  void weightSymbol(const WeightSource &source, const Checkpoint &checkpoint) {
    // A stacked tensor has one name for all experts, and no `{}` in it.
    const std::string &pattern = source.row->name;
    std::string stacked(source.tensors.front()->name);
    symbolFor(source.row->symbol(), typeOf(context, source), source.tensors, source.within,
              source.within.empty() ? pattern : stacked, source.row->isBank(), checkpoint);
    for (const Companion &companion : source.companions)
      symbolFor(symbolOf(source, companion), typeOf(context, source, companion), companion.tensors,
                {}, companionName(pattern, companion.row->suffix), source.row->isBank(),
                checkpoint);
  }

  void symbolFor(const std::string &symbol, RankedTensorType type, ArrayRef<const Tensor *> tensors,
                 ArrayRef<uint64_t> within, const std::string &pattern, bool isBank,
                 const Checkpoint &checkpoint) {
    const Tensor &first = *tensors.front();
    auto files = checkpoint.files();
    if (!isBank) {
      model::WeightOp::create(b, at(symbol), symbol, type, files[first.file].name,
                              static_cast<int64_t>(first.offset));
      return;
    }
    SmallVector<StringRef> names;
    SmallVector<int32_t> fileOf;
    SmallVector<int64_t> offsets;
    std::map<uint32_t, int32_t> index;
    for (auto [expert, tensor] : llvm::enumerate(tensors)) {
      auto [it, fresh] = index.try_emplace(tensor->file, static_cast<int32_t>(names.size()));
      if (fresh)
        names.push_back(files[tensor->file].name);
      fileOf.push_back(it->second);
      uint64_t inside = within.empty() ? 0 : within[expert];
      offsets.push_back(static_cast<int64_t>(tensor->offset + inside));
    }
    model::BankOp::create(b, at(symbol), symbol, type, pattern, b.getStrArrayAttr(names), fileOf,
                          offsets);
  }

  std::string stateName(int64_t layer, StringRef part) {
    return ("layer" + Twine(layer) + "." + part).str();
  }
  model::CacheType cacheType(int64_t width) {
    return model::CacheType::get(context, width, b.getF32Type());
  }

  void stateSymbols(int64_t layer) {
    model::StateOp::create(b, at(layerPrefix(layer) + "self_attn"), stateName(layer, "latent"),
                           cacheType(c.kvLoraRank + c.ropeDim));
    if (c.layerOwnsIndexer(layer))
      model::StateOp::create(b, at(layerPrefix(layer) + "self_attn.indexer"),
                             stateName(layer, "index"), cacheType(c.indexDim));
  }

  //===--- layers
  //--------------------------------------------------------------------------------===//

  /// The function for layers of this shape and these weight types, written at its first use.
  func::FuncOp layerFunction(const LayerShape &shape, ArrayRef<const WeightSource *> weights) {
    std::string key = shape.kind();
    for (const WeightSource *source : weights)
      key += source->coding != Coding::Plain ? static_cast<char>('0' + int(source->coding))
             : source->dtype() == Dtype::F32 ? 'f'
                                             : 'b';
    func::FuncOp &function = kinds[key];
    if (function)
      return function;
    unsigned variant = ++variants[shape.kind()];
    std::string name = shape.kind() + (variant == 1 ? "" : "_" + std::to_string(variant));
    OpBuilder::InsertionGuard guard(b);
    b.restoreInsertionPoint(functions);
    function = buildLayerFunction(b, name, c, shape, weights);
    functions = b.saveInsertionPoint();
    return function;
  }

  Value weightValue(const WeightSource &source) {
    std::string symbol = source.row->symbol();
    return model::WeightValueOp::create(b, at(symbol), typeOf(context, source), symbol);
  }
  Value weightValue(const std::string &symbol) { return weightValue(*ledger.find(symbol)); }

  Value stateValue(int64_t layer, StringRef part, int64_t width) {
    return model::StateValueOp::create(b, at(layerPrefix(layer) + part), cacheType(width),
                                       stateName(layer, part));
  }

  struct LayerResults {
    Value hidden, selection, routing;
  };

  /// Calls the layer. `selection` is the one a shared layer reuses.
  LayerResults callLayer(int64_t layer, bool owner, Value hidden, Value rows, Value angles,
                         Value selection) {
    LayerShape shape{c.layerIsSparse(layer), owner, latentEps};
    SmallVector<const WeightSource *> weights;
    for (const WeightRow &row : layerRows(c, layer))
      if (takesWeight(shape, row.kind))
        weights.push_back(ledger.find(row.symbol()));
    func::FuncOp callee = layerFunction(shape, weights);
    SmallVector<Value> operands = {hidden, rows, angles,
                                   stateValue(layer, "latent", c.kvLoraRank + c.ropeDim),
                                   owner ? stateValue(layer, "index", c.indexDim) : selection};
    for (const WeightSource *source : weights) {
      operands.push_back(weightValue(*source));
      for (const Companion &companion : source->companions) {
        std::string symbol = symbolOf(*source, companion);
        operands.push_back(model::WeightValueOp::create(
            b, at(symbol), typeOf(context, *source, companion), symbol));
      }
    }
    auto call = func::CallOp::create(b, at("model.layers." + Twine(layer)), callee, operands);
    LayerResults results{call.getResult(0), selection, nullptr};
    if (owner)
      results.selection = call.getResult(1);
    if (shape.sparse)
      results.routing = call.getResults().back();
    return results;
  }

  //===--- entries
  //-------------------------------------------------------------------------------===//

  /// Starts an entry: arguments are complete, results follow in finishEntry.
  void startEntry(Entry &entry, const char *name) {
    b.restoreInsertionPoint(functions);
    entry.function = func::FuncOp::create(b, at(name), name, b.getFunctionType(entry.inputs, {}));
    entry.function->setAttr("glm.entry", b.getUnitAttr());
    b.setInsertionPointToStart(entry.function.addEntryBlock());
    // Kinds first used by this entry are written in front of it.
    functions = OpBuilder::InsertPoint(entry.function->getBlock(), entry.function->getIterator());
  }

  void finishEntry(Entry &entry) {
    func::ReturnOp::create(b, entry.function.getLoc(), entry.results);
    entry.function.setFunctionType(b.getFunctionType(entry.inputs, entry.outputs));
    for (auto [i, name] : llvm::enumerate(entry.inputNames))
      entry.function.setArgAttr(i, "glm.name", b.getStringAttr(name));
    for (auto [i, name] : llvm::enumerate(entry.outputNames))
      entry.function.setResultAttr(i, "glm.name", b.getStringAttr(name));
    functions = OpBuilder::InsertPoint(entry.function->getBlock(),
                                       std::next(entry.function->getIterator()));
  }

  Value embed(Value rows) {
    return model::EmbedOp::create(b, at("model.embed_tokens"), hiddenType,
                                  weightValue("model.embed_tokens.weight"), rows);
  }
  Value anglesOf(Value rows) {
    return model::RopeAnglesOp::create(b, at("model.rotary_emb"),
                                       f32Tensor(context, {dyn, c.ropeDim}), rows,
                                       b.getF64FloatAttr(c.ropeTheta));
  }
  Value norm(const std::string &symbol, Value x) {
    return model::RmsNormOp::create(b, at(symbol), hiddenType, x, weightValue(symbol),
                                    b.getF64FloatAttr(c.rmsEps));
  }
  /// Logits of the rows asked for only: all rows of a prompt would be gigabytes.
  Value logits(Value normed, Value logitRows) {
    Value taken = model::TakeRowsOp::create(b, at("lm_head"), hiddenType, normed, logitRows);
    Value head = weightValue(c.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
    return model::LinearOp::create(b, at("lm_head"), f32Tensor(context, {dyn, c.vocabSize}), taken,
                                   head);
  }
  Type idsType(int64_t width) { return RankedTensorType::get({dyn, width}, b.getI32Type()); }
  Type logitRowsType() { return RankedTensorType::get({dyn}, b.getI32Type()); }

  void buildStep() {
    Entry entry;
    entry.input("rows", model::RowsType::get(context));
    entry.input("logit_rows", logitRowsType());
    startEntry(entry, "step");
    Value rows = entry.function.getArgument(0), h = embed(rows), angles = anglesOf(rows), selection;
    Entry kept;
    if (options.keepHidden)
      kept.output("hidden.0", h);
    for (int64_t layer = 0; layer < c.layers; ++layer) {
      bool owner = c.layerOwnsIndexer(layer);
      LayerResults results = callLayer(layer, owner, h, rows, angles, selection);
      h = results.hidden;
      selection = results.selection;
      keep(kept, layer, owner, results);
    }
    Value final = norm("model.norm.weight", h);
    entry.output("logits", logits(final, entry.function.getArgument(1)));
    entry.output("final", final);
    for (auto [name, value] : llvm::zip(kept.outputNames, kept.results))
      entry.output(name, value);
    finishEntry(entry);
  }

  void keep(Entry &kept, int64_t layer, bool owner, const LayerResults &results) {
    std::string number = std::to_string(layer);
    Location loc = at("model.layers." + Twine(layer));
    if (options.keepHidden)
      kept.output("hidden." + std::to_string(layer + 1), results.hidden);
    if (options.keepSelections && owner)
      kept.output("selection." + number,
                  model::SelectionIdsOp::create(b, loc, idsType(c.indexTopK), results.selection));
    if (!options.keepExperts || !results.routing)
      return;
    kept.output("experts." + number,
                model::RoutingIdsOp::create(b, loc, idsType(c.expertsPerToken), results.routing));
    kept.output("expert_weights." + number,
                model::RoutingWeightsOp::create(
                    b, loc, f32Tensor(context, {dyn, c.expertsPerToken}), results.routing));
  }

  /// The draft layer: a row holds the token after position p, `hidden` the final normed hidden (or
  /// the previous draft's) of position p; predicts the token after that one. With `shared` the
  /// selection of an earlier `draft` is reused and the indexer does not run.
  void buildDraft(bool shared) {
    Entry entry;
    entry.input("rows", model::RowsType::get(context));
    entry.input("hidden", hiddenType);
    entry.input("logit_rows", logitRowsType());
    if (shared)
      entry.input("selection", idsType(c.indexTopK));
    startEntry(entry, shared ? "draft_shared" : "draft");
    std::string prefix = layerPrefix(c.layers);
    Location loc = at("model.layers." + Twine(c.layers));
    Value rows = entry.function.getArgument(0), selection;
    if (shared)
      selection = model::SelectionOfIdsOp::create(
          b, loc, model::SelectionType::get(context, c.indexTopK), entry.function.getArgument(3));

    Value embedded = model::MaskStartOp::create(b, at(prefix + "embed_tokens"), embed(rows), rows);
    Value e = norm(prefix + "enorm.weight", embedded);
    Value u = norm(prefix + "hnorm.weight", entry.function.getArgument(1));
    Value both = model::ConcatOp::create(b, loc, f32Tensor(context, {dyn, 2 * c.hiddenSize}), e, u);
    Value x = model::LinearOp::create(b, at(prefix + "eh_proj"), hiddenType, both,
                                      weightValue(prefix + "eh_proj.weight"));
    LayerResults results = callLayer(c.layers, !shared, x, rows, anglesOf(rows), selection);
    Value normed = norm(prefix + "shared_head.norm.weight", results.hidden);
    entry.output("logits", logits(normed, entry.function.getArgument(2)));
    entry.output("draft_hidden", normed);
    if (!shared)
      entry.output("draft_selection",
                   model::SelectionIdsOp::create(b, loc, idsType(c.indexTopK), results.selection));
    finishEntry(entry);
  }

  MLIRContext *context;
  OpBuilder b;
  const Glm5Config &c;
  const Ledger &ledger;
  const ImportOptions &options;
  double latentEps;
  RankedTensorType hiddenType;
  bool drafts;
  OpBuilder::InsertPoint functions;
  std::map<std::string, func::FuncOp> kinds;
  std::map<std::string, unsigned> variants;
};

absl::Status checkOptions(const ImportOptions &options, const Glm5Config &config) {
  if (options.latentNormEps && !(*options.latentNormEps > 0 && *options.latentNormEps < 1))
    return codedError(Code::BadArguments, "--latent-norm-eps", "must lie between 0 and 1");
  if (options.context < 0 || options.context > config.maxPositions)
    return codedError(Code::BadArguments, "--context",
                      "is " + std::to_string(options.context) +
                          ", the model's max_position_embeddings is " +
                          std::to_string(config.maxPositions),
                      "choose at most that");
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<OwningOpRef<ModuleOp>> importCheckpoint(const std::filesystem::path &folder,
                                                       const ImportOptions &options,
                                                       MLIRContext &context) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return codedError(Code::InputMissing, folder.string(), "is no folder",
                      "name the folder of a checkpoint");
  absl::StatusOr<Glm5Config> config = readGlm5Config(folder / "config.json");
  if (!config.ok())
    return config.status();
  if (absl::Status status = checkOptions(options, *config); !status.ok())
    return status;
  absl::StatusOr<GenerationDefaults> generation = readGenerationDefaults(folder, *config);
  if (!generation.ok())
    return generation.status();
  absl::StatusOr<Checkpoint> checkpoint = Checkpoint::open(folder);
  if (!checkpoint.ok())
    return checkpoint.status();
  absl::StatusOr<Ledger> ledger = Ledger::match(*checkpoint, *config, {options.noMtp});
  if (!ledger.ok())
    return ledger.status();
  for (const Diagnostic &warning : checkpoint->warnings())
    reportWarning(warning);

  context.loadDialect<func::FuncDialect, model::GlmDialect>();
  OwningOpRef<ModuleOp> module =
      ModuleBuilder(context, *config, *ledger, options).build(*generation, *checkpoint);
  DiagnosticCollector diagnostics(&context);
  if (failed(verify(*module)))
    return diagnostics.error({Code::VerificationFailed, folder.string(),
                              "the imported module does not verify",
                              "please report the checkpoint"});
  return module;
}

} // namespace glm
