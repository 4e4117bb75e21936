// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "targets/cpu/Code.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm::cpu {

Type Code::pointer() { return LLVM::LLVMPointerType::get(builder.getContext()); }

//===--- Constants --------------------------------------------------------------------------===//

static Value constantOf(Code &code, Type type, Attribute element) {
  auto vector = dyn_cast<VectorType>(type);
  TypedAttr attribute =
      vector ? TypedAttr(DenseElementsAttr::get(vector, element)) : cast<TypedAttr>(element);
  return arith::ConstantOp::create(code.builder, code.loc, attribute);
}

Value Code::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value Code::integer(Type type, int64_t value) {
  return constantOf(*this, type, builder.getIntegerAttr(getElementTypeOrSelf(type), value));
}

Value Code::real(Type type, double value) {
  return constantOf(*this, type, builder.getFloatAttr(getElementTypeOrSelf(type), value));
}

Value Code::zero(Type type) {
  return constantOf(*this, type, builder.getZeroAttr(getElementTypeOrSelf(type)));
}

//===--- Integers ---------------------------------------------------------------------------===//

Value Code::add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(loc, a, b); }
Value Code::sub(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(loc, a, b); }
Value Code::mul(Value a, Value b) { return builder.createOrFold<arith::MulIOp>(loc, a, b); }
Value Code::div(Value a, Value b) { return builder.createOrFold<arith::DivUIOp>(loc, a, b); }
Value Code::rem(Value a, Value b) { return builder.createOrFold<arith::RemUIOp>(loc, a, b); }
Value Code::min(Value a, Value b) { return builder.createOrFold<arith::MinSIOp>(loc, a, b); }
Value Code::max(Value a, Value b) { return builder.createOrFold<arith::MaxSIOp>(loc, a, b); }
Value Code::bitAnd(Value a, Value b) { return builder.createOrFold<arith::AndIOp>(loc, a, b); }
Value Code::bitOr(Value a, Value b) { return builder.createOrFold<arith::OrIOp>(loc, a, b); }
Value Code::bitXor(Value a, Value b) { return builder.createOrFold<arith::XOrIOp>(loc, a, b); }

Value Code::shiftLeft(Value a, int64_t bits) {
  return builder.createOrFold<arith::ShLIOp>(loc, a, integer(a.getType(), bits));
}
Value Code::shiftRight(Value a, int64_t bits) {
  return builder.createOrFold<arith::ShRUIOp>(loc, a, integer(a.getType(), bits));
}

Value Code::add(Value a, int64_t b) { return b == 0 ? a : add(a, integer(a.getType(), b)); }
Value Code::sub(Value a, int64_t b) { return b == 0 ? a : sub(a, integer(a.getType(), b)); }
Value Code::mul(Value a, int64_t b) { return b == 1 ? a : mul(a, integer(a.getType(), b)); }
Value Code::div(Value a, int64_t b) { return b == 1 ? a : div(a, integer(a.getType(), b)); }
Value Code::rem(Value a, int64_t b) { return rem(a, integer(a.getType(), b)); }
Value Code::min(Value a, int64_t b) { return min(a, integer(a.getType(), b)); }

Value Code::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, predicate, a, b);
}
Value Code::less(Value a, Value b) { return compare(arith::CmpIPredicate::slt, a, b); }
Value Code::equal(Value a, Value b) { return compare(arith::CmpIPredicate::eq, a, b); }

Value Code::select(Value condition, Value a, Value b) {
  return builder.createOrFold<arith::SelectOp>(loc, condition, a, b);
}

Value Code::toIndex(Value integer) {
  if (integer.getType().isIndex())
    return integer;
  return builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(), integer);
}

Value Code::fromIndex(Value index, Type integer) {
  return builder.createOrFold<arith::IndexCastOp>(loc, integer, index);
}

//===--- Floats -----------------------------------------------------------------------------===//

Value Code::addf(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
Value Code::mulf(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
Value Code::fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, loc, a, b, c); }
Value Code::exp(Value a) { return math::ExpOp::create(builder, loc, a); }

