// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row-wise kernels: one unit computes one row of everything the group yields. A tensor `[n, D]` is
// a tile `1 x D` of that row, `[n, H, D]` a tile `H x D`. What comes from outside is loaded where
// it is first needed; a slice of it is loaded at its offset and never as a whole.
#include "passes/tile/Emit.h"
#include "passes/tile/RopeAngles.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

constexpr int64_t anyRows = ShapedType::kDynamic;

class RowsEmitter {
public:
  RowsEmitter(GroupOp group, const CacheLayouts &layouts)
      : group(group), layouts(layouts), b(group.getLoc(), group.getScheduleAttr()) {
    if (auto pairs = group->getAttrOfType<IntegerAttr>("pairs"))
      topK = pairs.getInt();
  }

  Results emit(SymbolTable &symbols);

private:
  //===--- Memory -----------------------------------------------------------------------------===//

  struct Extent {
    int64_t rows, columns;
  };

  static Extent extentOf(Value value) {
    auto shape = cast<RankedTensorType>(value.getType()).getShape();
    return {shape.size() == 3 ? shape[1] : 1, shape.back()};
  }

  /// The buffer of a tensor of this group's rows; that of pairs names their number.
  BufferType rowBuffer(Value value) const {
    auto type = cast<RankedTensorType>(value.getType());
    if (topK)
      return bufferOf({anyRows, topK, type.getShape().back()}, type.getElementType());
    return bufferOf(type);
  }

  /// As the unit indexes it: pairs one after the other.
  Value byRow(Value buffer) { return topK ? b.flatten(buffer) : buffer; }

  SmallVector<Value> cornerOf(Value value, int64_t column) {
    SmallVector<Value> corner{unit, b.index(column)};
    if (cast<RankedTensorType>(value.getType()).getRank() == 3)
      corner.insert(corner.begin() + 1, b.index(0));
    return corner;
  }

  bool isInside(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && op->getParentOp() == group;
  }

  /// Columns of this row of a value from outside.
  Value loadColumns(Value value, int64_t begin, int64_t columns) {
    Value &memory = memories[value];
    if (!memory)
      memory = byRow(b.input(value, rowBuffer(value)));
    return b.load(memory, cornerOf(value, begin), extentOf(value).rows, columns);
  }

  Value tile(Value value) {
    Value &known = tiles[value];
    if (!known && !isInside(value)) {
      Value loaded = loadColumns(value, 0, extentOf(value).columns);
      return tiles[value] = loaded;
    }
    return known;
  }

  /// In the type that arithmetic is done in.
  Value f32(Value value) { return b.convert(tile(value), b.f32); }

  /// A gain or bias: the same row for every unit.
  Value vector(Value value) {
    Value memory = b.input(value, bufferOf(value.getType()));
    return b.convert(b.load(memory, b.index(0), 1, sizeAt(value, 0)), b.f32);
  }

  /// Column 0 token, 1 slot, 2 position of this row of the batch.
  Value rowInfo(Value rows, int64_t column) {
    return b.scalar(b.input(rows, bufferOf(rows.getType())), {unit, b.index(column)});
  }

  Value asIndex(Value scalar) {
    return arith::IndexCastOp::create(b.body, b.loc, b.body.getIndexType(), scalar);
  }

  //===--- Steps ------------------------------------------------------------------------------===//

  void visit(Operation *op);
  Value embed(model::EmbedOp op);
  Value maskStart(model::MaskStartOp op);
  Value takeRows(model::TakeRowsOp op);
  Value rmsNorm(model::RmsNormOp op);
  Value layerNorm(model::LayerNormOp op);
  Value rope(model::RopeOp op);
  Value slice(model::SliceOp op);
  void quantize(model::QuantizeOp op);
  void quantizeStatic(model::QuantizeStaticOp op);
  Value combine(model::CombineOp op);
  void append(model::AppendOp op);

  /// An elementwise function of the operands, computed in f32.
  Value elementwise(Operation *op, MapBody scalars) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(f32(operand));
    Extent extent = extentOf(op->getResult(0));
    return b.map(operands, extent.rows, extent.columns, b.f32, scalars);
  }

  std::string name();

  GroupOp group;
  const CacheLayouts &layouts;
  KernelBuilder b;
  int64_t topK = 0;
  Value unit;
  DenseMap<Value, Value> tiles, memories;
};

} // namespace

//===--- Norms --------------------------------------------------------------------------------===//

static Value constant(OpBuilder &s, Location loc, double value) {
  return arith::ConstantOp::create(s, loc, s.getF32FloatAttr(value));
}

