// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile of accumulators fills the registers but for one row of the weight and one broadcast value;
// a unit has as many of them below each other as rows that fit, widened, into half of the second
// cache. All of it depends on the machine and on the weight's shape, never on the rows of a call:
// one artifact serves one row and thousands.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "passes/tile/Factors.h"
#include "passes/tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

namespace glm {
#define GEN_PASS_DEF_CHOOSETILES
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;
using llvm::formatv;

namespace {

/// Keys of a block that is expanded: a page's rows are a multiple, and so is what the runtime makes
/// room for.
constexpr int64_t keyBlock = 64;

struct Choice {
  int64_t m = 1, n = 1, k = 0;
  std::string reason;
  bool isNarrow = false;
};

/// Registers of the machine as a grid of accumulators.
struct Grid {
  int64_t lanes, m, vectors;

  explicit Grid(kernel::MachineAttr machine)
      : lanes(machine.getVectorBytes() / 4), vectors(machine.getRegisters() >= 32 ? 4 : 2) {
    m = std::clamp<int64_t>((machine.getRegisters() - vectors - 1) / vectors, 1, 8);
  }

  int64_t columns() const { return lanes * vectors; }
};

/// Rows that meet a block of a weight before the next one is read. More than these save nothing.
constexpr int64_t mostRows = 128;

int64_t largestDivisor(int64_t value, int64_t bound, int64_t multiple) {
  for (int64_t k = std::min(value, bound); k > 0; --k)
    if (value % k == 0 && k % multiple == 0)
      return k;
  return value;
}

struct ChooseTiles : glm::impl::ChooseTilesBase<ChooseTiles> {
  using ChooseTilesBase::ChooseTilesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    machine = module->getAttrOfType<kernel::MachineAttr>("kernel.machine");
    if (!machine) {
      emitCoded(module, {Code::NoMachine, "module", "has no kernel.machine",
                         "let the target describe itself first"});
      return signalPassFailure();
    }
    module.walk([&](kernel::GroupOp group) {
      Choice choice = choose(group);
      group.setScheduleAttr(kernel::ScheduleAttr::get(&getContext(), choice.m, choice.n, choice.k));
      group->setAttr("reason", StringAttr::get(&getContext(), choice.reason));
      narrowed += choice.isNarrow;
      ++scheduled;
    });
  }

private:
  Choice choose(kernel::GroupOp group) {
    if (auto op = only<model::LinearOp>(group))
      return product(sizeAt(op.getWeight(), 0), sizeAt(op.getWeight(), 1), 1,
                     elementAt(op.getWeight()));
    if (auto op = only<model::ExpertLinearOp>(group))
      return product(sizeAt(op.getBank(), 1), sizeAt(op.getBank(), 2),
                     cast<model::RoutingType>(op.getRouting().getType()).getTopK(),
                     elementAt(op.getBank()));
    // Two products by one tile of rows: each as it would be alone.
    if (auto op = only<model::GatedLinearOp>(group))
      return product(sizeAt(op.getGate(), 0), sizeAt(op.getGate(), 1), 1, elementAt(op.getGate()));
    if (auto op = only<model::ExpertGatedLinearOp>(group))
      return product(sizeAt(op.getGates(), 1), sizeAt(op.getGates(), 2),
                     cast<model::RoutingType>(op.getRouting().getType()).getTopK(),
                     elementAt(op.getGates()));
    if (auto op = only<model::LinearGroupOp>(group))
      return together(op.getWeights());
    if (auto op = only<model::NormLinearOp>(group)) {
      // All rows that may come are one tile.
      Choice choice = together(op.getWeights());
      if (auto forms = dyn_cast<kernel::ByRowsOp>(group->getParentOp()))
        choice.m = forms.getBound() - 1;
      return choice;
    }
    if (auto op = only<model::RouterOp>(group)) {
      Choice choice = product(sizeAt(op.getWeight(), 0), sizeAt(op.getWeight(), 1), 1,
                              elementAt(op.getWeight()));
      return {1, choice.n, choice.k, "one unit; the matrix lies as for many rows"};
    }
    if (auto op = only<model::HeadLinearOp>(group))
      return headProduct(op);
    if (auto op = only<model::IndexScoresOp>(group))
      return search(op);
    if (auto op = only<model::AttendLatentOp>(group))
      return attention(op);
    if (auto op = only<model::SparseAttentionOp>(group))
      return expanded(op);
    return {1, 1, 0, "one row a unit"};
  }

  /// `matrices` are multiplied side by side, each with the same number of columns.
  Choice product(int64_t N, int64_t K, int64_t matrices, Type element) {
    Grid grid(machine);
    int64_t n = grid.columns();
    while (n > grid.lanes && matrices * int64_t(llvm::divideCeil(N, n)) < units)
      n /= 2;
    return describe(grid, n, N, K, matrices, element);
  }

  /// Panels of all weights are the units, all of one width.
  Choice together(OperandRange weights) {
    Value first = weights.front();
    if (weights.size() == 1) // as it would be alone
      return product(sizeAt(first, 0), sizeAt(first, 1), 1, elementAt(first));
    Grid grid(machine);
    int64_t n = grid.columns();
    auto pieces = [&] {
      int64_t sum = 0;
      for (Value weight : weights)
        sum += llvm::divideCeil(sizeAt(weight, 0), n);
      return sum;
    };
    while (n > grid.lanes && pieces() < units)
      n /= 2;
    Type narrowest = elementAt(first);
    for (Value weight : weights)
      if (kernel::bitWidth(model::storedElement(elementAt(weight))) <
          kernel::bitWidth(model::storedElement(narrowest)))
        narrowest = elementAt(weight);
    return describe(grid, n, pieces() * n, sizeAt(first, 1), 1, narrowest);
  }

