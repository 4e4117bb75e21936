// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/Factors.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

static constexpr int64_t anyRows = ShapedType::kDynamic;

FactorParts::FactorParts(Value factor) : codes(factor) {
  if (auto tied = factor.getDefiningOp<model::QuantizedOp>()) {
    codes = tied.getCodes();
    scales = tied.getScales();
    bias = tied.getBias();
    zeros = tied.getZeros();
    type = cast<model::QuantizedType>(getElementTypeOrSelf(factor.getType()));
  }
  codesAreInteger = elementAt(codes).isInteger();
}

int64_t glm::laneOf(Type code) { return isa<Float8E4M3FNType>(code) ? 1 : 32 / bitWidth(code); }

int64_t glm::scaleColumns(Value weight) {
  auto type = dyn_cast<model::QuantizedType>(elementAt(weight));
  int64_t K = cast<RankedTensorType>(weight.getType()).getShape().back();
  return type && type.getColumns() < K ? type.getColumns() : 0;
}

//===--- Weights ------------------------------------------------------------------------------===//

WeightFactor::WeightFactor(KernelBuilder &b, Value factor, int64_t E, int64_t n)
    : b(b), parts(factor), E(E), n(n) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(factor.getType()).getShape();
  N = shape[shape.size() - 2], K = shape.back();
}

WeightFactor WeightFactor::ofHeads(KernelBuilder &b, Value weight, int64_t N, int64_t K, int64_t n,
                                   bool transposed) {
  int64_t heads = sizeAt(weight, 0);
  WeightFactor factor(b, weight, heads, n);
  factor.N = N, factor.K = K;
  Type element = elementAt(weight);
  auto layout = PanelsAttr::get(element.getContext(), n, laneOf(element));
  factor.panels = b.input(weight, bufferOf({heads, N, K}, element, layout), transposed);
  return factor;
}

void WeightFactor::addInputs() {
  Type code = elementAt(parts.codes);
  auto layout = PanelsAttr::get(code.getContext(), n, laneOf(code));
  auto memoryOf = [&](int64_t rows, int64_t columns, Type element, Attribute layout = {}) -> Type {
    if (E)
      return BankType::get(b.loc.getContext(), {E, rows, columns}, element, layout);
    return bufferOf({rows, columns}, element, layout);
  };
  panels = b.input(parts.codes, memoryOf(N, K, code, layout));
  if (!parts.type)
    return;
  // Scales of runs lie in panels like the codes, those of rows turned around, those of blocks as
  // they are.
  int64_t rows = llvm::divideCeil(N, parts.type.getRows());
  int64_t columns = llvm::divideCeil(K, parts.type.getColumns());
  Attribute runs;
  if (parts.isInteger() && byBlocks())
    runs = PanelsAttr::get(code.getContext(), n, 1);
  else if (parts.isInteger())
    std::swap(rows, columns);
  scales = b.input(parts.scales, memoryOf(rows, columns, b.f32, runs));
  if (parts.bias)
    bias = b.input(parts.bias, memoryOf(1, N, b.i32));
  if (parts.zeros)
    zeros = b.input(parts.zeros, memoryOf(rows, columns, b.body.getI8Type(), runs));
}

Value WeightFactor::companion(Value memory, ValueRange indices, int64_t columns) {
  SmallVector<Value> at;
  if (E)
    at.push_back(e);
  llvm::append_range(at, indices);
  return b.load(memory, at, 1, columns);
}

Value WeightFactor::zero(int64_t m) {
  if (!parts.isInteger() || byBlocks())
    return b.zeros(m, n);
  return b.splat(arith::ConstantOp::create(b.body, b.loc, b.body.getI32IntegerAttr(0)), m, n);
}

Value WeightFactor::add(Value sum, Value a, Value k, int64_t columns) {
  SmallVector<Value> at;
  if (E)
    at.push_back(e);
  at.append({j, k});
  Value panel = b.load(panels, at, n, columns);
  if (!byBlocks())
    return MmaOp::create(b.body, b.loc, a, panel, sum);
  auto blockOf = [&](Value index, int64_t size) -> Value {
    return arith::DivUIOp::create(b.body, b.loc, index, b.index(size));
  };
  int64_t length = parts.type.getColumns();
  Value run = blockOf(k, length);
  if (parts.isInteger()) {
    at.back() = run;
    int64_t runs = llvm::divideCeil(columns, length);
    Value scale = b.load(scales, at, n, runs), zero;
    if (zeros)
      zero = b.load(zeros, at, n, runs);
    return MmaOp::create(b.body, b.loc, sum.getType(), a, panel, sum, scale, zero);
  }
  Value none = zero(tileOf(sum).getRows());
  Value block = MmaOp::create(b.body, b.loc, a, panel, none);
  Value scale = companion(scales, {blockOf(j, parts.type.getRows()), run}, 1);
  return b.map({sum, block, scale}, tileOf(sum).getRows(), n, b.f32,
               [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value scaled = arith::MulFOp::create(s, loc, v[1], v[2]);
                 return arith::AddFOp::create(s, loc, v[0], scaled);
               });
}

Value WeightFactor::finish(Value sum, Value rowScales) {
  if (!parts.isInteger())
    return sum;
  SmallVector<Value> operands{sum};
  bool isSum = !byBlocks(), biased = bool(bias), scaled = bool(rowScales);
  if (isSum)
    operands.push_back(companion(scales, {b.index(0), j}, n));
  if (biased)
    operands.push_back(companion(bias, {b.index(0), j}, n));
  if (scaled)
    operands.push_back(rowScales);
  return b.map(operands, tileOf(sum).getRows(), n, b.f32,
               [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                 Value result = v[0];
                 if (biased)
                   result = arith::AddIOp::create(s, loc, result, v[2]);
                 if (isSum)
                   result = arith::MulFOp::create(
                       s, loc, arith::SIToFPOp::create(s, loc, s.getF32Type(), result), v[1]);
                 return scaled ? Value(arith::MulFOp::create(s, loc, result, v.back())) : result;
               });
}

//===--- Rows ---------------------------------------------------------------------------------===//

RowFactor::RowFactor(KernelBuilder &b, Value factor, int64_t width, int64_t topK) : b(b) {
  FactorParts parts(factor);
  auto take = [&](Value value, int64_t columns) {
    Type element = elementAt(value);
    if (!topK)
      return b.input(value, bufferOf({anyRows, columns}, element));
    return b.flatten(b.input(value, bufferOf({anyRows, topK, columns}, element)));
  };
  codes = take(parts.codes, width);
  if (parts.scales)
    scales = take(parts.scales, 1);
}

Value RowFactor::load(Value row, Value column, int64_t rows, int64_t columns) {
  return b.load(codes, {row, column}, rows, columns);
}

Value RowFactor::gather(Value ids, Value column, int64_t rows, int64_t columns) {
  auto tile = TileType::get(b.loc.getContext(), rows, columns, elementOf(codes.getType()));
  return GatherRowsOp::create(b.body, b.loc, tile, codes, column, ids);
}

Value RowFactor::loadScales(Value row, int64_t rows) {
  return scales ? b.load(scales, {row, b.index(0)}, rows, 1) : Value();
}

Value RowFactor::gatherScales(Value ids, int64_t rows) {
  if (!scales)
    return {};
  auto tile = TileType::get(b.loc.getContext(), rows, 1, b.f32);
  return GatherRowsOp::create(b.body, b.loc, tile, scales, b.index(0), ids);
}
