// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/RopeAngles.h"

#include <cmath>

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

namespace {

/// `theta^(-2j/width)` as a product over the bits of `j`.
struct Frequencies {
  double theta;
  int64_t width;

  double power(int64_t j) const { return std::pow(theta, -2.0 * double(j) / double(width)); }

  int bits() const {
    int count = 0;
    while ((int64_t(1) << count) < width / 2)
      ++count;
    return count;
  }

  /// What the kernel computes: factors of set bits, from the lowest on.
  float product(int64_t j) const {
    double value = 1.0;
    for (int bit = 0; bit < bits(); ++bit)
      value *= (j >> bit) & 1 ? power(int64_t(1) << bit) : 1.0;
    return float(value);
  }
};

struct Scalars {
  OpBuilder &s;
  Location loc;

  Value f64(double value) { return arith::ConstantOp::create(s, loc, s.getF64FloatAttr(value)); }
  Value f32(float value) { return arith::ConstantOp::create(s, loc, s.getF32FloatAttr(value)); }
  Value i32(int64_t value) {
    return arith::ConstantOp::create(s, loc, s.getI32IntegerAttr(int32_t(value)));
  }
  Value choose(arith::CmpIPredicate predicate, Value left, Value right, Value then, Value other) {
    Value holds = arith::CmpIOp::create(s, loc, predicate, left, right);
    return arith::SelectOp::create(s, loc, holds, then, other);
  }

  /// The frequency of column `j`.
  Value frequency(const Frequencies &frequencies, Value j) {
    Value value = f64(1.0);
    for (int bit = 0; bit < frequencies.bits(); ++bit) {
      Value isSet = arith::AndIOp::create(s, loc, j, i32(int64_t(1) << bit));
      Value factor = choose(arith::CmpIPredicate::ne, isSet, i32(0),
                            f64(frequencies.power(int64_t(1) << bit)), f64(1.0));
      value = arith::MulFOp::create(s, loc, value, factor);
    }
    Value rounded = arith::TruncFOp::create(s, loc, s.getF32Type(), value);
    for (int64_t k = 0; k < frequencies.width / 2; ++k)
      if (float exact = float(frequencies.power(k)); exact != frequencies.product(k))
        rounded = choose(arith::CmpIPredicate::eq, j, i32(k), f32(exact), rounded);
    return rounded;
  }
};

} // namespace

/// A function of f32 angles, computed in f64: its argument may be millions.
template <typename Function> static Value inDouble(KernelBuilder &b, Value angles) {
  return b.map(angles, 1, tileOf(angles).getColumns(), b.f32,
               [](OpBuilder &s, Location loc, ValueRange x) -> Value {
                 Value wide = arith::ExtFOp::create(s, loc, s.getF64Type(), x[0]);
                 Value value = Function::create(s, loc, wide);
                 return arith::TruncFOp::create(s, loc, s.getF32Type(), value);
               });
}

Value glm::ropeAngles(KernelBuilder &b, Value position, double theta, int64_t width) {
  Frequencies frequencies{theta, width};
  int64_t half = width / 2;
  Value columns = IotaOp::create(b.body, b.loc, TileType::get(b.loc.getContext(), 1, half, b.i32));
  Value angles = b.map({columns, b.splat(position)}, 1, half, b.f32,
                       [&](OpBuilder &s, Location loc, ValueRange v) -> Value {
                         Value frequency = Scalars{s, loc}.frequency(frequencies, v[0]);
                         Value at = arith::SIToFPOp::create(s, loc, s.getF32Type(), v[1]);
                         return arith::MulFOp::create(s, loc, at, frequency);
                       });
  return b.concat(inDouble<math::CosOp>(b, angles), inDouble<math::SinOp>(b, angles));
}
