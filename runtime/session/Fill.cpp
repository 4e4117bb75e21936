// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Caches as a long text would leave them, without running it: measurements at a context of 128 Ki
// positions need them in a second.
#include "runtime/session/Rows.h"

#include <cstring>

using namespace glm;
using namespace glm::runtime;

namespace {

/// Sixty-four bits at a time of elements with magnitudes from 0.5 to 1: exponent bits fixed, the
/// others random.
class Numbers {
public:
  Numbers(uint64_t seed, schema::Dtype dtype) : state(seed * 0x9e3779b97f4a7c15 + 1) {
    static constexpr uint32_t kept[] = {0x807fffff, 0x807f807f, 0x83ff83ff, 0x87878787};
    static constexpr uint32_t fixed[] = {0x3f000000, 0x3f003f00, 0x38003800, 0x30303030};
    static_assert(int(schema::Dtype::f32) == 0 && int(schema::Dtype::f16) == 2);
    bool eightBits = dtype == schema::Dtype::f8e4m3;
    if (dtype > schema::Dtype::f16 && !eightBits) // integers: any bits
      return;
    size_t form = eightBits ? 3 : size_t(dtype);
    keep = kept[form] | uint64_t(kept[form]) << 32;
    set = fixed[form] | uint64_t(fixed[form]) << 32;
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

glm_status glm_session_fill(glm_session *session, int32_t slot, int64_t length, uint64_t seed) {
  if (!session)
    return nullArgument("session");
  glm_status status = okStatus();
  Caches &caches = session->caches;
  if (!caches.admitLength(slot, length, status) || !caches.reserve(status))
    return status;
  for (uint32_t i = 0; i < session->views.size(); ++i)
    for (int64_t position = caches.length(slot); position < length; ++position) {
      Numbers numbers(seed ^ uint64_t(position) << 20 ^ uint64_t(slot) << 44 ^ i,
                      session->model->program().states()->Get(i)->dtype());
      eachPiece(*session, i, slot, position,
                [&](uint8_t *piece, uint64_t size) { numbers.fill(piece, size); });
    }
  caches.commit(true);
  return status;
}
