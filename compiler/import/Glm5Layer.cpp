// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of a layer, in the order of the model: attention projections, caches, indexer, sparse
// attention, then dense or expert feed-forward. Sections 3.4 to 3.9 of the model's specification,
// one function each; letters as in Config.h.
#include "compiler/import/Glm5Layer.h"

#include "dialects/glm/Glm.h"

#include <cmath>

namespace glm {
namespace {

using namespace mlir;
using llvm::ArrayRef;

constexpr int64_t dyn = ShapedType::kDynamic;
/// eps of the indexer's LayerNorm, a constant of the model that no field of config.json names.
constexpr double indexNormEps = 1e-6;

class LayerBody {
public:
  LayerBody(OpBuilder &b, const Glm5Config &config, const LayerShape &shape, func::FuncOp function,
            ArrayRef<const WeightSource *> sources)
      : b(b), c(config), shape(shape), name(function.getSymName()), args(function.getArguments()),
        hidden(args[0]), rows(args[1]), angles(args[2]), latent(args[3]) {
    unsigned next = layerOperands;
    for (const WeightSource *source : sources) {
      weights.push_back({source, next});
      next += 1 + source->companions.size();
    }
  }

  void build() {
    Value attended = attention();
    Value h = model::AddOp::create(b, at("self_attn"), hidden, attended);
    Value y = norm("post_attention_layernorm", h, WeightKind::AttentionGain, c.rmsEps);
    Value m = shape.sparse ? experts(y)
                           : gated("mlp", y, WeightKind::DenseGate, WeightKind::DenseUp,
                                   WeightKind::DenseDown);
    SmallVector<Value> results = {model::AddOp::create(b, at("mlp"), h, m)};
    if (shape.owner)
      results.push_back(selection);
    if (shape.sparse)
      results.push_back(routing);
    func::ReturnOp::create(b, at(""), results);
  }

private:
  Location at(StringRef part) {
    std::string path = part.empty() ? name.str() : (name + "." + part).str();
    return NameLoc::get(b.getStringAttr(path));
  }

  /// A weight and the number of its first argument; companions follow it.
  struct Weight {
    const WeightSource *source;
    unsigned argument;
    Value quantized = {};
  };

  Weight &find(WeightKind kind) {
    for (Weight &weight : weights)
      if (weight.source->row->kind == kind)
        return weight;
    llvm_unreachable("takesWeight() lists every weight the body asks for");
  }

  Value weight(WeightKind kind) { return args[find(kind).argument]; }

  Value companion(const Weight &weight, StringRef suffix) {
    for (auto [i, companion] : llvm::enumerate(weight.source->companions))
      if (StringRef(companion.row->suffix) == suffix)
        return args[weight.argument + 1 + i];
    return {};
  }

  /// What products multiply: the weight, or its codes tied to their scales.
  Value factor(WeightKind kind) {
    Weight &weight = find(kind);
    Value codes = args[weight.argument];
    Coding coding = weight.source->coding;
    if (coding == Coding::Plain || weight.quantized)
      return weight.quantized ? weight.quantized : codes;
    auto type = cast<RankedTensorType>(codes.getType());
    bool isFp8 = coding == Coding::Fp8Blocks;
    Type element =
        model::QuantizedType::get(b.getContext(), type.getElementType(), isFp8 ? fp8Block : 1,
                                  isFp8 ? fp8Block : type.getShape().back());
    Value scales = args[weight.argument + 1];
    return weight.quantized =
               model::QuantizedOp::create(b, codes.getLoc(), type.clone(element), codes, scales,
                                          companion(weight, "quant_bias"), Value());
  }

  /// Rows as a weight of that kind wants them: as they are, or as integer codes.
  Value rowsFor(WeightKind kind, Value x) {
    const Weight &weight = find(kind);
    auto type = cast<RankedTensorType>(x.getType());
    RankedTensorType codes = type.clone(b.getI8Type());
    switch (weight.source->coding) {
    case Coding::Plain:
    case Coding::Fp8Blocks:
      return x;
    case Coding::Int8Static:
      return model::QuantizeStaticOp::create(b, x.getLoc(), codes, x,
                                             companion(weight, "input_scale"),
                                             companion(weight, "input_offset"));
    case Coding::Int8Dynamic:
    case Coding::Int4Dynamic:
      break;
    }
    int64_t width = type.getShape().back();
    auto made = model::QuantizeOp::create(b, x.getLoc(), codes, f32({dyn, 1}), TypeRange(), x,
                                          b.getI64IntegerAttr(width), UnitAttr());
    Type element = model::QuantizedType::get(b.getContext(), b.getI8Type(), 1, width);
    return model::QuantizedOp::create(b, x.getLoc(), type.clone(element), made.getCodes(),
                                      made.getScales(), Value(), Value());
  }