Value Code::maximum(Value a, Value b) {
  Value greater = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, loc, greater, a, b);
}

Value Code::widen(Value a) {
  Type element = getElementTypeOrSelf(a);
  if (element.isF32())
    return a;
  Type wide = f32();
  if (auto type = dyn_cast<VectorType>(a.getType()))
    wide = vector(wide, type.getNumElements());
  return arith::ExtFOp::create(builder, loc, wide, a);
}

/// Exponent and mantissa fit an f16's, whose bias is 8 higher; conversion of f16 is exact,
/// subnormal numbers included.
Value Code::widenF8(Value codes) {
  int64_t count = cast<VectorType>(codes.getType()).getNumElements();
  VectorType words = vector(i16(), count), wide = vector(f32(), count);
  Value extended = arith::ExtSIOp::create(builder, loc, words, codes);
  // s sssssss seeeemmm -> s s eeee mmm 0000000: the sign, again, then what is left of an f16.
  Value moved = shiftLeft(extended, 7);
  Value bits = bitAnd(moved, integer(words, 0xbfff));
  Value half = bitcast(vector(builder.getF16Type(), count), bits);
  return mulf(arith::ExtFOp::create(builder, loc, wide, half), real(wide, 256.0));
}

//===--- Memory -----------------------------------------------------------------------------===//

Value Code::at(Value address, Value bytes) {
  if (isConstantIntValue(bytes, 0))
    return address;
  Value offset = bytes.getType().isIndex() ? fromIndex(bytes, i64()) : bytes;
  return LLVM::GEPOp::create(builder, loc, pointer(), builder.getI8Type(), address,
                             ValueRange{offset});
}

Value Code::at(Value address, int64_t bytes) {
  if (bytes == 0)
    return address;
  return LLVM::GEPOp::create(builder, loc, pointer(), builder.getI8Type(), address,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

/// The type a value of `type` has in memory: i16 for bf16, itself otherwise.
static Type stored(Code &code, Type type) {
  if (!getElementTypeOrSelf(type).isBF16())
    return type;
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(code.vector(code.i16(), vector.getNumElements())) : code.i16();
}

static unsigned alignmentOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIntOrFloat() ? std::max(1u, element.getIntOrFloatBitWidth() / 8) : 8;
}

Value Code::load(Type type, Value address) {
  Type memory = stored(*this, type);
  return bitcast(type, LLVM::LoadOp::create(builder, loc, memory, address, alignmentOf(memory)));
}

void Code::store(Value value, Value address) {
  Type memory = stored(*this, value.getType());
  LLVM::StoreOp::create(builder, loc, bitcast(memory, value), address, alignmentOf(memory));
}

Value Code::loadMasked(VectorType type, Value address, Value mask) {
  Type memory = stored(*this, type);
  Value loaded = LLVM::MaskedLoadOp::create(builder, loc, memory, address, mask, zero(memory),
                                            alignmentOf(memory));
  return bitcast(type, loaded);
}

void Code::storeMasked(Value value, Value address, Value mask) {
  Type memory = stored(*this, value.getType());
  LLVM::MaskedStoreOp::create(builder, loc, bitcast(memory, value), address, mask,
                              alignmentOf(memory));
}

void Code::prefetch(Value address) {
  LLVM::Prefetch::create(builder, loc, address, /*rw=*/0, /*hint=*/2, /*cache=*/1);
}

//===--- Vectors ----------------------------------------------------------------------------===//

Value Code::splat(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(builder, loc, vector(scalar.getType(), lanes), scalar);
}

Value Code::laneNumbers(Type element, int64_t lanes) {
  SmallVector<Attribute> numbers;
  for (int64_t lane = 0; lane < lanes; ++lane)
    numbers.push_back(isa<FloatType>(element)
                          ? Attribute(builder.getFloatAttr(element, double(lane)))
                          : Attribute(builder.getIntegerAttr(element, lane)));
  auto type = vector(element, lanes);
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, numbers));
}

