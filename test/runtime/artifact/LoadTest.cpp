// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/fixture/Toy.h"

#include "glm/glm.hpp"
#include <cstring>
#include <gtest/gtest.h>

// What the artifact says about its model comes out of the API.
TEST(Load, Info) {
  toy::Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_model_info info;
  ASSERT_EQ(glm_model_describe(toy.model, &info).code, GLM_OK);
  EXPECT_STREQ(info.family, "toy");
  EXPECT_STREQ(info.commit, "0");
  EXPECT_STREQ(info.recipe, "");
  EXPECT_STREQ(info.device, "anything");
  EXPECT_EQ(info.vocabulary, toy::vocabulary);
  EXPECT_EQ(info.max_rows, toy::maxRows);
  EXPECT_EQ(info.max_slots, toy::maxSlots);
  EXPECT_EQ(info.max_context, toy::maxContext);
  EXPECT_EQ(info.page_rows, toy::pageRows);
  ASSERT_EQ(info.generation.eos_count, 2u);
  EXPECT_EQ(info.generation.eos[1], 5);
  EXPECT_EQ(info.generation.top_k, 20);
  EXPECT_EQ(info.weight_bytes, toy::weights().size());
  EXPECT_STREQ(glm_model_attribute(toy.model, "note"), "made by hand");
  EXPECT_EQ(glm_model_attribute(toy.model, "nothing"), nullptr);
}

// Entries and ports can be enumerated; a dimension that changes from step to step shows as -1.
TEST(Load, EntriesAndPorts) {
  toy::Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_entry_info entry;
  ASSERT_EQ(glm_model_entry(toy.model, 0, &entry).code, GLM_OK);
  EXPECT_STREQ(entry.name, "step");
  EXPECT_EQ(entry.inputs, 2u);
  glm_tensor port;
  ASSERT_EQ(glm_model_port(toy.model, 0, 0, &port).code, GLM_OK);
  EXPECT_STREQ(port.name, "rows");
  EXPECT_EQ(port.shape[0], -1);
  EXPECT_EQ(port.shape[1], 4);
  ASSERT_EQ(glm_model_port(toy.model, 0, 2, &port).code, GLM_OK);
  EXPECT_STREQ(port.name, "logits");
  EXPECT_EQ(port.dtype, GLM_F32);
  EXPECT_EQ(glm_model_port(toy.model, 0, 99, &port).code, GLM_NOT_FOUND);
  EXPECT_EQ(glm_model_entry(toy.model, 99, &entry).code, GLM_NOT_FOUND);
}

// Tokenizers and blobs are found by name and by number.
TEST(Load, NamedBytes) {
  toy::Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  glm_bytes bytes;
  ASSERT_EQ(glm_model_tokenizer(toy.model, "text", 0, &bytes).code, GLM_OK);
  EXPECT_EQ(std::string(static_cast<const char *>(bytes.data), bytes.size), "tok");
  ASSERT_EQ(glm_model_blob(toy.model, nullptr, 0, &bytes).code, GLM_OK);
  EXPECT_STREQ(bytes.name, "scheduler");
  EXPECT_EQ(glm_model_blob(toy.model, nullptr, 1, &bytes).code, GLM_NOT_FOUND);
  EXPECT_EQ(glm_model_tokenizer(toy.model, "image", 0, &bytes).code, GLM_NOT_FOUND);
}

// Copied weights count as allocated memory and are given back.
TEST(Load, CopiedWeights) {
  toy::File file(toy::build());
  glm::Runtime runtime;
  ASSERT_TRUE(glm::Runtime::create({.threads = 1}, runtime));
  uint64_t before = runtime.statistics().allocated_bytes;
  {
    glm::Model model;
    ASSERT_TRUE(glm::Model::load(runtime, file.path(),
                                 {.weights_memory = GLM_WEIGHTS_COPY, .verify_weights = 1}, model));
    EXPECT_GE(runtime.statistics().allocated_bytes, before + toy::weights().size());
    EXPECT_GE(runtime.statistics().mapped_bytes, toy::weights().size());
  }
  EXPECT_EQ(runtime.statistics().allocated_bytes, before);
  EXPECT_EQ(runtime.statistics().mapped_bytes, 0u);
}

// Weights may lie in a file beside the artifact; one that is missing or too short is named.
TEST(Load, ExternalWeights) {
  toy::Knobs knobs;
  knobs.external = "toy-external.bin";
  auto artifact = toy::build(knobs);
  glm_status status = toy::load(artifact);
  EXPECT_EQ(status.code, GLM_SYSTEM);
  EXPECT_NE(strstr(status.message, "toy-external.bin: cannot open"), nullptr) << status.message;
  auto weights = toy::weights();
  {
    toy::File beside(weights, knobs.external);
    EXPECT_EQ(toy::load(artifact, {.verify_weights = 1}).code, GLM_OK);
    EXPECT_EQ(toy::load(artifact, {.weights_memory = GLM_WEIGHTS_COPY}).code, GLM_OK);
  }
  weights.pop_back();
  toy::File beside(weights, knobs.external);
  EXPECT_EQ(toy::load(artifact).code, GLM_TRUNCATED);
}

// A callback that says no ends the loading of weights.
TEST(Load, CancelledByProgress) {
  auto no = [](void *, const char *, uint64_t, uint64_t) -> int32_t { return 1; };
  EXPECT_EQ(
      toy::load(toy::build(), {.weights_memory = GLM_WEIGHTS_COPY}, {.threads = 1, .progress = no})
          .code,
      GLM_CANCELLED);
  EXPECT_EQ(toy::load(toy::build(), {.verify_weights = 1}, {.threads = 1, .progress = no}).code,
            GLM_CANCELLED);
}

// Kernels can go through the system's linker, for debuggers.
TEST(Load, ThroughTheLinker) {
  EXPECT_EQ(toy::load(toy::build(), {}, {.threads = 1, .debug_code = 1}).code, GLM_OK);
}
