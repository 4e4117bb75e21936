// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Caches as a long text would leave them, without running it: measurements at a context of 128 Ki
// positions need them in a second.
#include "runtime/session/Session.h"

#include <cstring>

using namespace glm;
using namespace glm::runtime;

namespace {

/// Sixty-four bits at a time of elements with magnitudes from 0.5 to 1: exponent bits fixed, the
/// others random.
class Numbers {
public:
  Numbers(uint64_t seed, schema::Dtype dtype) : state(seed * 0x9e3779b97f4a7c15 + 1) {
    switch (dtype) {
    case schema::Dtype::f32:
      keep = 0x807fffff807fffff, set = 0x3f0000003f000000;
      break;
    case schema::Dtype::bf16:
      keep = 0x807f807f807f807f, set = 0x3f003f003f003f00;
      break;
    case schema::Dtype::f16:
      keep = 0x83ff83ff83ff83ff, set = 0x3800380038003800;
      break;
    case schema::Dtype::f8e4m3:
      keep = 0x8787878787878787, set = 0x3030303030303030;
      break;
    case schema::Dtype::f64:
      keep = 0x800fffffffffffff, set = 0x3fe0000000000000;
      break;
    default:
      break;
    }
  }

  void fill(uint8_t *bytes, uint64_t size) {
    for (uint64_t i = 0; i < size; i += 8) {
      uint64_t number = next();
      memcpy(bytes + i, &number, size - i < 8 ? size - i : 8);
    }
  }

private:
  uint64_t next() { // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return ((z ^ z >> 31) & keep) | set;
  }

  uint64_t state;
  uint64_t keep = ~uint64_t(0), set = 0;
};

} // namespace

static void fillRow(const schema::State &state, uint8_t *page, int64_t row, Numbers &numbers) {
  if (state.layout() == 0) {
    numbers.fill(page + row * state.row_bytes(), uint64_t(state.row_bytes()));
    return;
  }
  uint8_t *group = page + row / 16 * 16 * state.row_bytes();
  for (int64_t line = 0; line < state.row_bytes() / 4; ++line)
    numbers.fill(group + line * 64 + row % 16 * 4, 4);
}

glm_status glm_session_fill(glm_session *session, int32_t slot, int64_t length, uint64_t seed) {
  glm_status status = okStatus();
  if (!session) {
    fail(status, GLM_INVALID_ARGUMENT, "session: is NULL");
    return status;
  }
  Caches &caches = session->caches;
  if (!caches.admitLength(slot, length, status) || !caches.reserve(status))
    return status;
  const schema::Program &program = session->model->program();
  for (uint32_t i = 0; i < session->views.size(); ++i) {
    const schema::State &state = *program.states()->Get(i);
    for (int64_t position = caches.length(slot); position < length; ++position) {
      Numbers numbers(seed ^ uint64_t(position) << 20 ^ uint64_t(slot) << 44 ^ i, state.dtype());
      uint8_t *page =
          session->views[i].base + uint64_t(caches.pageOf(slot, position)) * pageBytes(state);
      fillRow(state, page, position % caches.form().pageRows, numbers);
    }
  }
  caches.commit(true);
  return status;
}