Value Code::firstLanes(int64_t lanes, int64_t used) {
  SmallVector<bool> mask(lanes, false);
  std::fill_n(mask.begin(), std::min(used, lanes), true);
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(vector(i1(), lanes), mask));
}

Value Code::firstLanes(int64_t lanes, Value bound) {
  // Clamped first, so that 32 bits hold it.
  Value clamped = max(min(bound, lanes), index(0));
  Value limit = splat(fromIndex(clamped, i32()), lanes);
  return less(laneNumbers(i32(), lanes), limit);
}

Value Code::shuffle(Value a, Value b, ArrayRef<int64_t> lanes) {
  return vector::ShuffleOp::create(builder, loc, a, b, lanes);
}

Value Code::bitcast(Type type, Value value) {
  if (value.getType() == type)
    return value;
  auto from = dyn_cast<VectorType>(value.getType()), to = dyn_cast<VectorType>(type);
  if (from && to && from.getNumElements() != to.getNumElements())
    return vector::BitCastOp::create(builder, loc, to, value);
  return arith::BitcastOp::create(builder, loc, type, value);
}

Value Code::combine(Value vector, function_ref<Value(Value, Value)> op) {
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    auto low = llvm::to_vector(llvm::seq<int64_t>(0, half));
    auto high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
    vector = op(shuffle(vector, vector, low), shuffle(vector, vector, high));
  }
  return lane(vector, 0);
}

Value Code::lane(Value vector, int64_t number) {
  return vector::ExtractOp::create(builder, loc, vector, ArrayRef<int64_t>{number});
}

Value Code::intrinsic(StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(builder, loc, result, builder.getStringAttr(name), operands)
      .getResult(0);
}

//===--- Control ----------------------------------------------------------------------------===//

void Code::loop(Value begin, Value end, int64_t step, Body body) {
  loop(begin, end, step, {}, [&](Value iv, ValueRange) {
    body(iv);
    return Values();
  });
}

void Code::loop(int64_t begin, int64_t end, int64_t step, Body body) {
  loop(index(begin), index(end), step, body);
}

Values Code::loop(Value begin, Value end, int64_t step, ValueRange carried, CarryBody body) {
  std::optional<int64_t> first = getConstantIntValue(begin), last = getConstantIntValue(end);
  if (first && last && *first >= *last)
    return Values(carried);
  if (first && last && *first + step >= *last)
    return body(begin, carried);
  auto loop = scf::ForOp::create(builder, loc, begin, end, index(step), carried,
                                 [&](OpBuilder &, Location, Value iv, ValueRange values) {
                                   Values next = body(iv, values);
                                   scf::YieldOp::create(builder, loc, next);
                                 });
  return Values(loop.getResults());
}

Values Code::loopWhile(ValueRange values, function_ref<Value(ValueRange)> condition,
                       function_ref<Values(ValueRange)> body) {
  auto loop = scf::WhileOp::create(
      builder, loc, values.getTypes(), values,
      [&](OpBuilder &, Location, ValueRange current) {
        Value more = condition(current);
        scf::ConditionOp::create(builder, loc, more, current);
      },
      [&](OpBuilder &, Location, ValueRange current) {
        Values next = body(current);
        scf::YieldOp::create(builder, loc, next);
      });
  return Values(loop.getResults());
}

void Code::when(Value condition, function_ref<void()> body) {
  when(condition, body, [] {});
}

void Code::when(Value condition, function_ref<void()> body, function_ref<void()> otherwise) {
  choose(
      condition, {},
      [&] {
        body();
        return Values();
      },
      [&] {
        otherwise();
        return Values();
      });
}

Values Code::choose(Value condition, TypeRange types, function_ref<Values()> body,
                    function_ref<Values()> otherwise) {
  auto branch = scf::IfOp::create(builder, loc, types, condition, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  for (auto [block, fill] :
       {std::pair(branch.thenBlock(), body), std::pair(branch.elseBlock(), otherwise)}) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(block);
    Values results = fill();
    scf::YieldOp::create(builder, loc, results);
  }
  return Values(branch.getResults());
}

} // namespace glm::cpu
