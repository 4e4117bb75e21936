// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Expression.h"

#include <climits>
#include <gtest/gtest.h>

using namespace glm;
using namespace glm::runtime;
using schema::ExprOp;
using schema::Term;

namespace {

/// An expression in a buffer of its own.
struct Code {
  Code(std::initializer_list<Term> terms) {
    std::vector<Term> list(terms);
    builder.Finish(schema::CreateExprDirect(builder, &list));
  }
  const schema::Expr &get() const {
    return *flatbuffers::GetRoot<schema::Expr>(builder.GetBufferPointer());
  }
  flatbuffers::FlatBufferBuilder builder;
};

Term constant(int64_t value) { return Term(ExprOp::constant, value); }
Term dim(int64_t index) { return Term(ExprOp::dim, index); }
Term op(ExprOp operation) { return Term(operation, 0); }

const int64_t dims[] = {7, 100, INT64_MAX};

int64_t valueOf(const Code &code) {
  EXPECT_EQ(checkExpression(code.get(), 3), nullptr);
  int64_t value = -1;
  EXPECT_EQ(evaluate(code.get(), dims, value), nullptr);
  return value;
}

const char *wrongOf(const Code &code) {
  EXPECT_EQ(checkExpression(code.get(), 3), nullptr);
  int64_t value;
  return evaluateSize(code.get(), dims, value);
}

} // namespace

// Every operation gives what its name says, left operand first.
TEST(Expression, Operations) {
  EXPECT_EQ(valueOf({dim(0), constant(5), op(ExprOp::add)}), 12);
  EXPECT_EQ(valueOf({dim(0), constant(5), op(ExprOp::sub)}), 2);
  EXPECT_EQ(valueOf({dim(0), dim(1), op(ExprOp::mul)}), 700);
  EXPECT_EQ(valueOf({dim(0), dim(1), op(ExprOp::min)}), 7);
  EXPECT_EQ(valueOf({dim(0), dim(1), op(ExprOp::max)}), 100);
  EXPECT_EQ(valueOf({dim(1), dim(0), op(ExprOp::ceil_div)}), 15);
  EXPECT_EQ(valueOf({dim(1), constant(64), op(ExprOp::align_up)}), 128);
  EXPECT_EQ(valueOf({dim(1), constant(2), dim(0), op(ExprOp::mul), op(ExprOp::sub)}), 86);
}

// Arithmetic that leaves int64 is reported, never wrapped.
TEST(Expression, Overflow) {
  EXPECT_STREQ(wrongOf({dim(2), constant(1), op(ExprOp::add)}), "overflow");
  EXPECT_STREQ(wrongOf({dim(2), constant(2), op(ExprOp::mul)}), "overflow");
  EXPECT_STREQ(wrongOf({constant(INT64_MIN), constant(1), op(ExprOp::sub)}), "overflow");
  EXPECT_STREQ(wrongOf({dim(2), constant(64), op(ExprOp::align_up)}), "overflow");
}

// Sizes are not negative and divisors are positive.
TEST(Expression, Domain) {
  EXPECT_STREQ(wrongOf({constant(3), dim(0), op(ExprOp::sub)}), "negative size");
  EXPECT_STREQ(wrongOf({dim(0), constant(0), op(ExprOp::ceil_div)}),
               "division by a number below 1");
  EXPECT_STREQ(wrongOf({constant(-1), dim(0), op(ExprOp::ceil_div)}),
               "division of a negative number");
}

// Code that would run off the stack, or leave more than its result, is refused before it runs.
TEST(Expression, Form) {
  EXPECT_NE(checkExpression(Code{}.get(), 3), nullptr);
  EXPECT_NE(checkExpression(Code{op(ExprOp::add)}.get(), 3), nullptr);
  EXPECT_NE(checkExpression(Code{dim(0), dim(1)}.get(), 3), nullptr);
  EXPECT_NE(checkExpression(Code{dim(3)}.get(), 3), nullptr);
  EXPECT_NE(checkExpression(Code{dim(-1)}.get(), 3), nullptr);
  EXPECT_NE(checkExpression(Code{dim(0), dim(1), op(ExprOp(9))}.get(), 3), nullptr);
}

// The stack holds 32 values and not one more.
TEST(Expression, Depth) {
  for (int depth : {32, 33}) {
    flatbuffers::FlatBufferBuilder builder;
    std::vector<Term> terms(size_t(depth), constant(1));
    terms.insert(terms.end(), size_t(depth - 1), op(ExprOp::add));
    builder.Finish(schema::CreateExprDirect(builder, &terms));
    const auto *expression = flatbuffers::GetRoot<schema::Expr>(builder.GetBufferPointer());
    EXPECT_EQ(checkExpression(*expression, 0) == nullptr, depth == 32);
  }
}
