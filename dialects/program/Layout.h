// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many bytes memory of the kernel dialect takes. One definition for planning, packing and
// writing.
#ifndef GLM_DIALECTS_PROGRAM_LAYOUT_H
#define GLM_DIALECTS_PROGRAM_LAYOUT_H

#include "dialects/kernel/Kernel.h"

namespace glm::program {

/// Bytes of one element: 1 for i1 and i8, 2 for bf16, f16 and i16, 4, 8.
int64_t elementBytes(mlir::Type type);

/// Bytes of one matrix `[rows, columns]` in `layout` (row-major when null): panels are padded to
/// whole ones.
int64_t matrixBytes(int64_t rows, int64_t columns, mlir::Type element, mlir::Attribute layout);

/// Bytes of everything behind the first dimension of a buffer without layout:
/// `bytesPerRow(<?x3x36xf32>) = 432`.
int64_t bytesPerRow(kernel::BufferType type);

/// Bytes of a static buffer in its layout.
int64_t packedBytes(kernel::BufferType type);

/// Bytes of one expert of a bank in its layout, not rounded up.
int64_t expertBytes(kernel::BankType type);

/// Bytes of one cached row.
int64_t rowBytes(kernel::CacheType type);

/// Equal but for dimensions of one: the same memory, where it is row-major.
bool differInOnes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// What the artifact calls a layout: "rows", "panels<64,2>", "lines<16>".
std::string layoutName(mlir::Attribute layout);

/// Alignment of buffers and weights, of expert slabs, and of weight segments, in bytes.
inline constexpr int64_t lineBytes = 64, slabAlignment = 4096, hugePageBytes = int64_t(2) << 20;

} // namespace glm::program

#endif
