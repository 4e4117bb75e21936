// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Building, evaluating, printing and parsing size expressions.
#include "dialects/program/Expr.h"

#include "dialects/program/Program.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace glm::program;

namespace {

using Kind = Expr::Kind;

/// How an operator is written: infix between its operands, or a function of two.
struct Spelling {
  StringRef text;
  /// 1 sum, 2 product, 3 function or leaf.
  int precedence;
};

Spelling spellingOf(Kind op) {
  switch (op) {
  case Kind::Add:
    return {" + ", 1};
  case Kind::Sub:
    return {" - ", 1};
  case Kind::Mul:
    return {" * ", 2};
  case Kind::Min:
    return {"min", 3};
  case Kind::Max:
    return {"max", 3};
  case Kind::CeilDiv:
    return {"ceil_div", 3};
  case Kind::AlignUp:
    return {"align", 3};
  case Kind::Constant:
  case Kind::Dim:
    break;
  }
  return {"", 3};
}

} // namespace

std::optional<int64_t> glm::program::apply(Kind op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
  case Kind::Add:
    return llvm::AddOverflow(a, b, result) ? std::nullopt : std::optional(result);
  case Kind::Sub:
    return llvm::SubOverflow(a, b, result) ? std::nullopt : std::optional(result);
  case Kind::Mul:
    return llvm::MulOverflow(a, b, result) ? std::nullopt : std::optional(result);
  case Kind::Min:
    return std::min(a, b);
  case Kind::Max:
    return std::max(a, b);
  case Kind::CeilDiv:
  case Kind::AlignUp:
    if (b <= 0 || a < 0)
      return std::nullopt;
    result = a / b + (a % b != 0);
    if (op == Kind::AlignUp && llvm::MulOverflow(result, b, result))
      return std::nullopt;
    return result;
  case Kind::Constant:
  case Kind::Dim:
    break;
  }
  return std::nullopt;
}

Expr Expr::dim(StringAttr name) {
  Expr result;
  result.terms.push_back({Kind::Dim, 0, name});
  return result;
}

Expr Expr::of(ExprAttr attribute) {
  if (!attribute)
    return 0;
  Expr result;
  for (auto [op, value, dim] :
       llvm::zip_equal(attribute.getOps(), attribute.getValues(), attribute.getDims()))
    result.terms.push_back({Kind(op), value, Kind(op) == Kind::Dim ? dim : StringAttr()});
  return result;
}

ExprAttr Expr::toAttribute(MLIRContext *context) const {
  SmallVector<uint8_t> ops;
  SmallVector<int64_t> values;
  SmallVector<StringAttr> dims;
  for (const Term &term : terms) {
    ops.push_back(uint8_t(term.op));
    values.push_back(term.value);
    dims.push_back(term.dim ? term.dim : StringAttr::get(context));
  }
  return ExprAttr::get(context, ops, values, dims);
}

std::optional<int64_t> Expr::constant() const {
  if (terms.size() != 1 || terms.front().op != Kind::Constant)
    return std::nullopt;
  return terms.front().value;
}

std::optional<int64_t>
Expr::evaluate(function_ref<std::optional<int64_t>(StringRef)> lookup) const {
  SmallVector<int64_t> stack;
  for (const Term &term : terms) {
    std::optional<int64_t> value = term.value;
    if (term.op == Kind::Dim) {
      value = lookup(term.dim.getValue());
    } else if (term.op != Kind::Constant) {
      if (stack.size() < 2)
        return std::nullopt;
      int64_t right = stack.pop_back_val();
      value = apply(term.op, stack.pop_back_val(), right);
    }
    if (!value)
      return std::nullopt;
    stack.push_back(*value);
  }
  return stack.size() == 1 ? std::optional(stack.front()) : std::nullopt;
}

Expr Expr::combine(Kind op, const Expr &a, const Expr &b) {
  std::optional<int64_t> left = a.constant(), right = b.constant();
  if (left && right)
    if (std::optional<int64_t> value = apply(op, *left, *right))
      return *value;
  bool additive = op == Kind::Add || op == Kind::Sub;
  if ((additive && right == 0) ||
      ((op == Kind::Mul || op == Kind::CeilDiv || op == Kind::AlignUp) && right == 1))
    return a;
  if ((op == Kind::Add && left == 0) || (op == Kind::Mul && left == 1))
    return b;
  if (op == Kind::Mul && (left == 0 || right == 0))
    return 0;
  Expr result = a;
  result.terms.append(b.terms.begin(), b.terms.end());
  result.terms.push_back({op, 0, {}});
  return result;
}

