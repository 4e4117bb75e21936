// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bridge between coded errors and MLIR's diagnostics. A pass reports with `emitCoded(op, …)`; a
// tool wraps parsing, verification and pass managers in a `DiagnosticCollector`, which keeps what
// MLIR would have printed over several lines and gives back one absl::Status for `report`.
#ifndef GLM_COMPILER_DIAGNOSTICS_MLIRDIAGNOSTIC_H
#define GLM_COMPILER_DIAGNOSTICS_MLIRDIAGNOSTIC_H

#include "compiler/diagnostics/Diagnostic.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

#include <vector>

namespace glm {

/// Emits `[GLMnnnn]: thing: what; remedy` as an error at `op`. Converts to failure().
mlir::InFlightDiagnostic emitCoded(mlir::Operation *op, const Diagnostic &diagnostic);
mlir::InFlightDiagnostic emitCoded(mlir::Location loc, const Diagnostic &diagnostic);

/// Collects the diagnostics of a context while it lives; install one per thread of control. Notes
/// are dropped from the single line, warnings are printed by `flushWarnings`.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// The first error seen, or `fallback` when something failed without saying why. An error that
  /// was emitted with a code keeps it; another takes `fallback`'s code and thing, its text and
  /// location.
  absl::Status error(const Diagnostic &fallback) const;

  bool sawError() const { return !errors.empty(); }

  /// Remarks seen so far: what a pass decided, and where.
  struct Remark {
    std::string where, text;
  };
  llvm::ArrayRef<Remark> remarks() const { return decisions; }

  /// Prints collected warnings, one line each, and forgets them.
  void flushWarnings(std::FILE *stream = stderr);

private:
  std::vector<std::string> errors, warnings;
  std::vector<Remark> decisions;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace glm

#endif
