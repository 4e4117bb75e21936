// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include <cstdlib>
#include <cstring>
#include <map>

using namespace toy;

namespace {

/// Fails the n-th allocation, checks the contract of the callbacks and remembers what is out.
struct Heap {
  int failAt = -1;
  int count = 0;
  std::map<void *, size_t> out;

  static void *allocate(void *user, size_t size, size_t alignment) {
    auto &heap = *static_cast<Heap *>(user);
    if (heap.count++ == heap.failAt)
      return nullptr;
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    memset(memory, 0xaa, size); // nothing may rely on zeros
    heap.out[memory] = size;
    return memory;
  }
  static void release(void *user, void *memory, size_t size) {
    auto &heap = *static_cast<Heap *>(user);
    ASSERT_EQ(heap.out.count(memory), 1u);
    EXPECT_EQ(heap.out[memory], size);
    heap.out.erase(memory);
    free(memory);
  }
  glm_runtime_options options(int32_t threads) {
    return {.threads = threads, .allocate = allocate, .release = release, .user = this};
  }
};

} // namespace

// Whichever allocation fails, the call says so, gives back what it had, and a second try works.
TEST(Allocation, FailsAtEvery) {
  File file(build());
  int allocations = 0;
  for (int failAt = -1; failAt < allocations || failAt < 0; ++failAt) {
    Heap heap;
    heap.failAt = failAt;
    glm_runtime_options options = heap.options(2);
    glm_model_options copied = {.weights_memory = GLM_WEIGHTS_COPY};
    glm_runtime *runtime = nullptr;
    glm_model *model = nullptr;
    glm_session *session = nullptr;
    glm_status status = glm_runtime_create(&options, &runtime);
    if (status.code == GLM_OK)
      status = glm_model_load(runtime, file.path(), &copied, &model);
    if (status.code == GLM_OK)
      status = glm_session_create(model, nullptr, &session);
    if (failAt < 0) {
      ASSERT_EQ(status.code, GLM_OK) << status.message;
      EXPECT_EQ(feed(session, 0, {1, 2}, 0).code, GLM_OK);
      EXPECT_EQ(floats(session, "logits"), referenceLogits({1, 2}));
      allocations = heap.count;
      EXPECT_GE(allocations, 4); // runtime, model, weights, session
    } else {
      EXPECT_EQ(status.code, GLM_OUT_OF_MEMORY) << failAt;
      EXPECT_NE(status.message[0], 0);
    }
    glm_session_destroy(session);
    glm_model_destroy(model);
    glm_runtime_destroy(runtime);
    EXPECT_TRUE(heap.out.empty()) << failAt;
  }
}

// Steps allocate nothing, and a session is one block of the size that was measured.
TEST(Allocation, OneBlockASession) {
  Heap heap;
  File file(build());
  glm_runtime_options options = heap.options(2);
  glm_runtime *runtime = nullptr;
  glm_model *model = nullptr;
  glm_session *session = nullptr;
  ASSERT_EQ(glm_runtime_create(&options, &runtime).code, GLM_OK);
  ASSERT_EQ(glm_model_load(runtime, file.path(), nullptr, &model).code, GLM_OK);
  glm_session_options sizes = {.max_rows = 4, .slots = 2, .context = 33, .profile = 1};
  glm_memory_sizes measured;
  ASSERT_EQ(glm_session_measure(model, &sizes, &measured).code, GLM_OK);
  int before = heap.count;
  ASSERT_EQ(glm_session_create(model, &sizes, &session).code, GLM_OK);
  EXPECT_EQ(heap.count, before + 1);
  EXPECT_EQ(heap.out[session], measured.total);
  EXPECT_EQ(measured.caches,
            2u * 2 * 3 * pageRows * width * 4); // two states, two slots of three pages
  EXPECT_EQ(measured.bytes_per_position, 2u * width * 4);
  EXPECT_GE(measured.total, measured.arena + measured.scratch + measured.caches + measured.tables);
  for (int32_t i = 0; i < 20; ++i)
    ASSERT_EQ(feed(session, 1, {i % vocabulary}, i).code, GLM_OK);
  EXPECT_EQ(heap.count, before + 1);
  glm_session_destroy(session);
  glm_model_destroy(model);
  glm_runtime_destroy(runtime);
}

// Sizes that cannot be, and bounds of the artifact, are refused before anything is allocated.
TEST(Allocation, BadSizes) {
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  auto code = [&](glm_session_options options) {
    glm_memory_sizes sizes;
    return glm_session_measure(toy.model, &options, &sizes).code;
  };
  EXPECT_EQ(code({}), GLM_OK);
  EXPECT_EQ(code({.max_rows = maxRows + 1}), GLM_INVALID_ARGUMENT);
  EXPECT_EQ(code({.slots = -1}), GLM_INVALID_ARGUMENT);
  EXPECT_EQ(code({.context = maxContext + 1}), GLM_INVALID_ARGUMENT);
  EXPECT_EQ(code({.pages = 5}), GLM_INVALID_ARGUMENT);
  glm_dim height = {"height", 3}, slots = {"slots", 2};
  EXPECT_EQ(code({.dims = &height, .dim_count = 1}), GLM_INVALID_ARGUMENT);
  EXPECT_EQ(code({.dims = &slots, .dim_count = 1}), GLM_OK);
}

// A buffer that its ports outgrow, sizes that overflow, scratch too small: refused when the
// session's sizes are known.
TEST(Allocation, BadPlans) {
  auto code = [](auto turn) {
    Knobs knobs;
    turn(knobs);
    return Loaded(knobs).status.code;
  };
  EXPECT_EQ(code([](Knobs &) {}), GLM_OK);
  EXPECT_EQ(code([](Knobs &k) { k.rowsBuffer = 8; }), GLM_MALFORMED);
  EXPECT_EQ(code([](Knobs &k) { k.arena = 4096; }), GLM_MALFORMED);
  EXPECT_EQ(code([](Knobs &k) { k.arena = -64; }), GLM_MALFORMED);
  EXPECT_EQ(code([](Knobs &k) { k.exprFactor = INT64_MAX / 16; }), GLM_MALFORMED);
  EXPECT_EQ(code([](Knobs &k) { k.launchScratch = 128; }), GLM_MALFORMED);
  EXPECT_EQ(code([](Knobs &k) { k.arena = 1ll << 60; }), GLM_OUT_OF_MEMORY);
}
