// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Expression.h"

namespace glm::runtime {

using schema::ExprOp;

const char *checkExpression(const schema::Expr &expression, size_t dimCount) {
  int depth = 0;
  for (const schema::Term *term : *expression.terms()) {
    if (term->op() > ExprOp::MAX)
      return "has an unknown operation";
    if (term->op() == ExprOp::dim && uint64_t(term->value()) >= dimCount)
      return "names a dimension that is not there";
    bool pushes = term->op() == ExprOp::constant || term->op() == ExprOp::dim;
    if (!pushes && depth < 2)
      return "pops from an empty stack";
    depth += pushes ? 1 : -1;
    if (depth > expressionDepth)
      return "needs more than 32 values on the stack";
  }
  return depth == 1 ? nullptr : "leaves more or less than one value";
}

static const char *roundedQuotient(int64_t left, int64_t right, int64_t &quotient) {
  if (right < 1)
    return "division by a number below 1";
  if (left < 0)
    return "division of a negative number";
  quotient = left / right + (left % right != 0);
  return nullptr;
}

static const char *apply(ExprOp op, int64_t left, int64_t right, int64_t &result) {
  bool overflow = false;
  switch (op) {
  case ExprOp::add:
    overflow = __builtin_add_overflow(left, right, &result);
    break;
  case ExprOp::sub:
    overflow = __builtin_sub_overflow(left, right, &result);
    break;
  case ExprOp::mul:
    overflow = __builtin_mul_overflow(left, right, &result);
    break;
  case ExprOp::min:
    result = left < right ? left : right;
    break;
  case ExprOp::max:
    result = left < right ? right : left;
    break;
  default: // ceil_div, align_up
    if (const char *wrong = roundedQuotient(left, right, result))
      return wrong;
    if (op == ExprOp::align_up)
      overflow = __builtin_mul_overflow(result, right, &result);
  }
  return overflow ? "overflow" : nullptr;
}

const char *evaluate(const schema::Expr &expression, const int64_t *dims, int64_t &value) {
  int64_t stack[expressionDepth];
  int depth = 0;
  for (const schema::Term *term : *expression.terms()) {
    if (term->op() == ExprOp::constant || term->op() == ExprOp::dim) {
      stack[depth++] = term->op() == ExprOp::dim ? dims[term->value()] : term->value();
      continue;
    }
    --depth;
    if (const char *wrong = apply(term->op(), stack[depth - 1], stack[depth], stack[depth - 1]))
      return wrong;
  }
  value = stack[0];
  return nullptr;
}

const char *evaluateSize(const schema::Expr &expression, const int64_t *dims, int64_t &value) {
  const char *wrong = evaluate(expression, dims, value);
  return wrong ? wrong : value < 0 ? "negative size" : nullptr;
}

int bareDim(const schema::Expr &expression) {
  const auto &terms = *expression.terms();
  return terms.size() == 1 && terms.Get(0)->op() == ExprOp::dim ? int(terms.Get(0)->value()) : -1;
}

} // namespace glm::runtime
