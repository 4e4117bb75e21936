// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Restores a snapshot of the toy whose bytes were changed and whose hash was made right again.
#include "runtime/schema/snapshot.h"
#include "test/fuzz/Input.h"
#include "test/runtime/fixture/Toy.h"

#include <xxhash.h>

namespace {

struct Saved {
  toy::Loaded toy;
  std::vector<uint8_t> bytes;
  Saved() : toy({}, {.slots = 2}, {.threads = 1}) {
    std::string path = "/tmp/fuzz-" + std::to_string(getpid());
    glm_session_fill(toy.session, 0, 40, 1);
    if (glm_session_save(toy.session, 0, path.c_str()).code != GLM_OK)
      abort();
    bytes.resize(sizeof(glm_snapshot_header) + 2 * 8 + 40 * 2 * 16);
    FILE *file = fopen(path.c_str(), "rb");
    if (!file || fread(bytes.data(), 1, bytes.size(), file) != bytes.size())
      abort();
    fclose(file);
    unlink(path.c_str());
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  static Saved saved;
  static fuzz::File file;
  std::vector<uint8_t> bytes = saved.bytes;
  if (size) {
    bytes.resize(bytes.size() - *input++ % 2 * 32); // one row less in both caches
    fuzz::change(input, size - 1, bytes.data(), bytes.size());
  }
  auto &header = *reinterpret_cast<glm_snapshot_header *>(bytes.data());
  XXH128_hash_t hash = XXH3_128bits(bytes.data() + GLM_SNAPSHOT_HASHED_FROM,
                                    bytes.size() - GLM_SNAPSHOT_HASHED_FROM);
  header.hash_low = hash.low64;
  header.hash_high = hash.high64;
  file.resize(bytes.size());
  file.write(bytes.data(), bytes.size());
  if (glm_session_restore(saved.toy.session, 1, file.path().c_str()).code == GLM_OK)
    glm_session_release(saved.toy.session, 1);
  if (glm_session_length(saved.toy.session, 1) != 0)
    abort();
  return 0;
}
