// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A placed and linked module as the flatbuffer of runtime/schema/program.fbs. Symbols become
// indices of tables, values become indices of buffers; nothing is decided here.
#ifndef GLM_COMPILER_ARTIFACT_TABLES_H
#define GLM_COMPILER_ARTIFACT_TABLES_H

#include "compiler/artifact/Packing.h"

#include "mlir/IR/BuiltinOps.h"

namespace glm::artifact {

/// Where a segment lies in the file. The index in the table is that of `program.segment`s in the
/// module.
struct SegmentPlace {
  uint64_t offset = 0, size = 0;
  Hash hash;
};

struct SourceFile {
  std::string name;
  uint64_t bytes = 0;
  Hash hash;
};

struct Provenance {
  std::string compiler, commit, precision, recipe;
  std::vector<std::string> flags;
  std::vector<SourceFile> files;
  uint64_t schemaHash = 0;
};

/// The finished flatbuffer. Its size does not depend on offsets, sizes and hashes, so that it can
/// be built once to learn it and once more when they are known.
std::string buildProgram(mlir::ModuleOp module, const std::vector<SegmentPlace> &places,
                         const Provenance &provenance);

} // namespace glm::artifact

#endif