  /// Columns of another head follow those of one: the tile divides them, or covers them.
  static int64_t headColumns(const Grid &grid, int64_t N) {
    int64_t n = grid.columns();
    while (n > grid.lanes && N % n != 0)
      n -= grid.lanes;
    return N % n == 0 ? n : std::min(grid.columns(), int64_t(llvm::alignTo(N, grid.lanes)));
  }

  Choice headProduct(model::HeadLinearOp op) {
    Grid grid(machine);
    int64_t N = sizeAt(op.getResult(), 2), K = sizeAt(op.getX(), 2);
    return describe(grid, headColumns(grid, N), N, K, sizeAt(op.getWeight(), 0),
                    elementAt(op.getWeight()));
  }

  Choice describe(const Grid &grid, int64_t n, int64_t N, int64_t K, int64_t matrices,
                  Type element) {
    int64_t k = depthOf(K, element);
    Type code = model::storedElement(element);
    int64_t m = rowsOf(grid, n, k, code);
    std::string reason =
        formatv("{0} rows in tiles of {1}x{2} accumulators in {3} registers of {4} bytes, "
                "{5} panels of {2} columns, {6} blocks of {7}",
                m, grid.m, n, machine.getRegisters(), machine.getVectorBytes(),
                matrices * llvm::divideCeil(N, n), llvm::divideCeil(K, k), k);
    return {m, n, k, reason, n < grid.columns()};
  }

  /// Columns of a block. One of numbers never spans two scales, one of integers is whole runs.
  int64_t depthOf(int64_t K, Type element) const {
    auto quantized = dyn_cast<model::QuantizedType>(element);
    int64_t length = quantized ? quantized.getColumns() : K;
    Type code = model::storedElement(element);
    if (length >= K)
      return largestDivisor(K, block, laneOf(code));
    return code.isInteger() && K % length == 0 ? largestDivisor(K, block, length) : length;
  }

  /// Rows of a unit: with their sums they take half of the second cache. Pairs of bf16 that a
  /// machine multiplies are not widened. Tile registers take 32 rows at a time.
  int64_t rowsOf(const Grid &grid, int64_t n, int64_t k, Type element) const {
    bool tiles = machine.getMatrix().starts_with("amx"), pairs = tiles || machine.getBf16Dot();
    int64_t bytes = element.isInteger() ? 1 : pairs && element.isBF16() ? 2 : 4;
    int64_t rows = machine.getL2() / 2 / (k * bytes + n * 4);
    int64_t together = tiles ? 32 : grid.m;
    return std::clamp(rows, std::max(4 * grid.m, together), mostRows) / together * together;
  }

  /// Two vectors of keys share a broadcast of a query: with one, loads are the limit.
  int64_t keysTogether() {
    return llvm::alignTo(2 * machine.getVectorBytes() / 4, machine.getCacheLineRows());
  }

  /// Rows that see the same keys read each line of them once; their queries stay in the first
  /// cache.
  Choice search(model::IndexScoresOp op) {
    int64_t H = sizeAt(op.getQ(), 1), D = sizeAt(op.getQ(), 2), keys = keysTogether();
    int64_t together = std::clamp<int64_t>(queries / H, 1, 8);
    return {together * H, keys, D,
            formatv("{0} heads of {1} rows share {2} keys, in lines of {3}", H, together, keys,
                    machine.getCacheLineRows())};
  }

  /// Values lie as W_UV does in the gathered form, so that there is one of it. Rows of a unit with
  /// their queries and sums, and two blocks of keys and values, stay in the second cache.
  Choice expanded(model::SparseAttentionOp op) {
    Grid grid(machine);
    int64_t width = op.keyWidth() + op.ropeWidth() + op.valueWidth(), n = keyBlock;
    int64_t k = headColumns(grid, op.valueWidth());
    int64_t rows = (machine.getL2() / 2 / 4 - 2 * n * width) / (width + n);
    int64_t m = std::clamp<int64_t>(rows, grid.m, expandedRows) / grid.m * grid.m;
    return {m, n, k,
            formatv("{0} rows share blocks of {1} expanded keys in tiles of {2}x{3} accumulators, "
                    "values lie in panels of {4} columns",
                    m, n, grid.m, grid.columns(), k)};
  }

  Choice attention(model::AttendLatentOp op) {
    int64_t H = sizeAt(op.getQ(), 1);
    // Sharing saves gathering; one unit a row would leave all but one worker idle in decoding.
    int64_t shared = largestDivisor(H, std::min<int64_t>(heads, std::max<int64_t>(H / 2, 1)), 1);
    return {shared, machine.getCacheLineRows(), sizeAt(op.getQ(), 2) + sizeAt(op.getQRope(), 2),
            formatv("{0} of {1} heads share gathered rows, {2} keys a step", shared, H,
                    machine.getCacheLineRows())};
  }

  kernel::MachineAttr machine;
};

} // namespace
