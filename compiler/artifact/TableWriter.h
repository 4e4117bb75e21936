// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the parts of buildProgram share: the builder and the index of every symbol in its table.
// Internal to this folder.
#ifndef GLM_COMPILER_ARTIFACT_TABLEWRITER_H
#define GLM_COMPILER_ARTIFACT_TABLEWRITER_H

#include "dialects/program/Program.h"

#include "runtime/schema/program_generated.h"

namespace glm::artifact {

template <typename T> using Offset = flatbuffers::Offset<T>;
template <typename T> using Offsets = std::vector<Offset<T>>;

class TableWriter {
public:
  explicit TableWriter(mlir::ModuleOp module);

  flatbuffers::FlatBufferBuilder builder;
  mlir::ModuleOp module;

  /// Index in its table of the symbol, which the place phase has checked to exist.
  uint32_t indexOf(llvm::StringRef symbol) const { return indices.lookup(symbol); }

  Offset<flatbuffers::String> string(llvm::StringRef text) {
    return builder.CreateString(text.data(), text.size());
  }
  Offset<schema::Expr> expr(const program::Expr &expr);
  Offset<schema::Expr> expr(program::ExprAttr attribute) {
    return expr(program::Expr::of(attribute));
  }
  /// A cost of a launch: its dims are numbers in `counts`. Null for none.
  Offset<schema::Expr> cost(program::ExprAttr attribute);

  /// Names that costs were written with.
  llvm::SmallVector<mlir::StringAttr> counts;

  static schema::Dtype dtypeOf(mlir::Type type);

private:
  Offset<schema::Expr> expr(const program::Expr &expr,
                            llvm::function_ref<int64_t(mlir::StringAttr)> numberOf);

  llvm::StringMap<uint32_t> indices;
};

/// Entries with their ports, buffers and commands (Commands.cpp).
Offset<schema::Entry> writeEntry(TableWriter &writer, program::EntryOp entry);

} // namespace glm::artifact

#endif
