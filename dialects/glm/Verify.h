// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the verifiers of all chapters ask: does this value have that shape? `any` stands for a size
// that is not known or does not matter; a dynamic size agrees with every other.
#ifndef GLM_DIALECTS_GLM_VERIFY_H
#define GLM_DIALECTS_GLM_VERIFY_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace glm::model {

inline constexpr int64_t any = mlir::ShapedType::kDynamic;

/// Size `index` of a ranked type; negative indices count from the last.
int64_t sizeOf(mlir::Type type, int index);

/// `a` and `b` may be the same number at run time.
inline bool agree(int64_t a, int64_t b) { return a == b || a == any || b == any; }

/// The sum or product of two sizes, unknown when one of them is.
inline int64_t sum(int64_t a, int64_t b) { return a == any || b == any ? any : a + b; }
inline int64_t product(int64_t a, int64_t b) { return a == any || b == any ? any : a * b; }

/// Error `<name> is [?, 39], expected [?, 40]` unless the shape agrees.
mlir::LogicalResult checkShape(mlir::Operation *op, llvm::StringRef name, mlir::Type type,
                               llvm::ArrayRef<int64_t> expected);

/// Error `<name> has elements of bf16, expected f32` unless they are equal.
mlir::LogicalResult checkElement(mlir::Operation *op, llvm::StringRef name, mlir::Type type,
                                 mlir::Type expected);

/// Error unless the elements of `type` are f32 or f64: what sums are taken in.
mlir::LogicalResult checkSum(mlir::Operation *op, mlir::Type type);

/// Error unless a product may multiply elements of `x` by those of `weight`: numbers by numbers or
/// by codes of numbers, integer codes by integer codes.
mlir::LogicalResult checkFactors(mlir::Operation *op, mlir::Type x, mlir::Type weight);

/// Error `<name> must be greater than <bound>, is <value>` unless it is, and finite.
mlir::LogicalResult checkAbove(mlir::Operation *op, llvm::StringRef name, llvm::APFloat value,
                               double bound);

/// Error unless `groups` divides the experts and the `kept` ones have `topK` to choose from.
mlir::LogicalResult checkGroups(mlir::Operation *op, int64_t groups, int64_t kept, int64_t experts,
                                int64_t topK);

/// All sizes of `type` but the last, then `last`: the shape of a value that differs in width only.
llvm::SmallVector<int64_t> withWidth(mlir::Type type, int64_t last);

} // namespace glm::model

#endif
