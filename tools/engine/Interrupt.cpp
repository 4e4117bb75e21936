// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Interrupt.h"

#include "tools/engine/Failure.h"

#include <csignal>

namespace glm::tool {
namespace {

volatile int32_t interrupted = 0;
glm_session *volatile stepping = nullptr;

void onInterrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
  if (stepping)
    glm_session_cancel(stepping);
}

} // namespace

Interrupt::Interrupt(glm_session *session) {
  interrupted = 0;
  stepping = session;
  std::signal(SIGINT, onInterrupt);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, SIG_DFL);
  stepping = nullptr;
}

bool Interrupt::happened() const { return interrupted != 0; }

const volatile int32_t *Interrupt::flag() const { return &interrupted; }

void Interrupt::check() const {
  if (happened())
    throw Failure(Code::Interrupted, "interrupted", "no output was written", "", 130);
}

} // namespace glm::tool
