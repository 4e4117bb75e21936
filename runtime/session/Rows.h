// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the bytes of a cached row lie (kernel_abi.h): the one place of the runtime that knows the
// layouts of caches.
#ifndef GLM_RUNTIME_SESSION_ROWS_H
#define GLM_RUNTIME_SESSION_ROWS_H

#include "runtime/session/Session.h"

namespace glm::runtime {

inline uint8_t *pageOf(const glm_session &session, uint32_t state, int64_t page) {
  const schema::State &form = *session.model->program().states()->Get(state);
  return session.views[state].base + uint64_t(page) * pageBytes(form);
}

/// Calls `piece` for the parts of a row, in the order of its columns, with address and size.
template <typename Piece>
void eachPiece(const glm_session &session, uint32_t state, int32_t slot, int64_t position,
               const Piece &piece) {
  const schema::State &form = *session.model->program().states()->Get(state);
  int64_t row = position % session.caches.form().pageRows, bytes = form.row_bytes();
  uint8_t *page = pageOf(session, state, session.caches.pageOf(slot, position));
  if (form.layout() == 0)
    return piece(page + row * bytes, uint64_t(bytes));
  for (int64_t line = 0; line < bytes / 4; ++line)
    piece(page + row / 16 * 16 * bytes + line * 64 + row % 16 * 4, uint64_t(4));
}

} // namespace glm::runtime

#endif