  RankedTensorType f32(ArrayRef<int64_t> sizes) { return f32Tensor(b.getContext(), sizes); }

  Value norm(StringRef part, Value x, WeightKind gain, double eps) {
    return model::RmsNormOp::create(b, at(part), x.getType(), x, weight(gain),
                                    b.getF64FloatAttr(eps));
  }

  Value linear(StringRef part, Value x, WeightKind kind) {
    Value w = factor(kind);
    int64_t out = cast<RankedTensorType>(w.getType()).getDimSize(0);
    return model::LinearOp::create(b, at(part), f32({dyn, out}), rowsFor(kind, x), w);
  }

  /// The numbers of a weight that is multiplied in parts.
  Value numbers(WeightKind kind) {
    Value w = factor(kind);
    if (find(kind).source->coding == Coding::Plain)
      return w;
    auto type = cast<RankedTensorType>(w.getType());
    return model::DequantizeOp::create(b, w.getLoc(), type.clone(b.getF32Type()), w);
  }

  Value columns(Value x, int64_t begin, int64_t width) {
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> sizes(type.getShape());
    sizes.back() = width;
    return model::SliceOp::create(b, x.getLoc(), type.clone(sizes), x, b.getI64IntegerAttr(begin));
  }

  Value beside(Value x, Value y) {
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> sizes(type.getShape());
    sizes.back() += cast<RankedTensorType>(y.getType()).getShape().back();
    return model::ConcatOp::create(b, x.getLoc(), type.clone(sizes), x, y);
  }

  Value heads(Value x, int64_t count, int64_t width) {
    return model::SplitHeadsOp::create(b, x.getLoc(), f32({dyn, count, width}), x);
  }

  Value rotate(Value x, bool interleaved) {
    auto pairing = model::PairingAttr::get(b.getContext(), interleaved ? model::Pairing::Interleaved
                                                                       : model::Pairing::Half);
    return model::RopeOp::create(b, x.getLoc(), x.getType(), x, angles, pairing);
  }

  void append(StringRef part, Value values, Value cache) {
    model::AppendOp::create(b, at(part), values, cache, rows);
  }

  /// Indexer vectors carry the rotated elements first, attention heads last.
  Value rotateFirst(Value x, int64_t width) {
    Value rotated = rotate(columns(x, 0, c.ropeDim), c.indexerRopeInterleaved);
    return width == c.ropeDim ? rotated : beside(rotated, columns(x, c.ropeDim, width - c.ropeDim));
  }

  /// 3.4 and 3.6: latent attention over the selected keys.
  Value attention() {
    Value x = norm("input_layernorm", hidden, WeightKind::InputGain, c.rmsEps);
    Value queryLatent =
        norm("self_attn.q_a_layernorm", linear("self_attn.q_a_proj", x, WeightKind::QueryDown),
             WeightKind::QueryGain, shape.latentEps);
    Value q =
        heads(linear("self_attn.q_b_proj", queryLatent, WeightKind::QueryUp), c.heads, c.headDim());
    Value qNope = columns(q, 0, c.nopeDim);
    Value qRope = rotate(columns(q, c.nopeDim, c.ropeDim), c.ropeInterleaved);

    Value kv = linear("self_attn.kv_a_proj_with_mqa", x, WeightKind::KvDown);
    Value compressed = norm("self_attn.kv_a_layernorm", columns(kv, 0, c.kvLoraRank),
                            WeightKind::KvGain, shape.latentEps);
    Value kRope = rotate(columns(kv, c.kvLoraRank, c.ropeDim), c.ropeInterleaved);
    append("self_attn", beside(compressed, kRope), latent);

    selection = shape.owner ? select(x, queryLatent) : args[4];
    auto gatheredType = f32({dyn, dyn, c.kvLoraRank + c.ropeDim});
    Value gathered =
        model::GatherOp::create(b, at("self_attn"), gatheredType, latent, selection, rows);
    double scale = 1 / std::sqrt(static_cast<double>(c.headDim()));
    Value o = model::AttendExpandedOp::create(b, at("self_attn"), f32({dyn, c.heads, c.valueDim}),
                                              qNope, qRope, gathered, numbers(WeightKind::KvUp),
                                              selection, b.getF64FloatAttr(scale));
    Value merged =
        model::MergeHeadsOp::create(b, at("self_attn"), f32({dyn, c.heads * c.valueDim}), o);
    return linear("self_attn.o_proj", merged, WeightKind::Output);
  }

