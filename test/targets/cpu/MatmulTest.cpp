// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products: linears over packed weights of every size that does not fit, experts, plain rows.
#include "KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

constexpr const char *linear = R"(
kernel.func @linear(%x: !kernel.buffer<?x$Kx$t>, %w: !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>>,
                    %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %block = arith.constant $k : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kx$t>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, 6] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<6x$nxf32>
    %acc = scf.for %k = %c0 to %depth step %block iter_args(%c = %init) -> (!kernel.tile<6x$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kx$t> -> !kernel.tile<6x$kx$t>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$t>
      %d = kernel.mma %a, %b, %c : !kernel.tile<6x$kx$t>, !kernel.tile<$nx$kx$t>, !kernel.tile<6x$nxf32>
      scf.yield %d : !kernel.tile<6x$nxf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<6x$nxf32>, !kernel.buffer<?x$Nxf32>
  }
  kernel.return
})";

struct Shape {
  int64_t n, width, depth, block;
};

template <typename T>
void checkLinear(const TargetOptions &machine, Shape shape) {
  bool bf16 = sizeof(T) == 2;
  auto [n, N, K, k] = shape;
  Kernels kernels(fill(linear, {{"t", bf16 ? "bf16" : "f32"}, {"lane", bf16 ? "2" : "1"},
                                {"n", std::to_string(n)}, {"N", std::to_string(N)},
                                {"K", std::to_string(K)}, {"k", std::to_string(k)}}),
                  machine);
  std::vector<T> weights = randomVector<T>(N * K, 1);
  Buffer<T> packed = packPanels(weights, N, K, n, bf16 ? 2 : 1);
  std::vector<float> first;
  for (int64_t rows : {7, 6, 5, 4, 3, 2, 1}) {
    Buffer<T> x(rows * K);
    Random(2).fill(x);
    for (uint32_t workers : {1u, 3u}) {
      Buffer<float> y(rows * N, NAN);
      kernels.run("linear", {x.word(), uint64_t(rows), packed.word(), y.word(), uint64_t(rows)},
                  workers);
      ASSERT_TRUE(y.intact());
      if (first.empty())
        first.assign(y.begin(), y.end());
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < N; ++j) {
          double sum = 0;
          for (int64_t l = 0; l < K; ++l)
            sum += double(float(x[i * K + l])) * double(float(weights[j * K + l]));
          ASSERT_NEAR(y[i * N + j], sum, 1e-5 * std::sqrt(double(K)))
              << rows << " rows, element " << i << ", " << j;
          // The same bits whatever number of rows shares the call.
          ASSERT_EQ(y[i * N + j], first[i * N + j]);
        }
    }
  }
}

TEST(Matmul, LinearOfOddSizes) {
  for (const TargetOptions &machine : runnableMachines())
    for (Shape shape : {Shape{64, 40, 64, 64}, Shape{64, 130, 33, 33}, Shape{16, 16, 48, 16},
                        Shape{32, 96, 7, 7}}) {
      SCOPED_TRACE(nameOf(machine));
      checkLinear<float>(machine, shape);
      checkLinear<Bf16>(machine, shape);
    }
}

} // namespace
} // namespace glm::test
