// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ctrl-C while something long runs. The first one asks for an end: it sets a flag and makes the
// step that runs give up (glm_session_cancel may be called from a signal handler). A second one
// ends the process, as does any outside the life of an Interrupt.
#ifndef GLM_TOOLS_ENGINE_INTERRUPT_H
#define GLM_TOOLS_ENGINE_INTERRUPT_H

#include "glm/runtime.h"

namespace glm::tool {

/// One at a time; on the stack of the thread that steps.
class Interrupt {
public:
  /// `session` lives longer than this does.
  explicit Interrupt(glm_session *session);
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  bool happened() const;
  /// For glm_generation_options::cancel.
  const volatile int32_t *flag() const;
  /// Throws a Failure with exit code 130 after Ctrl-C.
  void check() const;
};

} // namespace glm::tool

#endif
