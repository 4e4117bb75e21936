// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes that depend on dimensions: postfix code over int64 (schema: Expr). A check at load time
// makes evaluation unable to go wrong but in arithmetic; the arithmetic reports overflow instead of
// wrapping.
#ifndef GLM_RUNTIME_CORE_EXPRESSION_H
#define GLM_RUNTIME_CORE_EXPRESSION_H

#include "runtime/artifact/Program.h"

namespace glm::runtime {

inline constexpr int expressionDepth = 32;
inline constexpr size_t maxDims = 64;

/// Null, or the rule that `expression` breaks: known operations, dims below `dimCount`, at most 32
/// values on the stack, one left.
const char *checkExpression(const schema::Expr &expression, size_t dimCount);

/// The value of a checked expression. Null, or what went wrong ("overflow", …).
const char *evaluate(const schema::Expr &expression, const int64_t *dims, int64_t &value);

/// As `evaluate`; a negative value is wrong too.
const char *evaluateSize(const schema::Expr &expression, const int64_t *dims, int64_t &value);

/// The dim an expression consists of, or -1.
int bareDim(const schema::Expr &expression);

} // namespace glm::runtime

#endif
