// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact with code for several processors: which one a loader takes.
#include "glm/glm.hpp"
#include "test/runtime/fixture/Toy.h"

#include <cstring>
#include <gtest/gtest.h>

namespace {

/// A level that no processor runs, because no loader knows what it needs.
const toy::Knobs::Level unknown = {"future", {"teleport"}};
/// A level that runs everywhere.
const toy::Knobs::Level plain = {"plain", {}};
/// A level that runs everywhere until its kernels are looked for.
const toy::Knobs::Level broken = {"broken", {}, true};

struct Outcome {
  int32_t code;
  std::string text; // the device of a loaded model, else the message
};

Outcome loadWith(std::vector<toy::Knobs::Level> levels, const char *wanted = nullptr,
                 std::vector<std::string> ofDevice = {}) {
  toy::Knobs knobs;
  knobs.levels = std::move(levels);
  knobs.requiredFeatures = std::move(ofDevice);
  toy::File file(toy::build(knobs));
  glm::Runtime runtime;
  EXPECT_TRUE(glm::Runtime::create({.threads = 1}, runtime));
  glm::Model model;
  glm::Status status = glm::Model::load(runtime, file.path(), {.level = wanted}, model);
  return {status.code(), status ? model.info().device : status.message()};
}

bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

} // namespace

// The first level whose features are there runs; behind all levels, the device itself.
TEST(Levels, BestThatRuns) {
  EXPECT_EQ(loadWith({}).text, "anything");
  EXPECT_EQ(loadWith({plain, unknown}).text, "plain");
  EXPECT_EQ(loadWith({unknown, plain}).text, "plain");
  EXPECT_EQ(loadWith({unknown}).text, "anything");
  EXPECT_EQ(loadWith({plain}, nullptr, {"teleport"}).text, "plain");
}

// Of levels that do not run the loader only reads the tables.
TEST(Levels, OnlyOneIsLoaded) {
  EXPECT_EQ(loadWith({plain, broken}).text, "plain");
  EXPECT_EQ(loadWith({broken, plain}).code, GLM_MALFORMED);
}

// A level can be asked for by name; it still needs what it needs.
TEST(Levels, ByName) {
  EXPECT_EQ(loadWith({broken, unknown, plain}, "plain").text, "plain");
  EXPECT_EQ(loadWith({plain}, "anything").text, "anything");
  Outcome refused = loadWith({unknown, plain}, "future");
  EXPECT_EQ(refused.code, GLM_WRONG_PROCESSOR);
  EXPECT_TRUE(contains(refused.text, "for future and needs teleport, which this runtime cannot"))
      << refused.text;
  Outcome missing = loadWith({plain}, "znver4");
  EXPECT_EQ(missing.code, GLM_NOT_FOUND);
  EXPECT_TRUE(contains(missing.text, "has no code for znver4")) << missing.text;
}

// When nothing runs, the message names what the least demanding code needs.
TEST(Levels, NoneRuns) {
  Outcome refused = loadWith({unknown}, nullptr, {"rocket"});
  EXPECT_EQ(refused.code, GLM_WRONG_PROCESSOR);
  EXPECT_TRUE(contains(refused.text, "for anything and needs rocket")) << refused.text;
}

// Every level has every kernel, in a segment of code; its scratch fits.
TEST(Levels, Rules) {
  toy::Knobs::Level few = plain, elsewhere = plain, greedy = plain;
  few.missingKernels = 1;
  Outcome refused = loadWith({few});
  EXPECT_EQ(refused.code, GLM_MALFORMED);
  EXPECT_TRUE(contains(refused.text, "level plain: is of kind 0 and has 7 kernels"))
      << refused.text;
  elsewhere.segment = 1;
  EXPECT_EQ(loadWith({elsewhere}).code, GLM_MALFORMED);
  greedy.launchScratch = 1 << 20;
  toy::Knobs knobs;
  knobs.levels = {greedy};
  toy::Loaded loaded(knobs);
  EXPECT_EQ(loaded.status.code, GLM_MALFORMED) << loaded.status.message;
  EXPECT_NE(strstr(loaded.status.message, "kernel attend: needs 1048576 bytes"), nullptr);
}