/// `1 / sqrt(x / width + eps)` of a 1x1 tile.
static Value reciprocalRoot(KernelBuilder &b, Value sum, double width, double eps) {
  return b.map(sum, 1, 1, b.f32, [&](OpBuilder &s, Location loc, ValueRange x) -> Value {
    Value mean = arith::DivFOp::create(s, loc, x[0], constant(s, loc, width));
    Value safe = arith::AddFOp::create(s, loc, mean, constant(s, loc, eps));
    return arith::DivFOp::create(s, loc, constant(s, loc, 1.0), math::SqrtOp::create(s, loc, safe));
  });
}

static Value square(KernelBuilder &b, Value x) {
  return b.map(x, tileOf(x).getRows(), tileOf(x).getColumns(), b.f32,
               [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 return arith::MulFOp::create(s, loc, v[0], v[0]);
               });
}

Value glm::rmsNorm(KernelBuilder &b, Value x, Value gain, double eps) {
  int64_t width = tileOf(x).getColumns();
  Value root = reciprocalRoot(b, b.sum(square(b, x), 1), width, eps);
  return b.map({x, root, gain}, 1, width, b.f32,
               [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value normal = arith::MulFOp::create(s, loc, v[0], v[1]);
                 return arith::MulFOp::create(s, loc, normal, v[2]);
               });
}

Value RowsEmitter::rmsNorm(model::RmsNormOp op) {
  Value x = f32(op.getX());
  return glm::rmsNorm(b, x, vector(op.getGain()), op.getEps().convertToDouble());
}

Value RowsEmitter::layerNorm(model::LayerNormOp op) {
  Value x = f32(op.getX()), gain = vector(op.getGain()), bias = vector(op.getBias());
  int64_t width = tileOf(x).getColumns();
  Value centred = b.map({x, b.sum(x, 1)}, 1, width, b.f32,
                        [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                          Value mean = arith::DivFOp::create(s, loc, v[1], constant(s, loc, width));
                          return arith::SubFOp::create(s, loc, v[0], mean);
                        });
  Value root =
      reciprocalRoot(b, b.sum(square(b, centred), 1), width, op.getEps().convertToDouble());
  return b.map({centred, root, gain, bias}, 1, width, b.f32,
               [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value normal = arith::MulFOp::create(s, loc, v[0], v[1]);
                 Value scaled = arith::MulFOp::create(s, loc, normal, v[2]);
                 return arith::AddFOp::create(s, loc, scaled, v[3]);
               });
}

//===--- Rows of other memory -----------------------------------------------------------------===//

Value RowsEmitter::embed(model::EmbedOp op) {
  Value table = b.input(op.getTable(), bufferOf(op.getTable().getType()));
  Value token = asIndex(rowInfo(op.getRows(), 0));
  return b.load(table, {token, b.index(0)}, 1, sizeAt(op.getTable(), 1));
}

Value RowsEmitter::takeRows(model::TakeRowsOp op) {
  Value x = b.input(op.getX(), bufferOf(op.getX().getType()));
  Value indices = b.input(op.getIndices(), bufferOf(op.getIndices().getType()));
  return b.load(x, {b.position(indices, unit), b.index(0)}, 1, sizeAt(op.getX(), 1));
}

/// `sum_j w_j x_j` over the row's pairs, in the order of their experts.
Value RowsEmitter::combine(model::CombineOp op) {
  int64_t pairs = cast<model::RoutingType>(op.getRouting().getType()).getTopK();
  int64_t width = sizeAt(op.getX(), 1);
  auto part = [&](RoutingPart which) {
    Value value = partOf(op.getRouting(), which, group);
    return b.input(value, bufferOf(value.getType()));
  };
  Value weights = part(Weights), inverse = part(Inverse);
  Value x = b.flatten(b.input(op.getX(), bufferOf({anyRows, pairs, width}, elementAt(op.getX()))));
  SmallVector<Value> operands;
  for (int64_t j = 0; j < pairs; ++j) {
    Value place = b.position(inverse, {unit, b.index(j)});
    operands.push_back(b.convert(b.load(x, {place, b.index(0)}, 1, width), b.f32));
    operands.push_back(b.splat(b.scalar(weights, {unit, b.index(j)})));
  }
  return b.map(operands, 1, width, b.f32, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
    Value sum = arith::MulFOp::create(s, loc, v[0], v[1]);
    for (int64_t j = 1; j < pairs; ++j)
      sum =
          arith::AddFOp::create(s, loc, sum, arith::MulFOp::create(s, loc, v[2 * j], v[2 * j + 1]));
    return sum;
  });
}

