// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code for aarch64 run by qemu: a program without a C library around the object of four kernels,
// for machines with and without dot products, small matrix products and SVE. Skipped where qemu or
// a cross compiler is missing.
#include "Codes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace glm::test {
namespace {

constexpr const char *program = R"(
typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long u64; typedef long i64;
void linear(const u64 *, u32, u32, unsigned char *);
void bytes(const u64 *, u32, u32, unsigned char *);
void nibbles(const u64 *, u32, u32, unsigned char *);
void top(const u64 *, u32, u32, unsigned char *);
enum { N = 40, K = 33, ROWS = 7, T = 500, KEPT = 20 };
static unsigned char scratch[1 << 20] __attribute__((aligned(64)));
static u16 x[ROWS * K + 8], w[N * K], packed[(K + 1) / 2 * 48 * 2];
static float y[ROWS * N], again[N], scores[T + 16];
static signed char codes[ROWS * K + 8], weights[N * K];
static unsigned char words[(K + 7) / 4 * 48 * 4];
static int ids[KEPT], sums[ROWS * N];
static u64 state = 88172645463325252ul;
static float next(void) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return (float)((i64)(state >> 40) - (1 << 23)) / (float)(1 << 23);
}
static u16 narrow(float f) { u32 b; __builtin_memcpy(&b, &f, 4); return (u16)(b >> 16); }
static float wide(u16 h) { u32 b = (u32)h << 16; float f; __builtin_memcpy(&f, &b, 4); return f; }
static void leave(long code) {
  register long x0 __asm__("x0") = code; register long x8 __asm__("x8") = 93;
  __asm__ volatile("svc 0" : : "r"(x0), "r"(x8));
  __builtin_unreachable();
}
static int checkLinear(void) {
  for (int i = 0; i < ROWS * K; ++i) x[i] = narrow(next());
  for (int i = 0; i < N * K; ++i) w[i] = narrow(next());
  for (int r = 0; r < N; ++r)
    for (int c = 0; c < K; ++c)
      packed[(((r / 16) * ((K + 1) / 2) + c / 2) * 16 + r % 16) * 2 + c % 2] = w[r * K + c];
  u64 arguments[] = {(u64)x, ROWS, (u64)packed, (u64)y, ROWS};
  for (u32 worker = 0; worker < 3; ++worker) linear(arguments, worker, 3, scratch);
  for (int i = 0; i < ROWS; ++i)
    for (int j = 0; j < N; ++j) {
      double sum = 0;
      for (int k = 0; k < K; ++k) sum += (double)wide(x[i * K + k]) * wide(w[j * K + k]);
      double error = sum - y[i * N + j];
      if (!(error < 1e-4 && error > -1e-4)) return 1;
    }
  for (int i = 0; i < ROWS; ++i) { // alone, a row has the same bits
    u64 one[] = {(u64)(x + i * K), 1, (u64)packed, (u64)again, 1};
    linear(one, 0, 1, scratch);
    for (int j = 0; j < N; ++j)
      if (again[j] != y[i * N + j]) return 4;
  }
  return 0;
}
static int checkCodes(int bits) {
  int lane = 32 / bits, steps = (K + lane - 1) / lane, half = 1 << (bits - 1);
  for (u64 i = 0; i < sizeof words; ++i) words[i] = 0;
  for (int i = 0; i < ROWS * K; ++i) codes[i] = (signed char)(next() * 127);
  for (int i = 0; i < N * K; ++i) weights[i] = (signed char)(next() * half);
  for (int r = 0; r < N; ++r)
    for (int c = 0; c < K; ++c) {
      unsigned char *word = words + (((r / 16) * steps + c / lane) * 16 + r % 16) * 4;
      word[c % 4] |= (unsigned char)(weights[r * K + c] + half) << (c % lane / 4 * 4);
    }
  u64 arguments[] = {(u64)codes, ROWS, (u64)words, (u64)sums, ROWS};
  (bits == 8 ? bytes : nibbles)(arguments, 0, 1, scratch);
  for (int i = 0; i < ROWS; ++i)
    for (int j = 0; j < N; ++j) {
      int sum = 0;
      for (int k = 0; k < K; ++k) sum += codes[i * K + k] * weights[j * K + k];
      if (sum != sums[i * N + j]) return bits;
    }
  return 0;
}
static int checkTop(void) {
  for (int i = 0; i < T; ++i) scores[i] = (float)(int)(next() * 50);
  u64 arguments[] = {(u64)scores, 1, (u64)ids, 1};
  top(arguments, 0, 1, scratch);
  int found = 0;
  for (int i = 0; i < T; ++i) {
    int rank = 0;
    for (int j = 0; j < T; ++j) rank += scores[j] > scores[i] || (scores[j] == scores[i] && j < i);
    if (rank < KEPT && (found == KEPT || ids[found++] != i)) return 2;
  }
  return found == KEPT ? 0 : 3;
}
void _start(void) {
  int code = checkLinear();
  if (!code) code = checkCodes(8);
  if (!code) code = checkCodes(4);
  leave(code ? code : checkTop());
}
)";

