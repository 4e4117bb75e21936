// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one exception of the text room. It never leaves the room: the C interface and
// compileTokenizerTables turn it into a status or an error string. The message is one line without
// a final full stop.
#ifndef GLM_RUNTIME_TEXT_ERROR_H
#define GLM_RUNTIME_TEXT_ERROR_H

#include <stdexcept>
#include <string>

namespace glm::text {

/// Why something failed, coarse enough to be mapped to a status code of the C interface.
enum class ErrorKind {
  Argument,    ///< the caller asked for something that makes no sense
  Format,      ///< a file or a blob is damaged, or is not what it should be
  Unsupported, ///< well-formed, but uses a feature this library does not have
  Model,       ///< the step callback failed, or the logits are not numbers
};

class Error final : public std::runtime_error {
public:
  Error(ErrorKind kind, const std::string &message) : std::runtime_error(message), kind(kind) {}

  const ErrorKind kind;
};

} // namespace glm::text

#endif
