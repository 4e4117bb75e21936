// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing scalar and vector code: what the emitters of tile operations are written in. Values are
// scalars of type index, integers, floats, raw addresses (!llvm.ptr) and vectors of rank 1, nothing
// else: no later pass has anything left to decide. bf16 lives in memory as i16 and is cast after
// loading, so that no target needs bf16 loads.
#ifndef GLM_TARGETS_CPU_CODE_H
#define GLM_TARGETS_CPU_CODE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace glm::cpu {

using Values = llvm::SmallVector<mlir::Value>;

class Code {
public:
  using Body = llvm::function_ref<void(mlir::Value)>;
  using CarryBody = llvm::function_ref<Values(mlir::Value, mlir::ValueRange)>;

  Code(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  /// Types.
  mlir::Type i1() { return builder.getI1Type(); }
  mlir::Type i16() { return builder.getI16Type(); }
  mlir::Type i32() { return builder.getI32Type(); }
  mlir::Type i64() { return builder.getI64Type(); }
  mlir::Type f32() { return builder.getF32Type(); }
  mlir::Type pointer();
  mlir::VectorType vector(mlir::Type element, int64_t lanes) {
    return mlir::VectorType::get(lanes, element);
  }

  /// Constants; of a vector type: the same in every lane.
  mlir::Value index(int64_t value);
  mlir::Value integer(mlir::Type type, int64_t value);
  mlir::Value real(mlir::Type type, double value);
  mlir::Value zero(mlir::Type type);

  /// Arithmetic on integers and indices, folded where both sides are constants.
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b); // operands are not negative
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value bitAnd(mlir::Value a, mlir::Value b);
  mlir::Value bitOr(mlir::Value a, mlir::Value b);
  mlir::Value bitXor(mlir::Value a, mlir::Value b);
  mlir::Value shiftLeft(mlir::Value a, int64_t bits);
  mlir::Value shiftRight(mlir::Value a, int64_t bits); // unsigned
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value sub(mlir::Value a, int64_t b);
  mlir::Value mul(mlir::Value a, int64_t b);
  mlir::Value div(mlir::Value a, int64_t b);
  mlir::Value rem(mlir::Value a, int64_t b);
  mlir::Value min(mlir::Value a, int64_t b);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value less(mlir::Value a, mlir::Value b); // signed
  mlir::Value equal(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value toIndex(mlir::Value integer); // sign-extended
  mlir::Value fromIndex(mlir::Value index, mlir::Type integer);

  /// Floats. `maximum` of a and b is b where they are unordered: one instruction everywhere.
  mlir::Value addf(mlir::Value a, mlir::Value b);
  mlir::Value mulf(mlir::Value a, mlir::Value b);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value maximum(mlir::Value a, mlir::Value b);
  mlir::Value exp(mlir::Value a);
  /// f32 of a bf16 (or f32) scalar or vector.
  mlir::Value widen(mlir::Value a);
  /// f32 of a vector of f8E4M3FN codes given as i8; the two codes of no number become finite.
  mlir::Value widenF8(mlir::Value codes);

  /// Memory at raw addresses. Scalars and vectors of any element type; no alignment beyond the
  /// element's is assumed.
  mlir::Value at(mlir::Value address, mlir::Value bytes);
  mlir::Value at(mlir::Value address, int64_t bytes);
  mlir::Value load(mlir::Type type, mlir::Value address);
  void store(mlir::Value value, mlir::Value address);
  mlir::Value loadMasked(mlir::VectorType type, mlir::Value address, mlir::Value mask);
  void storeMasked(mlir::Value value, mlir::Value address, mlir::Value mask);

  /// A hint that the line at an address will be read from the second-level cache.
  void prefetch(mlir::Value address);

  /// Vectors.
  mlir::Value splat(mlir::Value scalar, int64_t lanes);
  mlir::Value laneNumbers(mlir::Type element, int64_t lanes);
  mlir::Value firstLanes(int64_t lanes, int64_t used);      // constant mask
  mlir::Value firstLanes(int64_t lanes, mlir::Value bound); // lanes below an index
  mlir::Value shuffle(mlir::Value a, mlir::Value b, llvm::ArrayRef<int64_t> lanes);
  mlir::Value bitcast(mlir::Type type, mlir::Value value);
  mlir::Value lane(mlir::Value vector, int64_t number);
  /// All lanes combined in a tree whose shape depends on their number only.
  mlir::Value combine(mlir::Value vector,
                      llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> op);
  mlir::Value intrinsic(llvm::StringRef name, mlir::Type result, mlir::ValueRange operands);

  /// Control. Loops without an iteration vanish, with exactly one (when that is known) are
  /// unrolled.
  void loop(mlir::Value begin, mlir::Value end, int64_t step, Body body);
  void loop(int64_t begin, int64_t end, int64_t step, Body body);
  Values loop(mlir::Value begin, mlir::Value end, int64_t step, mlir::ValueRange carried,
              CarryBody body);
  /// `while (condition(values)) values = body(values)`.
  Values loopWhile(mlir::ValueRange values,
                   llvm::function_ref<mlir::Value(mlir::ValueRange)> condition,
                   llvm::function_ref<Values(mlir::ValueRange)> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body,
            llvm::function_ref<void()> otherwise);
  Values choose(mlir::Value condition, mlir::TypeRange types, llvm::function_ref<Values()> body,
                llvm::function_ref<Values()> otherwise);
};

} // namespace glm::cpu

#endif
