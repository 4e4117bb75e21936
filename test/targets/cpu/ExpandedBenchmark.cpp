// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `cpu-kernel-test --benchmark`: attention over expanded keys, two heads of GLM-5, against the
// plain linear of f32 in the same run. FLOP are those of keys that rows see, not of whole blocks.
#include "Benchmark.h"
#include "Expanded.h"
#include "Linear.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace glm::test {
namespace {

double medianOf(std::array<double, 7> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[3];
}

/// GFLOP/s of `512 x 1024 x 1024`.
class PlainLinear {
public:
  explicit PlainLinear(const TargetOptions &machine)
      : kernels(linearKernel<float>({64, 1024, 1024, 1024}), machine), x(512 * 1024),
        w(1024 * 1024), y(512 * 1024) {
    Random(1).fill(x);
    Random(2).fill(w);
  }
  double rate() {
    std::vector<uint64_t> arguments{x.word(), 512, w.word(), y.word(), 512};
    glm_kernel kernel = kernels.entry("linear");
    uint8_t *scratch = kernels.scratchOf("linear");
    return 2.0 * 512 * 1024 * 1024 / seconds([&] { kernel(arguments.data(), 0, 1, scratch); }) *
           1e-9;
  }

private:
  Kernels kernels;
  Buffer<float> x, w, y;
};

template <typename T>
void benchmark(const TargetOptions &machine, PlainLinear &linear, int64_t n, int64_t first,
               bool masked) {
  ExpandedSizes s{.H = 2, .D = 192, .R = 64, .V = 256, .L = 512, .limit = 2048};
  s.words = 272;
  Kernels kernels(expandedKernels(s, sizeof(T) == 2), machine);
  int64_t keys = first + n;
  int64_t pages = (keys + 1023) / 1024, blocks = (keys + 63) / 64 * 64;
  Buffer<T> cached(pages * 1024 * (s.L + s.R)), uk(s.H * s.D * s.L), uv(s.H * s.V * s.L);
  Buffer<T> qn(n * s.H * s.D), qr(n * s.H * s.R);
  Buffer<int32_t> table(pages), selection(n * s.limit, -1), hidden(n * s.words);
  Buffer<glm_row> rows(n);
  Buffer<float> k(blocks * s.H * s.keyWidth()), v(blocks * s.H * s.valueWidth());
  Buffer<float> y(n * s.H * s.V);

  uint64_t seed = 1;
  for (Buffer<T> *buffer : {&cached, &uk, &uv, &qn, &qr})
    Random(seed++).fill(*buffer);
  for (int64_t page = 0; page < pages; ++page)
    table[page] = int32_t(page);
  for (int64_t i = 0; i < n; ++i) {
    rows[i] = {0, 0, int32_t(first + i), 0};
    int64_t visible = first + i + 1, count = std::min(s.limit, visible);
    for (int64_t c = 0; c < count; ++c)
      selection[i * s.limit + c] = int32_t(visible * c / count);
  }
  glm_cache_view view{reinterpret_cast<uint8_t *>(cached.data()), table.data(), pages};
  uint64_t N = n, K = keys, M = masked ? n : 0;
  std::vector<uint64_t> expand{reinterpret_cast<uint64_t>(&view),
                               rows.word(),
                               N,
                               uk.word(),
                               uv.word(),
                               k.word(),
                               K,
                               v.word(),
                               K};
  std::vector<uint64_t> hide{selection.word(), N, hidden.word(), M};
  std::vector<uint64_t> attend{qn.word(), N, qr.word(),     N, rows.word(), N, k.word(), K,
                               v.word(),  K, hidden.word(), M, y.word(),    N};
  auto time = [&](const char *name, std::vector<uint64_t> &arguments) {
    return seconds([&] { kernels.entry(name)(arguments.data(), 0, 1, kernels.scratchOf(name)); });
  };
  double expandFlop = 2.0 * double(keys * s.H * (s.D + s.V) * s.L);
  double seen = double(n) * (double(first) + double(n + 1) / 2);
  double attendFlop = 2.0 * seen * double(s.H * (s.D + s.R + s.V));
  std::array<double, 7> expanded, attended, hid, plain;
  time("expand", expand), time("hide", hide), time("attend", attend);
  for (int i = 0; i < 7; ++i) {
    plain[i] = linear.rate();
    expanded[i] = expandFlop / time("expand", expand) * 1e-9;
    hid[i] = time("hide", hide) * 1e6 / double(n);
    attended[i] = attendFlop / time("attend", attend) * 1e-9;
  }
  double limit = medianOf(plain), e = medianOf(expanded), a = medianOf(attended);
  std::printf(
      "%-24s %s expanded, %4ld rows to %5ld keys%s: expand %6.1f GFLOP/s (%.2f of a linear's "
      "%.1f), attend %6.1f (%.2f), hide %.2f us a row\n",
      nameOf(machine).c_str(), sizeof(T) == 2 ? "bf16" : "f32 ", long(n), long(keys),
      masked ? ", masked" : "        ", e, e / limit, limit, a, a / limit, medianOf(hid));
}

} // namespace

void runExpandedBenchmarks(const TargetOptions &machine) {
  PlainLinear linear(machine);
  for (auto [n, first, masked] :
       {std::tuple<int64_t, int64_t, bool>{512, 0, false}, {2048, 0, false}, {1024, 3072, true}}) {
    benchmark<float>(machine, linear, n, first, masked);
    benchmark<Bf16>(machine, linear, n, first, masked);
  }
}

} // namespace glm::test