  /// 3.5: the lightning indexer.
  Value select(Value x, Value queryLatent) {
    StringRef part = "self_attn.indexer";
    Value q = heads(linear("self_attn.indexer.wq_b", queryLatent, WeightKind::IndexQuery),
                    c.indexHeads, c.indexDim);
    Value key = linear("self_attn.indexer.wk", x, WeightKind::IndexKey);
    key = model::LayerNormOp::create(b, at("self_attn.indexer.k_norm"), key.getType(), key,
                                     weight(WeightKind::IndexGain), weight(WeightKind::IndexBias),
                                     b.getF64FloatAttr(indexNormEps));
    append(part, rotateFirst(key, c.indexDim), args[4]);
    Value w = linear("self_attn.indexer.weights_proj", x, WeightKind::IndexWeights);
    double scale =
        1 / std::sqrt(static_cast<double>(c.indexHeads) * static_cast<double>(c.indexDim));
    Value scores =
        model::IndexScoresOp::create(b, at(part), f32({dyn, dyn}), rotateFirst(q, c.indexDim), w,
                                     args[4], rows, b.getF64FloatAttr(scale));
    auto type = model::SelectionType::get(b.getContext(), c.indexTopK);
    return model::SelectTopKOp::create(b, at(part), type, scores, rows);
  }

  /// 3.7: `down(silu(gate x) * up x)`.
  Value gated(StringRef part, Value x, WeightKind gate, WeightKind up, WeightKind down) {
    Value g = model::SiluOp::create(b, at(part), linear((part + ".gate_proj").str(), x, gate));
    Value u = linear((part + ".up_proj").str(), x, up);
    Value product = model::MultiplyOp::create(b, at(part), g, u);
    return linear((part + ".down_proj").str(), product, down);
  }

  Value expertLinear(Value x, WeightKind kind) {
    Value bank = factor(kind);
    int64_t out = cast<RankedTensorType>(bank.getType()).getDimSize(1);
    return model::ExpertLinearOp::create(b, at("mlp.experts"), f32({dyn, out}), x, bank, routing);
  }

  /// 3.8 and 3.9: router, routed experts, shared expert.
  Value experts(Value y) {
    Value logits = linear("mlp.gate", y, WeightKind::Router);
    auto type = model::RoutingType::get(b.getContext(), c.experts, c.expertsPerToken);
    routing = model::RouteOp::create(
        b, at("mlp.gate"), type, logits, weight(WeightKind::CorrectionBias),
        b.getI64IntegerAttr(c.expertGroups), b.getI64IntegerAttr(c.keptGroups),
        b.getF64FloatAttr(c.routedScale), c.normalizeTopK ? b.getUnitAttr() : UnitAttr());
    Location loc = at("mlp.experts");
    // Rows are quantised before they are copied for their experts.
    auto dispatched = [&](WeightKind kind) -> Value {
      Value x = rowsFor(kind, y);
      return model::DispatchOp::create(b, loc, x.getType(), x, routing);
    };
    Value x = dispatched(WeightKind::ExpertGate);
    Value g = model::SiluOp::create(b, loc, expertLinear(x, WeightKind::ExpertGate));
    if (find(WeightKind::ExpertUp).source->coding != find(WeightKind::ExpertGate).source->coding)
      x = dispatched(WeightKind::ExpertUp);
    Value product = model::MultiplyOp::create(b, loc, g, expertLinear(x, WeightKind::ExpertUp));
    Value down = expertLinear(rowsFor(WeightKind::ExpertDown, product), WeightKind::ExpertDown);
    Value routed = model::CombineOp::create(b, loc, y.getType(), down, routing);
    if (c.sharedExperts == 0)
      return routed;
    Value shared = gated("mlp.shared_experts", y, WeightKind::SharedGate, WeightKind::SharedUp,
                         WeightKind::SharedDown);
    return model::AddOp::create(b, at("mlp"), routed, shared);
  }