/// Codes, and behind them the four bytes of their scale, the lowest first.
static Value codedRow(KernelBuilder &b, Value row) {
  Type i8 = IntegerType::get(b.loc.getContext(), 8);
  Codes coded = encodeRows(b, row);
  auto numbers = TileType::get(b.loc.getContext(), 1, 4, b.i32);
  Value byte = IotaOp::create(b.body, b.loc, numbers);
  Value bytes =
      b.map({byte, coded.scale}, 1, 4, i8, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
        Value bits = arith::BitcastOp::create(s, loc, b.i32, v[1]);
        Value eight = arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(8));
        Value shift = arith::MulIOp::create(s, loc, v[0], eight);
        return arith::TruncIOp::create(s, loc, i8, arith::ShRUIOp::create(s, loc, bits, shift));
      });
  return b.concat(coded.codes, bytes);
}

void RowsEmitter::append(model::AppendOp op) {
  auto type = cast<model::CacheType>(op.getCache().getType());
  Value cache = b.input(op.getCache(), cacheOf(type, layouts.lookup(op.getCache())));
  Value row = tile(op.getValues());
  row =
      type.getElementType().isInteger(8) ? codedRow(b, row) : b.convert(row, type.getElementType());
  Value slot = asIndex(rowInfo(op.getRows(), 1)), position = asIndex(rowInfo(op.getRows(), 2));
  b.store(row, cache, {slot, position});
}

//===--- Elementwise --------------------------------------------------------------------------===//

Value RowsEmitter::maskStart(model::MaskStartOp op) {
  Value position = b.splat(rowInfo(op.getRows(), 2));
  Extent extent = extentOf(op.getResult());
  return b.map({f32(op.getX()), position}, extent.rows, extent.columns, b.f32,
               [](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value zero = arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(0));
                 Value isStart =
                     arith::CmpIOp::create(s, loc, arith::CmpIPredicate::eq, v[1], zero);
                 return arith::SelectOp::create(s, loc, isStart, constant(s, loc, 0.0), v[0]);
               });
}

Value RowsEmitter::rope(model::RopeOp op) {
  Pairing pairing =
      op.getPairing() == model::Pairing::Interleaved ? Pairing::Interleaved : Pairing::Half;
  Value x = f32(op.getX());
  return RotateOp::create(b.body, b.loc, x.getType(), x, f32(op.getAngles()), pairing);
}

Value RowsEmitter::slice(model::SliceOp op) {
  int64_t begin = op.getBegin(), columns = extentOf(op.getResult()).columns;
  if (!isInside(op.getX()))
    return loadColumns(op.getX(), begin, columns);
  return b.slice(tile(op.getX()), begin, columns);
}

//===--- Codes --------------------------------------------------------------------------------===//

/// `clamp(x, low, high)` as an i8.
static Value toCode(OpBuilder &s, Location loc, Value x, double low, double high) {
  Value above = arith::MaximumFOp::create(s, loc, x, constant(s, loc, low));
  Value inside = arith::MinimumFOp::create(s, loc, above, constant(s, loc, high));
  return arith::FPToSIOp::create(s, loc, s.getI8Type(), inside);
}

/// One scale for the whole row: its largest magnitude over the largest code.
void RowsEmitter::quantize(model::QuantizeOp op) {
  Value x = f32(op.getX());
  int64_t width = tileOf(x).getColumns();
  Value magnitudes =
      b.map(x, 1, width, b.f32, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
        return math::AbsFOp::create(s, loc, v[0]);
      });
  auto one = TileType::get(b.loc.getContext(), 1, 1, b.f32);
  Value largest = ReduceOp::create(b.body, b.loc, one, Reduction::Max, magnitudes, 1);
  Value scale = b.map(largest, 1, 1, b.f32, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
    return arith::DivFOp::create(s, loc, v[0], constant(s, loc, 127));
  });
  tiles[op.getScales()] = scale;
  tiles[op.getCodes()] =
      b.map({x, scale}, 1, width, b.body.getI8Type(),
            [](OpBuilder &s, Location loc, ValueRange v) -> Value {
              Value zero = constant(s, loc, 0);
              Value isZero = arith::CmpFOp::create(s, loc, arith::CmpFPredicate::OEQ, v[1], zero);
              Value divisor = arith::SelectOp::create(s, loc, isZero, constant(s, loc, 1), v[1]);
              Value ratio = arith::DivFOp::create(s, loc, v[0], divisor);
              return toCode(s, loc, math::RoundEvenOp::create(s, loc, ratio), -128, 127);
            });
}

void RowsEmitter::quantizeStatic(model::QuantizeStaticOp op) {
  Value x = f32(op.getX()), scale = vector(op.getScale()), offset = vector(op.getOffset());
  tiles[op.getCodes()] =
      b.map({x, scale, offset}, 1, tileOf(x).getColumns(), b.body.getI8Type(),
            [](OpBuilder &s, Location loc, ValueRange v) -> Value {
              Value ratio = arith::DivFOp::create(s, loc, v[0], v[1]);
              Value rounded = math::RoundEvenOp::create(s, loc, ratio);
              return toCode(s, loc, arith::AddFOp::create(s, loc, rounded, v[2]), -128, 127);
            });
}