void Expr::print(llvm::raw_ostream &out) const { out << text(); }

std::string Expr::text() const {
  SmallVector<std::pair<std::string, int>> stack;
  for (const Term &term : terms) {
    if (term.op == Kind::Constant) {
      stack.emplace_back(std::to_string(term.value), 3);
      continue;
    }
    if (term.op == Kind::Dim) {
      stack.emplace_back(term.dim.str(), 3);
      continue;
    }
    auto [right, rightPrecedence] = stack.pop_back_val();
    auto [left, leftPrecedence] = stack.pop_back_val();
    Spelling spelling = spellingOf(term.op);
    if (spelling.precedence == 3) {
      stack.emplace_back(spelling.text.str() + "(" + left + ", " + right + ")", 3);
      continue;
    }
    // Left-associative: an equal operator on the right needs its parentheses to come back as it
    // was.
    if (leftPrecedence < spelling.precedence)
      left = "(" + left + ")";
    if (rightPrecedence <= spelling.precedence)
      right = "(" + right + ")";
    stack.emplace_back(left + spelling.text.str() + right, spelling.precedence);
  }
  return stack.empty() ? "0" : stack.back().first;
}

//===--- the attribute's text
//-----------------------------------------------------------------------------===//

namespace {

class ExprParser {
public:
  explicit ExprParser(AsmParser &parser) : parser(parser) {}

  FailureOr<Expr> sum() {
    FailureOr<Expr> left = product();
    while (succeeded(left)) {
      bool plus = succeeded(parser.parseOptionalPlus());
      if (!plus && failed(parser.parseOptionalMinus()))
        break;
      FailureOr<Expr> right = product();
      if (failed(right))
        return failure();
      left = plus ? *left + *right : *left - *right;
    }
    return left;
  }

private:
  FailureOr<Expr> product() {
    FailureOr<Expr> left = primary();
    while (succeeded(left) && succeeded(parser.parseOptionalStar())) {
      FailureOr<Expr> right = primary();
      if (failed(right))
        return failure();
      left = *left * *right;
    }
    return left;
  }

  FailureOr<Expr> primary() {
    int64_t constant = 0;
    if (OptionalParseResult result = parser.parseOptionalInteger(constant); result.has_value())
      return failed(*result) ? FailureOr<Expr>(failure()) : FailureOr<Expr>(Expr(constant));
    if (succeeded(parser.parseOptionalLParen())) {
      FailureOr<Expr> inner = sum();
      return failed(inner) || parser.parseRParen() ? FailureOr<Expr>(failure()) : inner;
    }
    SMLoc where = parser.getCurrentLocation();
    std::string name;
    if (parser.parseKeywordOrString(&name))
      return failure();
    if (failed(parser.parseOptionalLParen()))
      return Expr::dim(StringAttr::get(parser.getContext(), name));
    return function(where, name);
  }

  FailureOr<Expr> function(SMLoc where, StringRef name) {
    FailureOr<Expr> a = sum();
    if (failed(a) || parser.parseComma())
      return failure();
    FailureOr<Expr> b = sum();
    if (failed(b) || parser.parseRParen())
      return failure();
    for (Kind op : {Kind::Min, Kind::Max, Kind::CeilDiv, Kind::AlignUp})
      if (spellingOf(op).text == name) {
        switch (op) {
        case Kind::Min:
          return min(*a, *b);
        case Kind::Max:
          return max(*a, *b);
        case Kind::CeilDiv:
          return ceilDiv(*a, *b);
        default:
          return alignUp(*a, *b);
        }
      }
    parser.emitError(where, "'") << name << "' is none of min, max, ceil_div and align";
    return failure();
  }

  AsmParser &parser;
};

} // namespace

Attribute ExprAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<Expr> expr = ExprParser(parser).sum();
  if (failed(expr) || parser.parseGreater())
    return {};
  return expr->toAttribute(parser.getContext());
}

void ExprAttr::print(AsmPrinter &printer) const { printer << '<' << Expr::of(*this).text() << '>'; }
