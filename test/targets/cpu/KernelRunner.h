// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel text -> code in this process: compiled for a machine, linked, loaded with dlopen, run with
// any number of workers one after the other.
#ifndef GLM_TEST_TARGETS_CPU_KERNELRUNNER_H
#define GLM_TEST_TARGETS_CPU_KERNELRUNNER_H

#include "runtime/schema/kernel_abi.h"
#include "targets/cpu/Cpu.h"

#include "mlir/IR/MLIRContext.h"

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace glm::test {

/// Machines the host can run: itself, and itself with features taken away.
std::vector<TargetOptions> runnableMachines();
std::string nameOf(const TargetOptions &machine);

/// The linked code of a text for a machine; ends the test on any failure. `description` lives no
/// longer than `context`: its machine is an attribute.
CodeImage compileImage(const std::string &text, const TargetOptions &options,
                       mlir::MLIRContext &context, TargetDescription &description);

class Kernels {
public:
  /// Ends the test on any failure.
  Kernels(const std::string &text, const TargetOptions &machine);
  ~Kernels();

  void run(const std::string &name, const std::vector<uint64_t> &arguments, uint32_t workers = 1);
  glm_kernel entry(const std::string &name) const { return functions.at(name); }
  kernel::MachineAttr machine() const { return description.machine; }
  const CodeImage &code() const { return image; }
  uint8_t *scratchOf(const std::string &name);

private:
  mlir::MLIRContext context;
  TargetDescription description;
  CodeImage image;
  void *library = nullptr;
  std::map<std::string, glm_kernel> functions;
  std::map<std::string, std::vector<uint8_t>> scratch;
};

/// Memory at a multiple of 64 bytes between two guard areas whose bytes `intact` checks.
template <typename T> class Buffer {
public:
  explicit Buffer(size_t count, T fill = T()) : count(count), bytes(count * sizeof(T) + 256, 0xa5) {
    for (T &value : *this)
      value = fill;
  }
  T *data() { return reinterpret_cast<T *>(aligned()); }
  T *begin() { return data(); }
  T *end() { return data() + count; }
  T &operator[](size_t index) { return data()[index]; }
  size_t size() const { return count; }
  uint64_t word() { return reinterpret_cast<uint64_t>(data()); }
  bool intact() {
    uint8_t *first = reinterpret_cast<uint8_t *>(aligned()), *last = first + count * sizeof(T);
    for (uint8_t *at = first - 32; at < first; ++at)
      if (*at != 0xa5)
        return false;
    for (uint8_t *at = last; at < last + 32; ++at)
      if (*at != 0xa5)
        return false;
    return true;
  }

private:
  uint8_t *aligned() {
    return reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(bytes.data()) + 95) / 64 * 64);
  }
  size_t count;
  std::vector<uint8_t> bytes;
};

struct Bf16 {
  uint16_t bits = 0;
  Bf16() = default;
  Bf16(float value) {
    uint32_t word;
    std::memcpy(&word, &value, 4);
    bits = uint16_t((word + 0x7fff + ((word >> 16) & 1)) >> 16);
  }
  operator float() const {
    uint32_t word = uint32_t(bits) << 16;
    float value;
    std::memcpy(&value, &word, 4);
    return value;
  }
};

/// Seeded values in (-1, 1), the same everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 2654435761u + 88172645463325252u) {}
  uint64_t bits() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  float value() { return float(int64_t(bits() >> 40) - (1 << 23)) / float(1 << 23); }
  int64_t below(int64_t bound) { return int64_t(bits() % uint64_t(bound)); }
  template <typename T> void fill(Buffer<T> &buffer) {
    for (T &element : buffer)
      element = T(value());
  }

private:
  uint64_t state;
};

/// A cache of `slots` slots with two pages each, in an order that is not the slots'.
template <typename T> struct Cache {
  static constexpr int64_t pageRows = 1024;
  Cache(int64_t slots, int64_t width, int64_t lines = 0)
      : width(width), lines(lines), pages(2 * slots * pageRows * width), table(2 * slots) {
    for (int64_t entry = 0; entry < 2 * slots; ++entry)
      table[entry] = int32_t((entry * 5 + 3) % (2 * slots));
    view = {reinterpret_cast<uint8_t *>(pages.data()), table.data(), 2};
  }
  T &at(int64_t slot, int64_t position, int64_t column) {
    int64_t first = int64_t(table[slot * 2 + position / pageRows]) * pageRows,
            row = position % pageRows;
    if (lines == 0)
      return pages[(first + row) * width + column];
    int64_t words = 4 / sizeof(T);
    return pages[(first + row / lines * lines) * width +
                 (column / words * lines + row % lines) * words + column % words];
  }
  uint64_t word() { return reinterpret_cast<uint64_t>(&view); }

  int64_t width, lines;
  Buffer<T> pages;
  Buffer<int32_t> table;
  glm_cache_view view;
};

/// `[rows, columns]` packed as #kernel.panels<n, k> says.
template <typename T>
Buffer<T> packPanels(const std::vector<T> &matrix, int64_t rows, int64_t columns, int64_t n,
                     int64_t k) {
  int64_t panels = (rows + n - 1) / n, lines = (columns + k - 1) / k;
  Buffer<T> packed(panels * lines * n * k);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      packed[((row / n * lines + column / k) * n + row % n) * k + column % k] =
          matrix[row * columns + column];
  return packed;
}

template <typename T> std::vector<T> randomVector(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<T> values(count);
  for (T &value : values)
    value = T(random.value());
  return values;
}

/// A kernel of test/dialects/kernel, with `from` replaced by `to` wherever it stands.
std::string kernelText(const std::string &file, const std::string &from = "",
                       const std::string &to = "");

/// `text` with every `$name` replaced.
std::string fill(std::string text, const std::map<std::string, std::string> &names);

} // namespace glm::test

#endif
