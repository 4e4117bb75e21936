// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A coded error travels through MLIR as text that starts with "[GLMnnnn]: "; the collector finds
// the code again by that prefix, so passes need no side channel.
#include "compiler/diagnostics/MlirDiagnostic.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

namespace glm {
namespace {

constexpr std::string_view prefix = "[GLM";

/// "[GLM0302]: thing: what" → diagnostic with an empty thing and the rest as `what`.
std::optional<Diagnostic> parseCoded(std::string_view text) {
  size_t start = text.find(prefix);
  if (start == std::string_view::npos || text.size() < start + 11 ||
      text.substr(start + 8, 3) != "]: ")
    return std::nullopt;
  unsigned number = 0;
  for (char c : text.substr(start + prefix.size(), 4)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return Diagnostic{static_cast<Code>(number), "", std::string(text.substr(start + 11)), ""};
}

std::string render(mlir::Diagnostic &diagnostic) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!mlir::isa<mlir::UnknownLoc>(diagnostic.getLocation()))
    os << diagnostic.getLocation() << ": ";
  os << diagnostic;
  return text;
}

/// The path in the model that an op has as its name, or the location as it is printed.
std::string placeOf(mlir::Location location) {
  if (auto named = mlir::dyn_cast<mlir::NameLoc>(location))
    return named.getName().str();
  std::string text;
  llvm::raw_string_ostream(text) << location;
  return text;
}

} // namespace

mlir::InFlightDiagnostic emitCoded(mlir::Location loc, const Diagnostic &diagnostic) {
  std::string text = toText(diagnostic, "");
  return mlir::emitError(loc) << text;
}

mlir::InFlightDiagnostic emitCoded(mlir::Operation *op, const Diagnostic &diagnostic) {
  return emitCoded(op->getLoc(), diagnostic);
}

DiagnosticCollector::DiagnosticCollector(mlir::MLIRContext *context)
    : handler(context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          errors.push_back(render(diagnostic));
        else if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning)
          warnings.push_back(render(diagnostic));
        else if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark)
          decisions.push_back({placeOf(diagnostic.getLocation()), diagnostic.str()});
        return mlir::success();
      }) {}

absl::Status DiagnosticCollector::error(const Diagnostic &fallback) const {
  for (const std::string &text : errors)
    if (std::optional<Diagnostic> coded = parseCoded(text))
      return toStatus(*coded);
  if (errors.empty())
    return toStatus(fallback);
  return toStatus({fallback.code, fallback.thing, errors.front(), fallback.remedy});
}

void DiagnosticCollector::flushWarnings(std::FILE *stream) {
  for (const std::string &text : warnings) {
    if (std::optional<Diagnostic> coded = parseCoded(text))
      reportWarning(*coded, stream);
    else
      std::fprintf(stream, "warning: %s\n", text.c_str());
  }
  warnings.clear();
}

} // namespace glm
