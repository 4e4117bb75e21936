// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes and offsets before their dimensions have values.
//
// An Expr is postfix code over i64 constants and named dimensions, exactly what the schema stores,
// built with ordinary operators: `alignUp(Expr::dim(rows) * 256, 64) + 128`. Building folds what is
// constant and drops neutral elements; it never reorders, so equal constructions give equal
// attributes. Constants that would overflow stay unfolded and are reported by whoever evaluates
// them.
#ifndef GLM_DIALECTS_PROGRAM_EXPR_H
#define GLM_DIALECTS_PROGRAM_EXPR_H

#include "mlir/IR/BuiltinAttributes.h"

#include <optional>

namespace glm::program {

class ExprAttr;

class Expr {
public:
  /// The numbers are those of schema ExprOp.
  enum class Kind : uint8_t { Constant, Dim, Add, Sub, Mul, Min, Max, CeilDiv, AlignUp };

  struct Term {
    Kind op;
    int64_t value = 0;    ///< of a constant
    mlir::StringAttr dim; ///< of a dimension
    bool operator==(const Term &) const = default;
  };

  Expr(int64_t constant) : terms{Term{Kind::Constant, constant, {}}} {}
  static Expr dim(mlir::StringAttr name);
  /// Of an attribute; a null attribute is 0.
  static Expr of(ExprAttr attribute);

  ExprAttr toAttribute(mlir::MLIRContext *context) const;
  llvm::ArrayRef<Term> postfix() const { return terms; }

  /// The value, if no dimension occurs.
  std::optional<int64_t> constant() const;
  /// The value, with those of dimensions from `lookup`. Nothing on overflow, division by zero or an
  /// unknown dimension.
  std::optional<int64_t>
  evaluate(llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> lookup) const;

  friend Expr operator+(const Expr &a, const Expr &b) { return combine(Kind::Add, a, b); }
  friend Expr operator-(const Expr &a, const Expr &b) { return combine(Kind::Sub, a, b); }
  friend Expr operator*(const Expr &a, const Expr &b) { return combine(Kind::Mul, a, b); }
  friend Expr min(const Expr &a, const Expr &b) { return combine(Kind::Min, a, b); }
  friend Expr max(const Expr &a, const Expr &b) { return combine(Kind::Max, a, b); }
  friend Expr ceilDiv(const Expr &a, const Expr &b) { return combine(Kind::CeilDiv, a, b); }
  friend Expr alignUp(const Expr &a, const Expr &b) { return combine(Kind::AlignUp, a, b); }
  bool operator==(const Expr &) const = default;

  /// `align(rows * 256, 64) + 128`.
  void print(llvm::raw_ostream &out) const;
  std::string text() const;

private:
  Expr() = default;
  static Expr combine(Kind op, const Expr &a, const Expr &b);

  llvm::SmallVector<Term, 4> terms;
};

/// One step of the code on known values; nothing on overflow or division by zero.
std::optional<int64_t> apply(Expr::Kind op, int64_t a, int64_t b);

} // namespace glm::program

#endif
