// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer as a function: what it refuses, and the symbols and entries of what it builds. The
// whole module is compared in the lit tests beside this file.
#include "Folder.h"

#include "compiler/import/Glm5.h"
#include "dialects/glm/Glm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

using namespace glm;
using namespace glm::test;
using namespace mlir;

namespace {

std::filesystem::path data(const char *name) { return std::filesystem::path(GLM_TEST_DATA) / name; }

struct Imported {
  MLIRContext context;
  absl::StatusOr<OwningOpRef<ModuleOp>> module;
  Imported(const char *name, const ImportOptions &options = {})
      : module(importCheckpoint(data(name), options, context)) {}
  func::FuncOp function(StringRef name) { return (*module)->lookupSymbol<func::FuncOp>(name); }
};

TEST(Glm5, ImportsOneFunctionAKind) {
  Imported glm5("glm5-tiny");
  ASSERT_TRUE(glm5.module.ok()) << glm5.module.status();
  for (const char *name : {"dense_full", "moe_full", "step", "draft"})
    EXPECT_TRUE(glm5.function(name)) << name;
  EXPECT_FALSE(glm5.function("moe_shared"));
  EXPECT_FALSE(glm5.function("draft_shared"));
  unsigned calls = 0;
  glm5.function("step").walk([&](func::CallOp) { ++calls; });
  EXPECT_EQ(calls, 4u);
}

TEST(Glm5, SharedLayersAndDraftsReuseSelections) {
  Imported glm52("glm52-tiny");
  ASSERT_TRUE(glm52.module.ok()) << glm52.module.status();
  EXPECT_TRUE(glm52.function("moe_shared"));
  ASSERT_TRUE(glm52.function("draft_shared"));
  EXPECT_FALSE((*glm52.module)->lookupSymbol("layer3.index")); // a shared layer has no index cache
  EXPECT_TRUE((*glm52.module)->lookupSymbol("layer6.index"));  // the draft layer owns one
  // Layers 3 and 5 take the selections of layers 2 and 4.
  SmallVector<func::CallOp> calls;
  glm52.function("step").walk([&](func::CallOp call) { calls.push_back(call); });
  ASSERT_EQ(calls.size(), 6u);
  EXPECT_EQ(calls[3].getOperand(4), calls[2].getResult(1));
  EXPECT_EQ(calls[5].getOperand(4), calls[4].getResult(1));
}

TEST(Glm5, OptionsLeaveOutAndKeep) {
  Imported without("glm52-tiny", {.noMtp = true});
  ASSERT_TRUE(without.module.ok()) << without.module.status();
  EXPECT_FALSE(without.function("draft"));
  EXPECT_FALSE((*without.module)->lookupSymbol("model.layers.6.enorm.weight"));

  Imported kept("glm52-tiny", {.keepSelections = true, .keepExperts = true, .keepHidden = true});
  ASSERT_TRUE(kept.module.ok()) << kept.module.status();
  func::FuncOp step = kept.function("step");
  std::string names;
  for (unsigned i = 0; i < step.getNumResults(); ++i)
    names += step.getResultAttrOfType<StringAttr>(i, "glm.name").str() + " ";
  EXPECT_EQ(
      names,
      "logits final hidden.0 hidden.1 selection.0 hidden.2 selection.1 experts.1 expert_weights.1 "
      "hidden.3 selection.2 experts.2 expert_weights.2 hidden.4 experts.3 expert_weights.3 "
      "hidden.5 selection.4 experts.4 expert_weights.4 hidden.6 experts.5 expert_weights.5 ");
}

TEST(Glm5, LatentEpsIsAnOption) {
  auto epsOf = [](const ImportOptions &options) {
    Imported imported("glm5-tiny", options);
    SmallVector<double> all;
    imported.function("moe_full").walk([&](model::RmsNormOp op) {
      all.push_back(op.getEps().convertToDouble());
    });
    return all;
  };
  EXPECT_EQ(epsOf({}), (SmallVector<double>{1e-5, 1e-5, 1e-5, 1e-5}));
  EXPECT_EQ(epsOf({.latentNormEps = 1e-6}), (SmallVector<double>{1e-5, 1e-6, 1e-6, 1e-5}));
}

// What is printed parses back to the same text: `--compile-to=import` can be resumed.
TEST(Glm5, RoundTripsThroughText) {
  Imported glm52("glm52-tiny", {.keepSelections = true, .keepExperts = true, .keepHidden = true});
  ASSERT_TRUE(glm52.module.ok()) << glm52.module.status();
  std::string first, second;
  llvm::raw_string_ostream(first) << **glm52.module;
  OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(first, &glm52.context);
  ASSERT_TRUE(parsed);
  llvm::raw_string_ostream(second) << *parsed;
  EXPECT_EQ(first, second);
  if (const char *path = std::getenv("GLM_PRINT_TO"))
    std::ofstream(path) << first;
}

TEST(Glm5, RefusesWithOneCodedError) {
  auto error = [](const char *name, const ImportOptions &options = {}) {
    return Imported(name, options).module.status();
  };
  expectError(error("none"), Code::InputMissing, "is no folder");
  expectError(error("glm5-tiny", {.context = 4097}), Code::BadArguments,
              "max_position_embeddings is 4096");
  expectError(error("glm5-tiny", {.latentNormEps = 0.0}), Code::BadArguments, "--latent-norm-eps");
  Folder folder;
  MLIRContext context;
  expectError(importCheckpoint(folder.path(), {}, context).status(), Code::InputMissing,
              "config.json");
}

} // namespace
