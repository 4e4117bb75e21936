// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/devices/cpu/Processor.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

using namespace glm::runtime;

// What the kernel lists in /proc/cpuinfo is what is found, in LLVM's spelling.
TEST(Processor, AgreesWithTheKernel) {
#if defined(__x86_64__)
  std::ifstream file("/proc/cpuinfo");
  std::string line, flags;
  while (std::getline(file, line))
    if (line.rfind("flags", 0) == 0)
      flags = line + " ";
  if (flags.empty())
    GTEST_SKIP() << "no /proc/cpuinfo";
  const char *names[][2] = {{"avx2", "avx2"},
                            {"fma", "fma"},
                            {"avx512f", "avx512f"},
                            {"avx512vnni", "avx512_vnni"},
                            {"avx512bf16", "avx512_bf16"},
                            {"avx512vl", "avx512vl"},
                            {"sse4.2", "sse4_2"},
                            {"avxvnni", "avx_vnni"},
                            {"f16c", "f16c"},
                            {"avx512fp16", "avx512_fp16"},
                            {"bmi2", "bmi2"},
                            {"lzcnt", "abm"},
                            {"gfni", "gfni"},
                            {"cx16", "cx16"},
                            {"avx512vbmi2", "avx512_vbmi2"}};
  for (auto &[name, flag] : names) {
    bool expected = flags.find(std::string(" ") + flag + " ") != std::string::npos;
    EXPECT_EQ(processorFeature(name), expected ? Feature::present : Feature::absent) << name;
  }
#endif
}

// A name is taken whole, with or without a plus sign.
TEST(Processor, Names) {
  EXPECT_EQ(processorFeature("avx512"), Feature::unknown);
  EXPECT_EQ(processorFeature(""), Feature::unknown);
  EXPECT_EQ(processorFeature("+avx512fff"), Feature::unknown);
#if defined(__x86_64__)
  EXPECT_EQ(processorFeature("+sse2"), Feature::present);
#endif
}
