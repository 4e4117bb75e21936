// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the runtime's own code reports failure: a function returns false after `fail` has filled the
// caller's status. One line, "thing: rule, numbers; remedy"; the first failure is the one the user
// sees.
#ifndef GLM_RUNTIME_CORE_STATUS_H
#define GLM_RUNTIME_CORE_STATUS_H

#include "glm/runtime.h"

namespace glm::runtime {

/// Fills `status` and returns false. Control characters in what is printed become '?', so that it
/// stays one line.
[[gnu::format(printf, 3, 4), gnu::cold]] bool fail(glm_status &status, glm_code code,
                                                   const char *format, ...);

/// As `fail`, with the reason of `errno` after "; ".
[[gnu::cold]] bool failWithReason(glm_status &status, const char *thing, const char *what);

/// What a call gives back that was given NULL where that is not allowed.
[[gnu::cold]] glm_status nullArgument(const char *thing);

inline glm_status okStatus() {
  glm_status status;
  status.code = GLM_OK;
  status.message[0] = 0;
  return status;
}

} // namespace glm::runtime

#endif
