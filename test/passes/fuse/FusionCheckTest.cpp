// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A fusion that is wrong is found: no pass makes one, so the two sides are written by hand.
#include "passes/fuse/FusionCheck.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mlir;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace glm {
namespace {

class FusionCheckTest : public testing::Test {
protected:
  FusionCheckTest() {
    context.loadDialect<func::FuncDialect, model::GlmDialect>();
    context.disableMultithreading();
  }

  /// Compares the two values that the function returns, as functions of its arguments.
  FusionCheck compare(const std::string &body, bool enabled = true, double tolerance = 0) {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      messages.push_back(diagnostic.str());
      return success();
    });
    module = parseSourceString<ModuleOp>(body, &context);
    EXPECT_TRUE(module);
    auto function = *module->getOps<func::FuncOp>().begin();
    Block &block = function.getBody().front();
    Operation *end = block.getTerminator();
    SmallVector<Value> leaves(block.getArguments());
    FusionCheck check(enabled);
    check.compare(end->getOperand(0), end->getOperand(1), leaves, tolerance);
    return check;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<std::string> messages;
};

constexpr const char *swapped = R"(
func.func @f(%x: tensor<?x64xbf16>, %a: tensor<40x64xbf16>, %b: tensor<40x64xbf16>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %g = glm.linear %x, %a : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %s = glm.silu %g : tensor<?x40xf32>
  %u = glm.linear %x, %b : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %y = glm.multiply %s, %u : tensor<?x40xf32>
  %z = glm.gated_linear %x, %b, %a : tensor<?x64xbf16>, tensor<40x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  return %y, %z : tensor<?x40xf32>, tensor<?x40xf32>
})";

TEST_F(FusionCheckTest, NamesTheOpThatDiffers) {
  FusionCheck check = compare(swapped);
  EXPECT_TRUE(check.failed());
  EXPECT_EQ(check.compared(), 1u);
  EXPECT_THAT(messages, ElementsAre(AllOf(HasSubstr("[GLM0401]: glm.gated_linear"),
                                          HasSubstr("another function"), HasSubstr("instead of"))));
}

// Codes are compared as codes are multiplied: integers, groups of them, and numbers of 8 bits.
TEST_F(FusionCheckTest, ComparesQuantizedOperands) {
  for (auto [rows, weight] :
       {std::pair("!glm.quantized<i8, 1, 6144>", "!glm.quantized<i8, 1, 6144>"),
        std::pair("!glm.quantized<i8, 1, 6144>", "!glm.quantized<i4, 1, 32>"),
        std::pair("i8", "!glm.quantized<i8, 1, 6144>"),
        std::pair("bf16", "!glm.quantized<f8E4M3FN, 128, 128>")}) {
    std::string text = R"(
func.func @f(%x: tensor<?x6144x$r>, %a: tensor<1024x6144x$w>, %b: tensor<1024x6144x$w>)
    -> (tensor<?x1024xf32>, tensor<?x1024xf32>) {
  %g = glm.linear %x, %a : tensor<?x6144x$r>, tensor<1024x6144x$w> -> tensor<?x1024xf32>
  %s = glm.silu %g : tensor<?x1024xf32>
  %u = glm.linear %x, %b : tensor<?x6144x$r>, tensor<1024x6144x$w> -> tensor<?x1024xf32>
  %y = glm.multiply %s, %u : tensor<?x1024xf32>
  %z = glm.gated_linear %x, $order : tensor<?x6144x$r>, tensor<1024x6144x$w>, tensor<1024x6144x$w> -> tensor<?x1024xf32>
  return %y, %z : tensor<?x1024xf32>, tensor<?x1024xf32>
})";
    auto replace = [&](std::string_view name, std::string_view with) {
      for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
        text.replace(at, name.size(), with);
    };
    replace("$r", rows);
    replace("$w", weight);
    std::string right = text;
    replace("$order", "%b, %a");
    FusionCheck swapped = compare(text);
    EXPECT_TRUE(swapped.failed()) << weight;
    text = right;
    replace("$order", "%a, %b");
    FusionCheck equal = compare(text);
    EXPECT_FALSE(equal.failed()) << weight;
    EXPECT_EQ(equal.compared(), 1u) << weight;
  }
}

TEST_F(FusionCheckTest, DoesNothingUnlessAsked) {
  FusionCheck check = compare(swapped, /*enabled=*/false);
  EXPECT_FALSE(check.failed());
  EXPECT_EQ(check.compared(), 0u);
  EXPECT_TRUE(messages.empty());
}

// A sum in another order is no difference only where the fusion says so.
TEST_F(FusionCheckTest, ToleranceIsTheFusionsOwn) {
  constexpr const char *reordered = R"(
func.func @f(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %z: tensor<?x64xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %0 = glm.add %x, %y : tensor<?x64xf32>
  %1 = glm.add %0, %z : tensor<?x64xf32>
  %2 = glm.add %y, %z : tensor<?x64xf32>
  %3 = glm.add %x, %2 : tensor<?x64xf32>
  return %1, %3 : tensor<?x64xf32>, tensor<?x64xf32>
})";
  EXPECT_TRUE(compare(reordered).failed());
  EXPECT_FALSE(compare(reordered, /*enabled=*/true, /*tolerance=*/1e-5).failed());
}

// Nobody knows values of positions that are numbers: said, not passed over.
TEST_F(FusionCheckTest, SaysWhatCannotBeCompared) {
  FusionCheck check = compare(R"(
func.func @f(%x: tensor<?x64xf32>, %ids: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %0 = glm.take_rows %x, %ids : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  %1 = glm.take_rows %x, %ids : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<?x64xf32>
})");
  EXPECT_FALSE(check.failed());
  EXPECT_EQ(check.compared(), 0u);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("not compared")));
}

} // namespace
} // namespace glm
