// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/Emit.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

Value glm::silu(OpBuilder &builder, Location loc, Value x) {
  Value one = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(1.0f));
  Value power = math::ExpOp::create(builder, loc, arith::NegFOp::create(builder, loc, x));
  return arith::DivFOp::create(builder, loc, x, arith::AddFOp::create(builder, loc, one, power));
}

SmallVector<Type> glm::partTypes(model::RoutingType routing) {
  MLIRContext *context = routing.getContext();
  Type i32 = IntegerType::get(context, 32), f32 = Float32Type::get(context);
  auto pairs = [&](Type element) -> Type {
    return RankedTensorType::get({ShapedType::kDynamic, routing.getTopK()}, element);
  };
  Type perExpert = RankedTensorType::get({routing.getExperts() + 1}, i32);
  return {pairs(i32), pairs(f32), pairs(i32), pairs(i32), perExpert, perExpert};
}

Value glm::partOf(Value routing, RoutingPart part, Operation *before) {
  if (auto cast = routing.getDefiningOp<UnrealizedConversionCastOp>())
    return cast.getInputs()[part];
  OpBuilder builder(before);
  auto parts = UnrealizedConversionCastOp::create(
      builder, before->getLoc(), partTypes(::cast<model::RoutingType>(routing.getType())), routing);
  return parts.getResult(part);
}

BufferType glm::bufferOf(ArrayRef<int64_t> shape, Type element, Attribute layout) {
  return BufferType::get(element.getContext(), shape, element, layout);
}

BufferType glm::bufferOf(Type value) {
  Type i32 = IntegerType::get(value.getContext(), 32);
  if (isa<model::RowsType>(value))
    return bufferOf({ShapedType::kDynamic, 4}, i32);
  if (auto selection = dyn_cast<model::SelectionType>(value))
    return bufferOf({ShapedType::kDynamic, selection.getLimit()}, i32);
  auto tensor = cast<RankedTensorType>(value);
  return bufferOf(tensor.getShape(), tensor.getElementType());
}

CacheType glm::cacheOf(model::CacheType cache, Attribute layout) {
  int64_t scale = cache.getElementType().isInteger(8) ? 4 : 0;
  return CacheType::get(cache.getContext(), cache.getWidth() + scale, cache.getElementType(),
                        layout);
}

Codes glm::encodeRows(KernelBuilder &b, Value tile) {
  Value x = b.convert(tile, b.f32);
  int64_t rows = tileOf(x).getRows(), columns = tileOf(x).getColumns();
  auto constant = [](OpBuilder &s, Location loc, float value) -> Value {
    return arith::ConstantOp::create(s, loc, s.getF32FloatAttr(value));
  };
  Value size =
      b.map(x, rows, columns, b.f32, [](OpBuilder &s, Location loc, ValueRange v) -> Value {
        return math::AbsFOp::create(s, loc, v[0]);
      });
  auto one = TileType::get(b.loc.getContext(), rows, 1, b.f32);
  Value most = ReduceOp::create(b.body, b.loc, one, Reduction::Max, size, 1);
  Value inverse =
      b.map(most, rows, 1, b.f32, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
        Value zero = constant(s, loc, 0.0f);
        Value some = arith::CmpFOp::create(s, loc, arith::CmpFPredicate::OGT, v[0], zero);
        Value quotient = arith::DivFOp::create(s, loc, constant(s, loc, 127.0f), v[0]);
        return arith::SelectOp::create(s, loc, some, quotient, zero);
      });
  Type i8 = IntegerType::get(b.loc.getContext(), 8);
  Value codes = b.map(
      {x, inverse}, rows, columns, i8, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
        Value number = arith::MulFOp::create(s, loc, v[0], v[1]);
        return arith::FPToSIOp::create(s, loc, i8, math::RoundEvenOp::create(s, loc, number));
      });
  Value scale = b.map(most, rows, 1, b.f32, [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
    return arith::DivFOp::create(s, loc, v[0], constant(s, loc, 127.0f));
  });
  return {codes, scale};
}

std::string glm::elementName(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    type = tensor.getElementType();
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return name;
}
