// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A coded error survives the way through MLIR's diagnostics to the one line a tool prints.
#include "compiler/diagnostics/MlirDiagnostic.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

using namespace glm;
using namespace mlir;

namespace {

const glm::Diagnostic fallback{Code::PassFailed, "glm-some-pass", "failed", ""};

TEST(MlirDiagnostic, KeepsCodeAndText) {
  MLIRContext context;
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  DiagnosticCollector collector(&context);
  EXPECT_FALSE(collector.sawError());
  emitCoded(module->getOperation(),
            {Code::TensorMissing, "lm_head.weight", "is missing", "fetch it"});
  EXPECT_TRUE(collector.sawError());
  std::optional<glm::Diagnostic> found = diagnosticOf(collector.error(fallback));
  ASSERT_TRUE(found);
  EXPECT_EQ(toText(*found), "error[GLM0300]: lm_head.weight: is missing; fetch it");
}

TEST(MlirDiagnostic, UncodedErrorsTakeTheFallback) {
  MLIRContext context;
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  DiagnosticCollector collector(&context);
  EXPECT_EQ(toText(*diagnosticOf(collector.error(fallback))),
            "error[GLM0400]: glm-some-pass: failed");
  module->emitWarning("just saying");
  module->emitError("went\nwrong");
  std::string text = toText(*diagnosticOf(collector.error(fallback)));
  EXPECT_EQ(text.substr(0, 31), "error[GLM0400]: glm-some-pass: ");
  EXPECT_NE(text.find("went\\x0awrong"), std::string::npos) << text;
}

} // namespace