void RowsEmitter::visit(Operation *op) {
  if (auto append = dyn_cast<model::AppendOp>(op))
    return this->append(append);
  if (auto codes = dyn_cast<model::QuantizeOp>(op))
    return quantize(codes);
  if (auto codes = dyn_cast<model::QuantizeStaticOp>(op))
    return quantizeStatic(codes);
  Value result =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](model::EmbedOp op) { return embed(op); })
          .Case([&](model::TakeRowsOp op) { return takeRows(op); })
          .Case([&](model::MaskStartOp op) { return maskStart(op); })
          .Case([&](model::RmsNormOp op) { return rmsNorm(op); })
          .Case([&](model::LayerNormOp op) { return layerNorm(op); })
          .Case([&](model::RopeOp op) { return rope(op); })
          .Case([&](model::SliceOp op) { return slice(op); })
          .Case([&](model::CombineOp op) { return combine(op); })
          .Case([&](model::RopeAnglesOp op) {
            return ropeAngles(b, rowInfo(op.getRows(), 2), op.getTheta().convertToDouble(),
                              extentOf(op.getResult()).columns);
          })
          .Case([&](model::ConcatOp op) { return b.concat(tile(op.getX()), tile(op.getY())); })
          .Case([&](model::CastOp op) { return tile(op.getX()); })
          .Case([&](model::AddOp op) {
            return elementwise(op, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
              return arith::AddFOp::create(s, loc, v[0], v[1]);
            });
          })
          .Case([&](model::MultiplyOp op) {
            return elementwise(op, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
              return arith::MulFOp::create(s, loc, v[0], v[1]);
            });
          })
          .Case([&](model::SiluOp op) {
            return elementwise(op, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
              return silu(s, loc, v[0]);
            });
          });
  tiles[op->getResult(0)] = b.convert(result, elementAt(op->getResult(0)));
}

//===--- The kernel ---------------------------------------------------------------------------===//

/// What the kernel does, in the order it does it, with its widest result:
/// `rows_norm_rope_append_48_bf16`.
std::string RowsEmitter::name() {
  llvm::SetVector<StringRef> steps;
  int64_t width = 0;
  std::string element = "f32";
  for (Operation &op : group.getBody().front()) {
    StringRef step =
        llvm::TypeSwitch<Operation *, StringRef>(&op)
            .Case<model::RmsNormOp, model::LayerNormOp>([](auto) { return "norm"; })
            .Case<model::RopeOp>([](auto) { return "rope"; })
            .Case<model::AppendOp>([](auto) { return "append"; })
            .Case<model::AddOp>([](auto) { return "add"; })
            .Case<model::SiluOp>([](auto) { return "silu"; })
            .Case<model::MultiplyOp>([](auto) { return "multiply"; })
            .Case<model::EmbedOp>([](auto) { return "embed"; })
            .Case<model::RopeAnglesOp>([](auto) { return "angles"; })
            .Case<model::CombineOp>([](auto) { return "combine"; })
            .Case<model::MaskStartOp>([](auto) { return "mask"; })
            .Case<model::TakeRowsOp>([](auto) { return "take"; })
            .Case<model::QuantizeOp, model::QuantizeStaticOp>([](auto) { return "quantize"; })
            .Default([](Operation *) { return ""; });
    if (!step.empty())
      steps.insert(step);
    for (Value result : op.getResults()) {
      width = std::max(width, extentOf(result).rows * extentOf(result).columns);
      element = elementName(result.getType());
    }
  }
  std::string text = topK ? "pairs" : "rows";
  for (StringRef step : steps)
    text += "_" + step.str();
  return text + "_" + std::to_string(width) + "_" + element;
}

Results RowsEmitter::emit(SymbolTable &symbols) {
  Block &block = group.getBody().front();
  Operation *yield = block.getTerminator();
  SmallVector<Value> outputs;
  for (Value value : yield->getOperands())
    outputs.push_back(byRow(b.output(rowBuffer(value))));
  Value counted = outputs.empty() ? Value() : outputs.front();
  if (!counted) { // only caches are written
    Value rows = (*block.getOps<model::AppendOp>().begin()).getRows();
    counted = b.input(rows, bufferOf(rows.getType()));
  }
  unit = b.parallel({b.dim(counted)}, {1})[0];
  for (Operation &op : block.without_terminator())
    visit(&op);
  for (auto [value, output] : llvm::zip(yield->getOperands(), outputs))
    b.store(tile(value), output, cornerOf(value, 0));
  return Results(b.finish(symbols, name(), group, group.getResultTypes()).getResults());
}

Results glm::emitRows(GroupOp group, SymbolTable &symbols, const CacheLayouts &layouts) {
  return RowsEmitter(group, layouts).emit(symbols);
}
