// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which instructions a level's products are: code is assembled for it whatever the host is, and
// disassembled again.
#include "Codes.h"

#include "llvm-c/Disassembler.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/TargetSelect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// All instructions of an image, one a line. Bytes that are none stand there as `?`.
std::string disassemble(const CodeImage &image, const TargetDescription &machine) {
  llvm::InitializeAllDisassemblers();
  LLVMDisasmContextRef reader =
      LLVMCreateDisasmCPUFeatures(machine.triple.c_str(), machine.cpu.c_str(),
                                  machine.features.c_str(), nullptr, 0, nullptr, nullptr);
  EXPECT_NE(reader, nullptr);
  auto object = llvm::cantFail(llvm::object::ObjectFile::createObjectFile({image.bytes, "image"}));
  std::string text;
  for (const llvm::object::SectionRef &section : object->sections()) {
    if (!section.isText())
      continue;
    llvm::StringRef bytes = llvm::cantFail(section.getContents());
    for (size_t at = 0; at < bytes.size();) {
      char line[256];
      auto *begin = reinterpret_cast<uint8_t *>(const_cast<char *>(bytes.data())) + at;
      size_t size = LLVMDisasmInstruction(reader, begin, bytes.size() - at, at, line, sizeof line);
      text += size ? line : "?";
      text += '\n';
      at += size ? size : machine.triple.starts_with("aarch64") ? 4 : 1;
    }
  }
  LLVMDisasmDispose(reader);
  return text;
}

std::string codeOf(const char *cpu, const std::string &kernel) {
  TargetOptions options;
  options.cpu = cpu;
  mlir::MLIRContext context;
  TargetDescription description;
  CodeImage image = compileImage(kernel, options, context, description);
  return disassemble(image, description);
}

std::string pairs() { return linearKernel<Bf16>({64, 128, 256, 256, 48}, blocked); }
std::string bytes() { return codesKernel({64, 128, 256, 256, 48}, 8); }

// Without dot products pairs are widened into FMA and bytes go by way of i16.
TEST(Instructions, Widening) {
  EXPECT_THAT(codeOf("x86-64-v3", pairs()), AllOf(HasSubstr("vfmadd"), Not(HasSubstr("zmm"))));
  EXPECT_THAT(codeOf("x86-64-v3", bytes()), HasSubstr("vpmaddwd"));
  EXPECT_THAT(codeOf("x86-64-v4", pairs()),
              AllOf(HasSubstr("vfmadd"), HasSubstr("zmm"), Not(HasSubstr("vdpbf16ps"))));
  EXPECT_THAT(codeOf("aarch64", pairs()), AllOf(HasSubstr("fmla"), Not(HasSubstr("bfdot"))));
}

// Dot products of pairs and of fours, where a machine has them and they pay.
TEST(Instructions, DotProducts) {
  EXPECT_THAT(codeOf("icelake-server", bytes()), HasSubstr("vpdpbusd"));
  EXPECT_THAT(codeOf("icelake-server", pairs()), Not(HasSubstr("vdpbf16ps")));
  EXPECT_THAT(codeOf("znver4", pairs()), HasSubstr("vdpbf16ps"));
  EXPECT_THAT(codeOf("neoverse-n1", bytes()), HasSubstr("sdot\tv"));
  EXPECT_THAT(codeOf("neoverse-v1", pairs()), AllOf(HasSubstr("bfdot\tz"), Not(HasSubstr("mmla"))));
  EXPECT_THAT(codeOf("neoverse-v1", bytes()), HasSubstr("sdot\tz"));
}

// Products of two rows by two columns, and for a row alone the dot product of the same bits.
TEST(Instructions, RowPairs) {
  EXPECT_THAT(codeOf("armv8.6-a", pairs()), AllOf(HasSubstr("bfmmla"), HasSubstr("bfdot")));
  EXPECT_THAT(codeOf("armv8.6-a", bytes()), HasSubstr("smmla"));
}

// Tile registers for bf16 whatever the rows, for bytes of many; given back at the end.
TEST(Instructions, Tiles) {
  std::string code = codeOf("sapphirerapids", pairs());
  EXPECT_THAT(code, AllOf(HasSubstr("ldtilecfg"), HasSubstr("tileloadd"), HasSubstr("tdpbf16ps"),
                          HasSubstr("tilestored"), HasSubstr("tilerelease")));
  EXPECT_THAT(code, AllOf(Not(HasSubstr("vfmadd")), Not(HasSubstr("vdpbf16ps"))));
  code = codeOf("sapphirerapids", bytes());
  EXPECT_THAT(code, AllOf(HasSubstr("tdpbsud"), HasSubstr("vpdpbusd"), HasSubstr("tilerelease")));
  EXPECT_THAT(codeOf("sapphirerapids-loops", pairs()), Not(HasSubstr("tmm")));
}

} // namespace
} // namespace glm::test
