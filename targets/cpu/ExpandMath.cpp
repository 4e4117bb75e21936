// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Polynomials. Integers are taken out of floats by adding 1.5 * 2^23 (2^52): the sum's low bits are
// the rounded integer, for every argument the clamping lets through and without undefined
// conversions of NaN. exp: Cody and Waite's two-part ln 2 and Cephes' coefficients for f32,
// Taylor's for f64; sin and cos: fdlibm's coefficients on [-pi/4, pi/4].
#include "targets/cpu/ExpandMath.h"
#include "targets/cpu/Code.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"

using namespace mlir;

namespace glm::cpu {

static Type like(Type shape, Type element) {
  auto vector = dyn_cast<VectorType>(shape);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

/// `c0 + x (c1 + x (c2 + ...))`, coefficients from the highest.
static Value polynomial(Code &code, Value x, ArrayRef<double> coefficients) {
  Value sum = code.real(x.getType(), coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = code.fma(sum, x, code.real(x.getType(), coefficient));
  return sum;
}

/// `x` rounded to an integer: as a float, and as an integer of the same width.
struct Rounded {
  Value real, integer;
};

static Rounded roundScaled(Code &code, Value x, double scale) {
  Type type = x.getType(), element = getElementTypeOrSelf(type);
  bool wide = element.isF64();
  Type integers = like(type, wide ? code.i64() : code.i32());
  Value magic = code.real(type, wide ? 6755399441055744.0 : 12582912.0);
  Value sum = code.fma(x, code.real(type, scale), magic);
  Value real = arith::SubFOp::create(code.builder, code.loc, sum, magic);
  return {real, code.sub(code.bitcast(integers, sum), code.bitcast(integers, magic))};
}

/// 2^n for a normal result.
static Value powerOfTwo(Code &code, Value n, Type type) {
  bool wide = getElementTypeOrSelf(type).isF64();
  return code.bitcast(type, code.shiftLeft(code.add(n, wide ? 1023 : 127), wide ? 52 : 23));
}

static Value clamp(Code &code, Value x, double low, double high) {
  auto select = [&](arith::CmpFPredicate predicate, double bound) {
    Value limit = code.real(x.getType(), bound);
    Value beyond = arith::CmpFOp::create(code.builder, code.loc, predicate, x, limit);
    x = arith::SelectOp::create(code.builder, code.loc, beyond, limit, x);
  };
  select(arith::CmpFPredicate::OLT, low);
  select(arith::CmpFPredicate::OGT, high);
  return x; // NaN stays
}

static Value expandExp(Code &code, Value x) {
  Type type = x.getType();
  bool wide = getElementTypeOrSelf(type).isF64();
  x = wide ? clamp(code, x, -746, 710) : clamp(code, x, -105, 89);
  Rounded n = roundScaled(code, x, 1.4426950408889634);
  double high = wide ? 6.93147180369123816490e-01 : 0.693359375;
  double low = wide ? 1.90821492927058770002e-10 : -2.12194440e-4;
  Value r = code.fma(n.real, code.real(type, -high), x);
  r = code.fma(n.real, code.real(type, -low), r);
  Value p = wide ? polynomial(code, r,
                              {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                               1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                               1.0 / 24, 1.0 / 6, 0.5})
                 : polynomial(code, r,
                              {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                               1.6666665459e-1, 5.0000001201e-1});
  Value e = code.addf(code.fma(p, code.mulf(r, r), r), code.real(type, 1));
  // In two steps, so that results below the normal range come out right.
  Value half = arith::ShRSIOp::create(code.builder, code.loc, n.integer,
                                      code.integer(n.integer.getType(), 1));
  e = code.mulf(e, powerOfTwo(code, half, type));
  return code.mulf(e, powerOfTwo(code, code.sub(n.integer, half), type));
}

/// sin (`quarter` 0) or cos (1) of f64.
static Value expandSine(Code &code, Value x, int64_t quarter) {
  Type type = x.getType();
  Rounded n = roundScaled(code, x, 0.63661977236758134308);
  Value r = code.fma(n.real, code.real(type, -1.57079632679489655800e+00), x);
  r = code.fma(n.real, code.real(type, -6.12323399573676603587e-17), r);
  Value square = code.mulf(r, r);
  Value sine = polynomial(code, square,
                          {1.58969099521155010221e-10, -2.50507602534068634195e-08,
                           2.75573137070700676789e-06, -1.98412698298579493134e-04,
                           8.33333333332248946124e-03, -1.66666666666666324348e-01});
  sine = code.fma(code.mulf(sine, square), r, r);
  Value cosine = polynomial(code, square,
                            {-1.13596475577881948265e-11, 2.08757232129817482790e-09,
                             -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                             -1.38888888888741095749e-03, 4.16666666666666019037e-02, -0.5, 1.0});
  Value turn = code.add(n.integer, quarter);
  Type integers = turn.getType();
  auto bit = [&](int64_t mask) {
    return code.compare(arith::CmpIPredicate::ne, code.bitAnd(turn, code.integer(integers, mask)),
                        code.integer(integers, 0));
  };
  Value value = code.select(bit(1), cosine, sine);
  Value negative = arith::NegFOp::create(code.builder, code.loc, value);
  return code.select(bit(2), negative, value);
}

static Value expandRsqrt(Code &code, Value x) {
  Value root = math::SqrtOp::create(code.builder, code.loc, x);
  return arith::DivFOp::create(code.builder, code.loc, code.real(x.getType(), 1), root);
}

namespace {

template <typename Op, Value (*expand)(Code &, Value)> struct Expand : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    if (!element.isF32() && !element.isF64())
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    Code code(rewriter, op.getLoc());
    rewriter.replaceOp(op, expand(code, op.getOperand()));
    return success();
  }
};

} // namespace

template <int64_t quarter> static Value expandTurn(Code &code, Value x) {
  Type type = x.getType(), wide = like(type, code.builder.getF64Type());
  if (type == wide)
    return expandSine(code, x, quarter);
  Value exact = arith::ExtFOp::create(code.builder, code.loc, wide, x);
  return arith::TruncFOp::create(code.builder, code.loc, type, expandSine(code, exact, quarter));
}

void populateExpandMath(RewritePatternSet &patterns) {
  patterns.add<Expand<math::ExpOp, expandExp>, Expand<math::RsqrtOp, expandRsqrt>,
               Expand<math::SinOp, expandTurn<0>>, Expand<math::CosOp, expandTurn<1>>>(
      patterns.getContext(), /*benefit=*/10);
  populateMathPolynomialApproximationPatterns(patterns);
}

//===--- bf16 -------------------------------------------------------------------------------===//

namespace {

struct Widen : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = op.getIn().getType(), to = op.getType();
    if (!getElementTypeOrSelf(from).isBF16())
      return rewriter.notifyMatchFailure(op, "not bf16");
    Code code(rewriter, op.getLoc());
    Type words = like(from, code.i32());
    Value bits = arith::ExtUIOp::create(rewriter, op.getLoc(), words,
                                        code.bitcast(like(from, code.i16()), op.getIn()));
    Value wide = code.bitcast(like(from, code.f32()), code.shiftLeft(bits, 16));
    if (wide.getType() != to)
      wide = arith::ExtFOp::create(rewriter, op.getLoc(), to, wide);
    rewriter.replaceOp(op, wide);
    return success();
  }
};

