// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code for every machine of the list, whatever the host is: it links without imports, asks the
// loader for nothing but relative relocations, and is the same bytes every time.
#include "KernelRunner.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

using testing::Contains;
using testing::Not;

void checkImage(const CodeImage &image, uint16_t machine) {
  auto file = llvm::object::ELF64LEFile::create(image.bytes);
  ASSERT_TRUE(bool(file));
  EXPECT_EQ(file->getHeader().e_type, llvm::ELF::ET_DYN);
  EXPECT_EQ(file->getHeader().e_machine, machine);
  auto entries = file->dynamicEntries();
  ASSERT_TRUE(bool(entries));
  for (const auto &entry : *entries)
    EXPECT_THAT(
        (std::vector<int64_t>{llvm::ELF::DT_NEEDED, llvm::ELF::DT_JMPREL, llvm::ELF::DT_TEXTREL,
                              llvm::ELF::DT_INIT, llvm::ELF::DT_INIT_ARRAY}),
        Not(Contains(entry.getTag())));
  auto binary = llvm::object::ObjectFile::createObjectFile({image.bytes, "image"});
  ASSERT_TRUE(bool(binary));
  auto *elf = llvm::cast<llvm::object::ELFObjectFileBase>(binary->get());
  size_t symbols = 0;
  for (const auto &symbol : elf->getDynamicSymbolIterators()) {
    EXPECT_FALSE(*symbol.getFlags() & llvm::object::SymbolRef::SF_Undefined);
    ++symbols;
  }
  EXPECT_GE(symbols, image.kernels.size());
  for (const KernelEntry &kernel : image.kernels)
    EXPECT_GT(kernel.offset, 0u) << kernel.name;
}

TEST(Cross, EveryMachineWithoutImports) {
  for (const std::string &cpu : knownCpus())
    for (const char *file : {"linear.mlir", "attend.mlir", "index.mlir", "latent.mlir"}) {
      SCOPED_TRACE(cpu + " " + file);
      TargetOptions options;
      options.cpu = cpu;
      mlir::MLIRContext context;
      TargetDescription description;
      CodeImage image = compileImage(kernelText(file), options, context, description);
      bool arm = description.triple.starts_with("aarch64");
      checkImage(image, arm ? llvm::ELF::EM_AARCH64 : llvm::ELF::EM_X86_64);
      EXPECT_EQ(description.machine.getVectorBytes(), cpu == "neoverse-v1" ? 32
                                                      : arm                ? 16
                                                      : cpu == "x86-64-v3" ? 32
                                                                           : 64)
          << "unless the host is an old one";
    }
}

TEST(Cross, SameBytesEveryTime) {
  TargetOptions options;
  options.cpu = "znver4";
  mlir::MLIRContext context;
  TargetDescription description;
  CodeImage first = compileImage(kernelText("attend.mlir"), options, context, description);
  CodeImage second = compileImage(kernelText("attend.mlir"), options, context, description);
  EXPECT_EQ(first.bytes, second.bytes);
}

/// The image needs what the machine has, by the names the loader looks for.
TEST(Cross, RequiredFeatures) {
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect>();
  auto features = [&](const char *cpu) {
    TargetOptions options;
    options.cpu = cpu;
    return cpuTarget().describe(context, options)->requiredFeatures;
  };
  EXPECT_THAT(features("x86-64-v3"), Contains("avx2"));
  EXPECT_THAT(features("x86-64-v3"), Not(Contains("avx512f")));
  EXPECT_THAT(features("icelake-server"), Not(Contains("avx512bf16")));
  EXPECT_THAT(features("znver4"), Contains("avx512bf16"));
  EXPECT_THAT(features("aarch64"), Contains("neon"));
}

TEST(Cross, UnknownMachine) {
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect>();
  TargetOptions options;
  options.cpu = "pentium";
  auto description = cpuTarget().describe(context, options);
  ASSERT_FALSE(description.ok());
  EXPECT_THAT(std::string(description.status().message()),
              testing::HasSubstr("unknown cpu pentium; known are native, x86-64-v3"));
}

} // namespace
} // namespace glm::test
