// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products: linears over packed weights of every size that does not fit, experts, plain rows.
#include "KernelRunner.h"
#include "Linear.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::test {
namespace {

template <typename T>
void checkLinear(const TargetOptions &machine, Shape shape, std::vector<int64_t> counts) {
  bool bf16 = sizeof(T) == 2;
  int64_t n = shape.n, N = shape.width, K = shape.depth;
  Kernels kernels(linearKernel<T>(shape), machine);
  std::vector<T> weights = randomVector<T>(N * K, 1);
  Buffer<T> packed = packPanels(weights, N, K, n, bf16 ? 2 : 1);
  std::vector<float> first;
  for (int64_t rows : counts) { // the largest first
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
      checkLinear<float>(machine, shape, {7, 6, 5, 4, 3, 2, 1});
      checkLinear<Bf16>(machine, shape, {7, 6, 5, 4, 3, 2, 1});
    }
}

/// Units of many rows: blocks of the weight that are expanded once, edges of all kinds, and the
/// same bits as with few rows, which read the weight as it lies.
TEST(Matmul, LinearOfManyRows) {
  const std::vector<int64_t> counts = {65, 61, 60, 54, 48, 47, 18, 13, 12, 11, 8, 7, 6, 5, 2, 1};
  for (const TargetOptions &machine : runnableMachines())
    for (Shape shape : {Shape{64, 130, 328, 328, 48}, Shape{16, 40, 200, 100, 60},
                        Shape{32, 64, 33, 33, 24}, Shape{64, 64, 134, 134, 66}}) {
      SCOPED_TRACE(nameOf(machine));
      checkLinear<float>(machine, shape, counts);
      checkLinear<Bf16>(machine, shape, counts);
    }
}

constexpr const char *gated = R"(
kernel.func @gated(%x: !kernel.buffer<?x$Kx$t>, %g: !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>>,
                   %u: !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>>, %y: !kernel.buffer<?x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %width = arith.constant $N : index
  %depth = arith.constant $K : index
  %block = arith.constant $k : index
  %zero = arith.constant 0.0 : f32
  %rows = kernel.dim %x, 0 : !kernel.buffer<?x$Kx$t>
  kernel.parallel (%j, %i) to (%width, %rows) step [$n, $m] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<$mx$nxf32>
    %s:2 = scf.for %k = %c0 to %depth step %block iter_args(%c = %init, %d = %init)
        -> (!kernel.tile<$mx$nxf32>, !kernel.tile<$mx$nxf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x$Kx$t> -> !kernel.tile<$mx$kx$t>
      %b = kernel.load_tile %g[%j, %k] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$t>
      %e = kernel.mma %a, %b, %c : !kernel.tile<$mx$kx$t>, !kernel.tile<$nx$kx$t>, !kernel.tile<$mx$nxf32>
      %f = kernel.load_tile %u[%j, %k] : !kernel.buffer<$Nx$Kx$t, #kernel.panels<$n, $lane>> -> !kernel.tile<$nx$kx$t>
      %h = kernel.mma %a, %f, %d : !kernel.tile<$mx$kx$t>, !kernel.tile<$nx$kx$t>, !kernel.tile<$mx$nxf32>
      scf.yield %e, %h : !kernel.tile<$mx$nxf32>, !kernel.tile<$mx$nxf32>
    }
    %t = kernel.map (%s#0, %s#1) : (!kernel.tile<$mx$nxf32>, !kernel.tile<$mx$nxf32>) -> !kernel.tile<$mx$nxf32> {
    ^bb0(%a: f32, %b: f32):
      %one = arith.constant 1.0 : f32
      %negative = arith.negf %a : f32
      %power = math.exp %negative : f32
      %below = arith.addf %one, %power : f32
      %open = arith.divf %a, %below : f32
      %through = arith.mulf %open, %b : f32
      kernel.yield %through : f32
    }
    kernel.store_tile %t, %y[%i, %j] : !kernel.tile<$mx$nxf32>, !kernel.buffer<?x$Nxf32>
  }
  kernel.return
})";

