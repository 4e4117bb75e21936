// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Status.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace glm::runtime {

bool fail(glm_status &status, glm_code code, const char *format, ...) {
  status.code = code;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(status.message, sizeof(status.message), format, arguments);
  va_end(arguments);
  for (char *c = status.message; *c; ++c)
    if (static_cast<unsigned char>(*c) < ' ' || *c == 0x7f)
      *c = '?';
  return false;
}

glm_status nullArgument(const char *thing) {
  glm_status status;
  fail(status, GLM_INVALID_ARGUMENT, "%s: an argument is NULL", thing);
  return status;
}

bool failWithReason(glm_status &status, const char *thing, const char *what) {
  int reason = errno;
  char text[128];
  // The GNU form of strerror_r returns the text, which may lie outside of `text`.
  const char *message = strerror_r(reason, text, sizeof(text));
  return fail(status, reason == ENOMEM ? GLM_OUT_OF_MEMORY : GLM_SYSTEM, "%s: %s; %s", thing, what,
              message);
}

} // namespace glm::runtime