  OpBuilder &b;
  const Glm5Config &c;
  const LayerShape &shape;
  StringRef name;
  Block::BlockArgListType args;
  SmallVector<Weight> weights;
  Value hidden, rows, angles, latent;
  Value selection, routing;
};

/// A weight's name without the layer it belongs to: `self_attn.q_a_proj.weight`.
std::string relativeName(const std::string &symbol) {
  size_t begin = symbol.find('.', std::string_view("model.layers.").size());
  return symbol.substr(begin + 1);
}

} // namespace

std::string LayerShape::kind() const {
  return std::string(sparse ? "moe" : "dense") + (owner ? "_full" : "_shared");
}

bool takesWeight(const LayerShape &shape, WeightKind kind) {
  if (kind >= WeightKind::DraftEmbeddingGain)
    return false;
  bool indexer = kind >= WeightKind::IndexQuery && kind <= WeightKind::IndexWeights;
  return !indexer || shape.owner;
}

RankedTensorType f32Tensor(MLIRContext *context, ArrayRef<int64_t> sizes) {
  return RankedTensorType::get(sizes, Float32Type::get(context));
}

static Type elementOf(MLIRContext *context, const WeightSource &source) {
  switch (source.coding) {
  case Coding::Plain:
    break;
  case Coding::Fp8Blocks:
    return Float8E4M3FNType::get(context);
  case Coding::Int8Static:
  case Coding::Int8Dynamic:
    return IntegerType::get(context, 8);
  case Coding::Int4Dynamic:
    return IntegerType::get(context, 4);
  }
  return source.dtype() == Dtype::F32 ? Type(Float32Type::get(context))
                                      : Type(BFloat16Type::get(context));
}

RankedTensorType typeOf(MLIRContext *context, const WeightSource &source) {
  SmallVector<int64_t> sizes;
  if (source.row->isBank())
    sizes.push_back(source.row->experts);
  sizes.append(source.row->shape.begin(), source.row->shape.end());
  return RankedTensorType::get(sizes, elementOf(context, source));
}

RankedTensorType typeOf(MLIRContext *context, const WeightSource &source,
                        const Companion &companion) {
  SmallVector<int64_t> sizes;
  if (source.row->isBank())
    sizes.push_back(source.row->experts);
  llvm::append_range(sizes, companionShape(*companion.row, source.row->kind, source.row->shape));
  // Scales are matrices of blocks, one column wide here.
  if (companion.row->suffix == "deq_scale")
    sizes.push_back(1);
  Type element = companion.row->dtype == Dtype::I32 ? Type(IntegerType::get(context, 32))
                                                    : Type(Float32Type::get(context));
  return RankedTensorType::get(sizes, element);
}

std::string symbolOf(const WeightSource &source, const Companion &companion) {
  if (source.row->isBank())
    return source.row->symbol() + "." + std::string(companion.row->suffix);
  return companionName(source.row->name, companion.row->suffix);
}

func::FuncOp buildLayerFunction(OpBuilder &b, const std::string &name, const Glm5Config &config,
                                const LayerShape &shape, ArrayRef<const WeightSource *> weights) {
  MLIRContext *context = b.getContext();
  Type f32 = b.getF32Type();
  Type hidden = f32Tensor(context, {dyn, config.hiddenSize});
  Type selection = model::SelectionType::get(context, config.indexTopK);
  Type index = shape.owner ? Type(model::CacheType::get(context, config.indexDim, f32)) : selection;
  SmallVector<Type> inputs = {
      hidden, model::RowsType::get(context), f32Tensor(context, {dyn, config.ropeDim}),
      model::CacheType::get(context, config.kvLoraRank + config.ropeDim, f32), index};
  SmallVector<std::string> names = {"hidden", "rows", "angles", "latent",
                                    shape.owner ? "index" : "selection"};
  for (const WeightSource *source : weights) {
    inputs.push_back(typeOf(context, *source));
    names.push_back(relativeName(source->row->symbol()));
    for (const Companion &companion : source->companions) {
      inputs.push_back(typeOf(context, *source, companion));
      names.push_back(relativeName(symbolOf(*source, companion)));
    }
  }
  SmallVector<Type> results = {hidden};
  if (shape.owner)
    results.push_back(selection);
  if (shape.sparse)
    results.push_back(model::RoutingType::get(context, config.experts, config.expertsPerToken));

  OpBuilder::InsertionGuard guard(b);
  auto function = func::FuncOp::create(b, NameLoc::get(b.getStringAttr(name)), name,
                                       b.getFunctionType(inputs, results));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  for (auto [i, argument] : llvm::enumerate(names))
    function.setArgAttr(i, "glm.name", b.getStringAttr(argument));
  LayerBody(b, config, shape, function, weights).build();
  return function;
}

} // namespace glm
