// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/place/Access.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

/// The argument that a memory value of a kernel's body is, looking through changes of shape.
std::pair<BlockArgument, bool> argumentOf(Value memory) {
  bool flattened = false;
  while (Operation *view = memory.getDefiningOp()) {
    if (!isa<kernel::FlattenOp, kernel::BlockRowsOp>(view))
      break;
    memory = view->getOperand(0);
    flattened = true;
  }
  return {dyn_cast<BlockArgument>(memory), flattened};
}

/// The row a tile access starts at, if the op is one.
Value firstIndex(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<kernel::LoadTileOp, kernel::StoreTileOp, kernel::LoadScalarOp>([](auto access) {
        return access.getIndices().empty() ? Value() : access.getIndices().front();
      })
      .Default([](Operation *) { return Value(); });
}

/// Whether a tile access stays in one row of a buffer: rank 1 and rank 2 tiles have one row, of
/// rank 3 the tile lies inside the row whatever its size.
bool staysInRow(Operation *op) {
  auto rowsOfTile = [](kernel::BufferType memory, kernel::TileType tile) {
    return memory && memory.getShape().size() >= 2 &&
           (memory.getShape().size() > 2 || tile.getRows() == 1);
  };
  if (auto load = dyn_cast<kernel::LoadTileOp>(op))
    return rowsOfTile(dyn_cast<kernel::BufferType>(load.getSource().getType()),
                      load.getResult().getType());
  if (auto store = dyn_cast<kernel::StoreTileOp>(op))
    return rowsOfTile(dyn_cast<kernel::BufferType>(store.getDestination().getType()),
                      store.getTile().getType());
  return isa<kernel::LoadScalarOp>(op);
}

/// The unit of a grid of single rows, or null; and the argument that has those rows.
std::pair<BlockArgument, int64_t> rowUnit(kernel::FuncOp kernel) {
  for (auto grid : kernel.getBody().getOps<kernel::ParallelOp>()) {
    if (grid.getSteps().size() != 1 || grid.getSteps().front() != 1)
      continue;
    auto dim = grid.getBounds().front().getDefiningOp<kernel::DimOp>();
    auto rows = dim ? dyn_cast<BlockArgument>(dim.getBuffer()) : BlockArgument();
    return {grid.getBody().getArgument(0), rows ? int64_t(rows.getArgNumber()) : -1};
  }
  return {};
}

bool hasOneUnit(kernel::FuncOp kernel) {
  for (auto grid : kernel.getBody().getOps<kernel::ParallelOp>())
    return llvm::all_of(grid.getBounds(),
                        [](Value bound) { return getConstantIntValue(bound) == 1; });
  return false;
}

KernelAccess analyse(kernel::FuncOp kernel) {
  KernelAccess result;
  size_t count = kernel.getArgumentTypes().size();
  result.arguments.resize(count, {false, false, true});
  result.lastRead.resize(count, -1);
  result.firstWrite.resize(count, std::numeric_limits<int64_t>::max());
  auto [unit, gridArgument] = rowUnit(kernel);
  result.gridArgument = unit ? gridArgument : -1;
  Block *entry = &kernel.getBody().front();
  bool isOneUnit = hasOneUnit(kernel);
  int64_t position = 0;
  kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    ++position;
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects || op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
      return;
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      if (!effect.getValue())
        continue;
      auto [argument, flattened] = argumentOf(effect.getValue());
      if (!argument || argument.getOwner() != entry)
        continue;
      unsigned index = argument.getArgNumber();
      ArgumentAccess &access = result.arguments[index];
      // Inside a loop a read of the next turn would follow a write of this one.
      access.rowwise &= unit && op->getParentOp() == unit.getOwner()->getParentOp() && !flattened &&
                        firstIndex(op) == unit && staysInRow(op);
      if (isa<MemoryEffects::Read>(effect.getEffect())) {
        // What the only unit wrote itself was not there before.
        access.reads |= !(isOneUnit && access.writes);
        result.lastRead[index] = position;
      } else {
        access.writes = true;
        result.firstWrite[index] = std::min(result.firstWrite[index], position);
      }
    }
  });
  return result;
}

/// Of a kernel whose body is gone.
KernelAccess everything(size_t count) {
  KernelAccess result;
  result.arguments.resize(count, {true, true, false});
  result.lastRead.resize(count, 0);
  result.firstWrite.resize(count, 0);
  return result;
}

} // namespace

bool KernelAccess::mayOverwrite(unsigned input, unsigned output) const {
  const ArgumentAccess &from = arguments[input], &to = arguments[output];
  return from.rowwise && to.rowwise && from.reads && !from.writes && to.writes && !to.reads &&
         lastRead[input] < firstWrite[output];
}

const KernelAccess &AccessTable::of(program::LaunchOp launch) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
  auto [place, isNew] = known.try_emplace(kernel);
  if (isNew) {
    auto function = dyn_cast_or_null<kernel::FuncOp>(kernel);
    place->second = function ? analyse(function) : everything(launch.getArguments().size());
  }
  return place->second;
}

Memory place::memoryOf(Value operand) {
  if (auto state = operand.getDefiningOp<program::StateRefOp>())
    return Attribute(state.getStateAttr());
  if (operand.getDefiningOp<program::BufferOp>())
    return operand;
  return {};
}

/// The dimension that the rows of a buffer are, or null.
static StringAttr dimOf(Value operand) {
  auto buffer = operand.getDefiningOp<program::BufferOp>();
  return buffer ? buffer.getDimAttr() : StringAttr();
}

SmallVector<Touch> place::touches(Operation *command, AccessTable &table) {
  SmallVector<Touch> result;
  auto add = [&](Value operand, bool reads, bool writes, StringAttr rows = {}) {
    if (Memory memory = memoryOf(operand))
      result.push_back({memory, reads, writes, rows});
  };
  llvm::TypeSwitch<Operation *>(command)
      .Case([&](program::LaunchOp launch) {
        const KernelAccess &access = table.of(launch);
        StringAttr grid = access.gridArgument < 0
                              ? StringAttr()
                              : dimOf(launch.getArguments()[access.gridArgument]);
        for (auto [operand, argument] : llvm::zip(launch.getArguments(), access.arguments))
          add(operand, argument.reads, argument.writes,
              argument.rowwise && grid && dimOf(operand) == grid ? grid : StringAttr());
      })
      .Case<program::CopyOp, program::CollectiveOp>([&](auto op) {
        add(op.getSource(), true, false);
        add(op.getDestination(), false, true);
      })
      .Case([&](program::RequireOp op) { add(op.getRouting(), true, false); });
  return result;
}

bool place::conflict(ArrayRef<Touch> earlier, ArrayRef<Touch> later) {
  for (const Touch &a : earlier)
    for (const Touch &b : later)
      if (a.memory == b.memory && (a.writes || (b.writes && a.reads)) &&
          !(a.rows && a.rows == b.rows))
        return true;
  return false;
}
