// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the tools that run artifacts fail: one thrown Failure, printed by main as one line.
#ifndef GLM_TOOLS_ENGINE_FAILURE_H
#define GLM_TOOLS_ENGINE_FAILURE_H

#include "glm/runtime.h"
#include "tools/npy/Npy.h"

#include <functional>
#include <stdexcept>
#include <string>

namespace glm::tool {

/// Codes of the command line (compiler/diagnostics/Catalogue.def holds their pages).
enum class Code {
  BadArguments = 1,
  InputMissing = 2,
  FlagsConflict = 3,
  OutputUnwritable = 6,
  Interrupted = 7
};

/// What ends a tool. `what()` is the line `error[GLMnnnn]: thing: rule, numbers; remedy`.
class Failure : public std::runtime_error {
public:
  explicit Failure(const std::string &line, int exitCode = 1)
      : std::runtime_error(line), exitCode(exitCode) {}
  Failure(Code code, const std::string &thing, const std::string &what,
          const std::string &remedy = "", int exitCode = 1);
  int exitCode = 1;
};

/// Throws what went wrong, if anything did.
void check(const glm_status &status);
void check(const std::optional<npy::Error> &error);

/// The body of main: runs `work`, prints a Failure as one line and gives the exit code. Standard
/// output that could not be written is a Failure too.
int guarded(const char *tool, const std::function<int()> &work);

} // namespace glm::tool

#endif
