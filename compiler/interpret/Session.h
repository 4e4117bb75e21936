// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module as a model that can be asked: entries by name, arguments and results by the names the
// module gives them (`glm.name`), caches kept between calls. Hides what numbers are computed in.
#ifndef GLM_COMPILER_INTERPRET_SESSION_H
#define GLM_COMPILER_INTERPRET_SESSION_H

#include "compiler/interpret/Data.h"

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace glm::interpret {

/// A tensor outside the interpreter: real numbers (exact for every element type) or integers.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> reals;
  std::vector<int32_t> integers;
};
using Arrays = std::map<std::string, Array>;

class Session {
public:
  /// `module` outlives the session; `folder` holds the files its weights name. With `f64` all
  /// arithmetic is f64.
  static std::unique_ptr<Session> open(mlir::ModuleOp module, const std::filesystem::path &folder,
                                       bool f64);
  virtual ~Session() = default;

  virtual bool has(const std::string &entry) = 0;

  /// Calls an entry with a batch and its other arguments by name. Each position of a slot needs
  /// those in front of it, from earlier calls or the same. Errors: GLM0404 an argument is missing,
  /// GLM0400 an op refused, GLM0101-0113 weights.
  virtual absl::StatusOr<Arrays> run(const std::string &entry, const Rows &rows,
                                     const Arrays &arguments) = 0;
};

} // namespace glm::interpret

#endif
