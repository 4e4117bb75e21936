// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glmc's command line.
#ifndef GLM_TOOLS_GLMC_ARGUMENTS_H
#define GLM_TOOLS_GLMC_ARGUMENTS_H

#include "compiler/pipeline/Compile.h"

#include "absl/status/statusor.h"

namespace glm::glmc {

struct Arguments {
  CompileOptions compile;
  /// A code whose page is printed instead of compiling.
  std::string explain;
  /// --help or --version was answered.
  bool answered = false;
};

/// Errors: GLM0001, GLM0003.
absl::StatusOr<Arguments> parse(int argc, char **argv);

} // namespace glm::glmc

#endif