constexpr const char *top = R"(
kernel.func @top(%x: !kernel.buffer<?x500xf32>, %ids: !kernel.buffer<?x20xi32>) {
  %c0 = arith.constant 0 : index
  %count = arith.constant 500 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x500xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %best = kernel.top_k (%t) from %c0 to %count step 16 -> !kernel.tile<1x20xi32> {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x500xf32> -> !kernel.tile<1x16xf32>
      kernel.yield %s : !kernel.tile<1x16xf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<1x20xi32>, !kernel.buffer<?x20xi32>
  }
  kernel.return
})";

std::string renamed(std::string text, const char *name) {
  return text.replace(text.find("@linear"), 7, name);
}

/// All kernels of the program.
std::string kernels() {
  Shape shape = {16, 40, 33, 33};
  return linearKernel<Bf16>(shape) + renamed(codesKernel(shape, 8), "@bytes") +
         renamed(codesKernel(shape, 4), "@nibbles") + top;
}

std::vector<std::string> objectsFor(const char *cpu, const std::string &text) {
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect>();
  TargetOptions options;
  options.cpu = cpu;
  auto description = cpuTarget().describe(context, options);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  module.get()->setAttr(machineAttribute, description->machine);
  mlir::PassManager passes(&context);
  cpuTarget().legalize(passes);
  EXPECT_TRUE(succeeded(passes.run(*module)));
  return cpuTarget().codegen(*module, *description)->objects;
}

TEST(Arm, RunsUnderQemu) {
  const char *compiler =
      "/usr/bin/clang-22 --target=aarch64-linux-gnu -O1 -ffreestanding -nostdlib "
      "-static -fuse-ld=lld -fno-builtin -o ";
  if (std::system("command -v qemu-aarch64 clang-22 ld.lld-22 > /dev/null") != 0)
    GTEST_SKIP() << "qemu-aarch64, clang-22 or lld-22 is missing";
  char folder[] = "/tmp/glm-arm-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string base = folder;
  for (const char *cpu : {"aarch64", "neoverse-n1", "armv8.6-a", "neoverse-v1", "neoverse-v2"}) {
    std::ofstream(base + "/main.c") << program;
    std::string build = compiler + base + "/test " + base + "/main.c";
    for (const std::string &object : objectsFor(cpu, kernels())) {
      build += " " + base + "/" + std::to_string(build.size()) + ".o";
      std::ofstream(build.substr(build.rfind(' ') + 1), std::ios::binary) << object;
    }
    ASSERT_EQ(std::system(build.c_str()), 0);
    EXPECT_EQ(std::system(("qemu-aarch64 " + base + "/test").c_str()), 0) << cpu;
  }
  std::system(("rm -r " + base).c_str());
}

} // namespace
} // namespace glm::test
