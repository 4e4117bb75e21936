// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coded errors. An error a user can cause has a number, and its message says four things: which
// thing (a path, a tensor, a field), which rule, the numbers, and what to do:
//
//   error[GLM0302]: model.layers.3.mlp.gate.weight: shape [8, 64] where config.json implies [8,
//   128]; fetch …
//
// Code that does IO returns absl::Status carrying such a Diagnostic (as its message and, whole, as
// a payload); passes attach the same text to an operation (MlirDiagnostic.h). A tool's main ends
// with `return report(status)`, which prints exactly one line. Everything here is a value without
// threads or state.
#ifndef GLM_COMPILER_DIAGNOSTICS_DIAGNOSTIC_H
#define GLM_COMPILER_DIAGNOSTICS_DIAGNOSTIC_H

#include "absl/status/status.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace glm {

/// The errors of Catalogue.def; the value is the number a user sees.
enum class Code : uint16_t {
#define GLM_DIAGNOSTIC(number, name, rule, page) name = number,
#include "compiler/diagnostics/Catalogue.def"
#undef GLM_DIAGNOSTIC
};

/// One error or warning.
struct Diagnostic {
  Code code;
  /// What is at fault: a path, a tensor's or module's checkpoint name, a field.
  std::string thing;
  /// Which rule is broken, with the numbers. A clause without a full stop.
  std::string what;
  /// What the user can do, an imperative clause; may be empty where nothing can be done.
  std::string remedy;
};

/// "GLM0302".
std::string codeName(Code code);

/// The catalogue's one-line rule.
std::string_view ruleOf(Code code);

/// `error[GLM0302]: thing: what; remedy`, one line whatever the parts hold: control characters are
/// escaped, since they may come from file names or tensor names. `severity` is "error" or
/// "warning".
std::string toText(const Diagnostic &diagnostic, std::string_view severity = "error");

/// `{"severity", "code", "name", "thing", "what", "remedy", "rule"}` on one line.
std::string toJson(const Diagnostic &diagnostic, std::string_view severity = "error");

/// A failed status that carries the diagnostic. Its message is "[GLM0302]: thing: what; remedy".
absl::Status toStatus(const Diagnostic &diagnostic);

/// Shorthand for toStatus of a diagnostic of these four parts.
absl::Status codedError(Code code, std::string thing, std::string what, std::string remedy = {});

/// The diagnostic a status carries, if it was made by toStatus.
std::optional<Diagnostic> diagnosticOf(const absl::Status &status);

/// Prints the single error line of a failed status to `stream` and returns the exit code 1; returns
/// 0 for an OK status and prints nothing. The way every tool ends.
int report(const absl::Status &status, std::FILE *stream = stderr);

/// Prints a warning line (`warning[GLM0110]: …`); the tool goes on.
void reportWarning(const Diagnostic &diagnostic, std::FILE *stream = stderr);

/// The page `--explain GLM0102` prints: code, name, rule and text. Accepts "GLM0102", "glm102" and
/// "102"; nothing for a code that is not in the catalogue.
std::optional<std::string> explain(std::string_view code);

} // namespace glm

#endif
