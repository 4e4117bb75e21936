// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The owner of the shared precompiled header: MLIR libraries reuse what was built for this file.

namespace glm {
/// Gives the object file a symbol, so that no tool takes it for an empty one.
extern const int precompiledHeaderOwner;
const int precompiledHeaderOwner = 1;
} // namespace glm