struct Round : OpRewritePattern<arith::TruncFOp> {
  Round(MLIRContext *context, bool native) : OpRewritePattern(context), native(native) {}

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type from = op.getIn().getType(), to = op.getType();
    if (!getElementTypeOrSelf(to).isBF16())
      return rewriter.notifyMatchFailure(op, "not bf16");
    Code code(rewriter, op.getLoc());
    Type single = like(from, code.f32()), words = like(from, code.i32());
    Value x = op.getIn();
    if (native && from == single)
      return rewriter.notifyMatchFailure(op, "the machine has an instruction");
    if (from != single) {
      x = arith::TruncFOp::create(rewriter, op.getLoc(), single, x);
      rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, to, x);
      return success();
    }
    Value bits = code.bitcast(words, x);
    Value odd = code.bitAnd(code.shiftRight(bits, 16), code.integer(words, 1));
    Value rounded = code.shiftRight(code.add(code.add(bits, odd), 0x7fff), 16);
    Value isNan = arith::CmpFOp::create(rewriter, op.getLoc(), arith::CmpFPredicate::UNO, x, x);
    rounded = code.select(isNan, code.integer(words, 0x7fc0), rounded);
    Value low = arith::TruncIOp::create(rewriter, op.getLoc(), like(from, code.i16()), rounded);
    rewriter.replaceOp(op, code.bitcast(to, low));
    return success();
  }

  bool native;
};

} // namespace

void populateExpandBf16(RewritePatternSet &patterns, bool nativeRounding) {
  patterns.add<Widen>(patterns.getContext());
  patterns.add<Round>(patterns.getContext(), nativeRounding);
}

} // namespace glm::cpu