/// Two sums carried by one loop over blocks, and the second let through by the first.
template <typename T> void checkGated(const TargetOptions &machine, Shape shape) {
  bool bf16 = sizeof(T) == 2;
  auto [n, N, K, k, m] = shape;
  Kernels kernels(fill(gated, {{"t", bf16 ? "bf16" : "f32"},
                               {"lane", bf16 ? "2" : "1"},
                               {"n", std::to_string(n)},
                               {"N", std::to_string(N)},
                               {"K", std::to_string(K)},
                               {"k", std::to_string(k)},
                               {"m", std::to_string(m)}}),
                  machine);
  std::vector<T> gate = randomVector<T>(N * K, 1), up = randomVector<T>(N * K, 3);
  Buffer<T> g = packPanels(gate, N, K, n, bf16 ? 2 : 1), u = packPanels(up, N, K, n, bf16 ? 2 : 1);
  for (int64_t rows : {1, 7, 31}) {
    Buffer<T> x(rows * K);
    Random(2).fill(x);
    Buffer<float> y(rows * N, NAN);
    kernels.run("gated", {x.word(), uint64_t(rows), g.word(), u.word(), y.word(), uint64_t(rows)},
                2);
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < N; ++j) {
        double a = 0, b = 0;
        for (int64_t l = 0; l < K; ++l) {
          a += double(float(x[i * K + l])) * double(float(gate[j * K + l]));
          b += double(float(x[i * K + l])) * double(float(up[j * K + l]));
        }
        ASSERT_NEAR(y[i * N + j], a / (1 + std::exp(-a)) * b, 1e-5 * K)
            << rows << " rows, element " << i << ", " << j;
      }
  }
}

TEST(Matmul, Gated) {
  for (const TargetOptions &machine : runnableMachines())
    for (Shape shape : {Shape{64, 130, 96, 32}, Shape{32, 40, 64, 64}, Shape{16, 36, 48, 16},
                        Shape{64, 130, 96, 96, 30}}) {
      SCOPED_TRACE(nameOf(machine));
      checkGated<float>(machine, shape);
      checkGated<Bf16>(machine, shape);
    }
}

/// Rows of three experts a row, gathered and given directly, some experts with none or many rows.
/// `unit`: rows of a tile.
template <typename T> void checkExperts(const TargetOptions &machine, int64_t rows, int64_t unit) {
  constexpr int64_t topK = 3, experts = 12, H = 64, N = 36;
  bool bf16 = sizeof(T) == 2;
  std::string text = kernelText("experts.mlir", bf16 ? "" : "bf16", "f32");
  if (!bf16)
    for (size_t at; (at = text.find("panels<64, 2>")) != std::string::npos;)
      text.replace(at, 13, "panels<64, 1>");
  auto widen = [&](const std::string &from, const std::string &to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  widen("tile<6x", "tile<" + std::to_string(unit) + "x");
  widen("tile<1x6x", "tile<1x" + std::to_string(unit) + "x");
  widen("constant 6 : index", "constant " + std::to_string(unit) + " : index");
  Kernels kernels(text, machine);
  std::vector<std::vector<T>> weights;
  std::vector<Buffer<T>> packed;
  Buffer<uint64_t> table(experts);
  for (int64_t e = 0; e < experts; ++e) {
    weights.push_back(randomVector<T>(N * H, e + 1));
    packed.push_back(packPanels(weights.back(), N, H, 64, bf16 ? 2 : 1));
  }
  for (int64_t e = 0; e < experts; ++e)
    table[e] = packed[e].word();
  Buffer<T> x(rows * H);
  Random(99).fill(x);
  Buffer<int32_t> order(rows * topK), offsets(experts + 1), active(experts + 1);
  // Expert 4 gets every row, the others what is left; of many rows one gets 5, one a single one.
  std::vector<std::vector<int32_t>> of(experts);
  for (int32_t pair = 0; pair < rows * topK; ++pair)
    if (pair % topK == 0)
      of[4].push_back(pair);
    else if (rows < 20)
      of[(pair * 7) % 4 + (pair % topK == 1 ? 0 : 5)].push_back(pair);
    else
      of[of[9].size() < 5 ? 9 : of[2].empty() ? 2 : 7].push_back(pair);
  int32_t place = 0;
  for (int64_t e = 0; e < experts; ++e) {
    offsets[e] = place;
    if (!of[e].empty())
      active[++active[0]] = int32_t(e);
    for (int32_t pair : of[e])
      order[place++] = pair;
  }
  offsets[experts] = place;
  Buffer<float> y(rows * topK * N, NAN);
  kernels.run("experts",
              {x.word(), uint64_t(rows), table.word(), order.word(), uint64_t(rows), offsets.word(),
               active.word(), y.word(), uint64_t(rows)},
              2);
  ASSERT_TRUE(y.intact());
  for (int64_t e = 0; e < experts; ++e)
    for (int32_t p = offsets[e]; p < offsets[e + 1]; ++p)
      for (int64_t j = 0; j < N; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < H; ++l)
          sum += double(float(x[order[p] / topK * H + l])) * double(float(weights[e][j * H + l]));
        ASSERT_NEAR(y[p * N + j], sum, 1e-4) << "expert " << e << ", place " << p << ", " << j;
      }
}

