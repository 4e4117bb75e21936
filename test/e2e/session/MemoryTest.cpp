// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a position costs: latent and rotated key in every layer, an index key in those that own an
// indexer, and both in the draft layer. Nothing is padded and no shared layer has index keys.
#include "test/e2e/session/Artifact.h"

using namespace glm;
using namespace glm::e2e;

namespace {

glm_memory_sizes measure(const Artifact &artifact, const glm_session_options &options) {
  glm_memory_sizes sizes = {};
  expectOk(Session::measure(artifact.model, options, sizes));
  return sizes;
}

TEST(Memory, OfAPosition) {
  struct Case {
    const char *name;
    uint64_t element, layers, latent, owners, key;
  };
  const Case cases[] = {
      {"tiny.glm", 4, 4, 24 + 12, 4, 32},     // no draft layer
      {"kept-f32.glm", 4, 5, 24 + 12, 5, 32}, // and one
      {"kept.glm", 2, 5, 24 + 12, 5, 32},
      {"shared.glm", 4, 7, 26 + 10, 5, 16}, // F F F S F S, and the draft layer
      {"shared-bf16.glm", 2, 7, 26 + 10, 5, 16},
      {"demo-bf16.glm", 2, 6, 64 + 16, 4, 32}, // F F S F S, and the draft layer
  };
  for (const Case &c : cases) {
    glm_memory_sizes sizes = measure(Artifact(c.name), {.context = 80});
    EXPECT_EQ(sizes.bytes_per_position, c.element * (c.layers * c.latent + c.owners * c.key))
        << c.name;
  }
}

// Slots take whole pages, however many positions of the last one they use.
TEST(Memory, OfCaches) {
  Artifact artifact("kept-f32.glm");
  uint64_t page = uint64_t(artifact.model.info().page_rows), row = 4 * 5 * (36 + 32);
  EXPECT_EQ(measure(artifact, {.context = 1}).caches, page * row);
  EXPECT_EQ(measure(artifact, {.context = int64_t(page)}).caches, page * row);
  EXPECT_EQ(measure(artifact, {.slots = 3, .context = int64_t(page) + 1}).caches, 6 * page * row);
  EXPECT_EQ(measure(artifact, {.slots = 3, .context = int64_t(page) + 1, .pages = 4}).caches,
            4 * page * row);
}

// Logits take room for 64 rows unless a session asks for more, and never for more rows than there
// are.
TEST(Memory, OfLogits) {
  Artifact artifact("kept-f32.glm");
  auto arena = [&](int64_t rows, int64_t logitRows) {
    glm_dim dim = {"max_logit_rows", logitRows};
    return int64_t(
        measure(artifact, {.max_rows = rows, .dims = &dim, .dim_count = logitRows > 0}).arena);
  };
  int64_t row = (arena(1000, 1000) - arena(1000, 1)) / 999;
  EXPECT_GE(row, 761 * 4);
  EXPECT_LE(row, 2 * 761 * 4);
  EXPECT_EQ(arena(1000, 0), arena(1000, 64));
  EXPECT_EQ(arena(8, 0), arena(8, 8));
  EXPECT_EQ(arena(8, 1000), arena(8, 8));
  EXPECT_EQ(arena(8, 8) - arena(8, 1), 7 * row);
}

} // namespace