TEST(Matmul, Experts) {
  for (const TargetOptions &machine : runnableMachines()) {
    SCOPED_TRACE(nameOf(machine));
    for (auto [rows, unit] : {std::pair<int64_t, int64_t>{11, 6}, {64, 66}}) {
      checkExperts<float>(machine, rows, unit);
      checkExperts<Bf16>(machine, rows, unit);
    }
  }
}

/// The right operand as rows in memory: packed on the fly, odd sizes included.
TEST(Matmul, RowMajorRightOperand) {
  constexpr const char *text = R"(
kernel.func @product(%x: !kernel.buffer<5x$Kx$t>, %w: !kernel.buffer<$Nx$Kx$t>, %c: !kernel.buffer<5x$Nxf32>,
                     %y: !kernel.buffer<5x$Nxf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  kernel.parallel (%i) to (%c1) step [1] {
    %a = kernel.load_tile %x[%c0, %c0] : !kernel.buffer<5x$Kx$t> -> !kernel.tile<5x$Kx$t>
    %b = kernel.load_tile %w[%c0, %c0] : !kernel.buffer<$Nx$Kx$t> -> !kernel.tile<$Nx$Kx$t>
    %init = kernel.load_tile %c[%c0, %c0] : !kernel.buffer<5x$Nxf32> -> !kernel.tile<5x$Nxf32>
    %d = kernel.mma %a, %b, %init : !kernel.tile<5x$Kx$t>, !kernel.tile<$Nx$Kx$t>, !kernel.tile<5x$Nxf32>
    kernel.store_tile %d, %y[%c0, %c0] : !kernel.tile<5x$Nxf32>, !kernel.buffer<5x$Nxf32>
  }
  kernel.return
})";
  auto check = [&]<typename T>(const TargetOptions &machine, int64_t N, int64_t K, T) {
    Kernels kernels(fill(text, {{"t", sizeof(T) == 2 ? "bf16" : "f32"},
                                {"N", std::to_string(N)},
                                {"K", std::to_string(K)}}),
                    machine);
    Buffer<T> x(5 * K), w(N * K);
    Buffer<float> c(5 * N), y(5 * N);
    Random(1).fill(x);
    Random(2).fill(w);
    Random(3).fill(c);
    kernels.run("product", {x.word(), w.word(), c.word(), y.word()});
    ASSERT_TRUE(y.intact());
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < N; ++j) {
        double sum = c[i * N + j];
        for (int64_t l = 0; l < K; ++l)
          sum += double(float(x[i * K + l])) * double(float(w[j * K + l]));
        ASSERT_NEAR(y[i * N + j], sum, 1e-4) << i << ", " << j;
      }
  };
  for (const TargetOptions &machine : runnableMachines())
    for (auto [n, k] : {std::pair<int64_t, int64_t>{16, 36}, {21, 13}, {3, 64}, {70, 1}}) {
      SCOPED_TRACE(nameOf(machine));
      check(machine, n, k, float());
      check(machine, n, k, Bf16());
    }
}

} // namespace
} // namespace glm::test
