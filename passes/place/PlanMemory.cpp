// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// plan-memory: lives of buffers, measured in intervals between barriers, become offsets in one
// arena.
//
// Both lists of a branch begin in the interval in which the branch stands and count on from there;
// behind it counting goes on from the later of their ends. A command runs from the interval it
// stands in to the one that ends with the next barrier, whichever way leads there.
#include "dialects/program/Layout.h"
#include "passes/place/Access.h"
#include "passes/place/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

#include <deque>

namespace glm::place {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/place/Passes.h.inc"
} // namespace glm::place

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

/// One or more buffers that lie in the same place: each was written over the one before.
struct Allocation {
  unsigned number = 0;
  SmallVector<program::BufferOp, 1> buffers;
  /// Session dimension the size is a multiple of; null for constant sizes.
  StringAttr pool;
  /// Bytes, or bytes for one unit of `pool`; a multiple of 64.
  int64_t size = 0;
  /// First and last interval in which it holds something.
  int64_t first = std::numeric_limits<int64_t>::max(), last = -1;
  int64_t offset = -1;
  /// Lists of branches that hold all its users, innermost first.
  SmallVector<Region *, 1> lists;

  bool meets(const Allocation &other) const {
    return first <= other.last && other.first <= last && !isAlternativeTo(other);
  }

private:
  /// Only one of two lists of a branch runs.
  bool isAlternativeTo(const Allocation &other) const {
    return llvm::any_of(lists, [&](Region *own) {
      return llvm::any_of(other.lists, [&](Region *list) {
        return list != own && list->getParentOp() == own->getParentOp();
      });
    });
  }
};

/// The intervals in which a command may run.
struct Span {
  int64_t first, last;
};

/// The lists of branches that an operation stands in, innermost first.
SmallVector<Region *, 1> listsAround(Operation *op) {
  SmallVector<Region *, 1> lists;
  for (; isa<program::BranchOp>(op->getParentOp()); op = op->getParentOp())
    lists.push_back(op->getParentRegion());
  return lists;
}

struct PlanMemory : place::impl::PlanMemoryPassBase<PlanMemory> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    program::EntryOp entry = getOperation();
    if (failed(collect(entry)))
      return signalPassFailure();
    measureLives(entry);
    if (inPlace)
      writeInPlace(entry);
    place(entry);
  }

  LogicalResult collect(program::EntryOp entry);
  using Open = llvm::SetVector<Operation *>;
  int64_t countIntervals(Region &list, int64_t interval, Open &open);
  void close(Open &open, int64_t interval);
  void measureLives(program::EntryOp entry);
  void writeInPlace(program::EntryOp entry);
  void tryInPlace(program::LaunchOp launch, AccessTable &table);
  bool isOnlyTouchedBy(program::BufferOp buffer, program::LaunchOp launch, int64_t interval);
  void place(program::EntryOp entry);
  int64_t placeGreedily(MutableArrayRef<Allocation *> pool);

  std::deque<Allocation> allocations;
  DenseMap<Operation *, Allocation *> allocationOf;
  DenseMap<Operation *, Span> spanOf;
};

LogicalResult PlanMemory::collect(program::EntryOp entry) {
  allocations.clear();
  allocationOf.clear();
  spanOf.clear();
  auto module = entry->getParentOfType<ModuleOp>();
  for (program::BufferOp buffer : entry.getBody().getOps<program::BufferOp>()) {
    Allocation &allocation = allocations.emplace_back();
    allocation.number = allocations.size();
    kernel::BufferType type = buffer.getResult().getType();
    int64_t bytes = buffer.getDim() ? program::bytesPerRow(type) : program::packedBytes(type);
    allocation.size = llvm::alignTo(bytes, program::lineBytes);
    if (buffer.getDim()) {
      auto dim = module.lookupSymbol<program::DimOp>(*buffer.getDim());
      if (!dim)
        return buffer.emitOpError("has a dimension \"")
               << *buffer.getDim() << "\" the module does not declare";
      allocation.pool = dim.getBound() ? dim.getBoundAttr().getAttr() : dim.getSymNameAttr();
    }
    allocation.buffers.push_back(buffer);
    allocationOf[buffer] = &allocation;
  }
  return success();
}

/// Commands that may still run when a barrier ends this interval.
void PlanMemory::close(Open &open, int64_t interval) {
  for (Operation *command : open)
    spanOf[command].last = std::max(spanOf[command].last, interval);
  open.clear();
}

/// Numbers commands by interval, from `interval` on; returns the last. `open`: what no barrier has
/// followed yet.
int64_t PlanMemory::countIntervals(Region &list, int64_t interval, Open &open) {
  for (Operation &command : list.front()) {
    if (isa<program::BarrierOp>(command))
      close(open, interval++);
    spanOf[&command] = {interval, interval};
    open.insert(&command);
    if (auto branch = dyn_cast<program::BranchOp>(command)) {
      Open otherwise = open;
      int64_t less = countIntervals(branch.getLess(), interval, open);
      interval = std::max(less, countIntervals(branch.getOtherwise(), interval, otherwise));
      open.insert_range(otherwise);
    }
  }
  return interval;
}

/// Gives every buffer its first and last interval.
void PlanMemory::measureLives(program::EntryOp entry) {
  Open open;
  int64_t end = countIntervals(entry.getBody(), 0, open);
  close(open, end);
  for (Allocation &allocation : allocations) {
    bool isFirst = true;
    for (Operation *user : allocation.buffers.front()->getUsers()) {
      Span at = spanOf[user];
      if (auto port = dyn_cast<program::PortOp>(user))
        at.first = at.last = port.getKind() == program::PortKind::Input ? 0 : end;
      allocation.first = std::min(allocation.first, at.first);
      allocation.last = std::max(allocation.last, at.last);
      SmallVector<Region *, 1> lists = listsAround(user);
      if (isFirst)
        allocation.lists = lists;
      llvm::erase_if(allocation.lists,
                     [&](Region *list) { return !llvm::is_contained(lists, list); });
      isFirst = false;
    }
    // Two ports, or a port and nothing else: what the caller wrote or reads is there all the time.
    if (allocation.last < 0)
      allocation.first = allocation.last = 0;
  }
}

void PlanMemory::writeInPlace(program::EntryOp entry) {
  AccessTable table;
  entry.walk([&](program::LaunchOp launch) { tryInPlace(launch, table); });
}

/// Whether no other command of the interval touches the buffer: it would run while the row is being
/// overwritten. A buffer that another list uses too is left alone: there it may live longer.
bool PlanMemory::isOnlyTouchedBy(program::BufferOp buffer, program::LaunchOp launch,
                                 int64_t interval) {
  int64_t uses = 0;
  for (Operation *user : buffer->getUsers()) {
    if (isa<program::PortOp>(user))
      return false;
    if (user == launch)
      ++uses;
    else if (user->getBlock() != launch->getBlock() ||
             (spanOf[user].first <= interval && interval <= spanOf[user].last))
      return false;
  }
  return uses == 1;
}

/// Lets an output of the launch take the place of an operand that dies in it.
void PlanMemory::tryInPlace(program::LaunchOp launch, AccessTable &table) {
  const KernelAccess &access = table.of(launch);
  int64_t interval = spanOf[launch].first;
  for (auto [o, output] : llvm::enumerate(launch.getArguments())) {
    auto to = output.getDefiningOp<program::BufferOp>();
    if (!to || allocationOf[to]->first != interval || !isOnlyTouchedBy(to, launch, interval))
      continue;
    for (auto [i, input] : llvm::enumerate(launch.getArguments())) {
      auto from = input.getDefiningOp<program::BufferOp>();
      if (!from || !access.mayOverwrite(i, o))
        continue;
      Allocation *old = allocationOf[from], *young = allocationOf[to];
      if (old == young || old->last != interval || old->pool != young->pool ||
          program::bytesPerRow(from.getResult().getType()) !=
              program::bytesPerRow(to.getResult().getType()) ||
          !isOnlyTouchedBy(from, launch, interval))
        continue;
      old->last = young->last;
      for (program::BufferOp buffer : young->buffers)
        allocationOf[buffer] = old;
      old->buffers.append(young->buffers);
      young->buffers.clear();
      ++inPlaceBuffers;
      break;
    }
  }
}

/// Largest first, each at the lowest offset where nothing that lives with it lies. Returns the size
/// of the whole.
int64_t PlanMemory::placeGreedily(MutableArrayRef<Allocation *> pool) {
  llvm::sort(pool, [](Allocation *a, Allocation *b) {
    return std::pair(-a->size, a->number) < std::pair(-b->size, b->number);
  });
  int64_t end = 0;
  SmallVector<Allocation *> placed; // ascending by offset
  for (Allocation *allocation : pool) {
    int64_t offset = 0;
    for (Allocation *other : placed) {
      if (!allocation->meets(*other))
        continue;
      if (other->offset >= offset + allocation->size)
        break;
      offset = std::max(offset, other->offset + other->size);
    }
    allocation->offset = offset;
    end = std::max(end, offset + allocation->size);
    placed.insert(llvm::upper_bound(placed, offset,
                                    [](int64_t o, Allocation *other) { return o < other->offset; }),
                  allocation);
  }
  return end;
}

void PlanMemory::place(program::EntryOp entry) {
  MLIRContext *context = &getContext();
  // Constant sizes first: their pool has the null name.
  llvm::MapVector<StringAttr, SmallVector<Allocation *>> pools;
  pools[StringAttr()];
  for (Allocation &allocation : allocations)
    if (!allocation.buffers.empty())
      pools[allocation.pool].push_back(&allocation);

  program::Expr base = 0;
  for (auto &[dim, pool] : pools) {
    program::Expr unit = dim ? program::Expr::dim(dim) : program::Expr(1);
    int64_t size = placeGreedily(pool);
    for (Allocation *allocation : pool)
      for (program::BufferOp buffer : allocation->buffers) {
        buffer.setOffsetAttr((base + unit * allocation->offset).toAttribute(context));
        buffer.setSizeAttr((unit * allocation->size).toAttribute(context));
        ++buffers;
        if (dim)
          rowBytesUnshared += allocation->size;
      }
    if (dim)
      rowBytes.updateMax(size);
    base = base + unit * size;
  }
  entry.setArenaAttr(base.toAttribute(context));
  if (!entry.getScratch())
    entry.setScratchAttr(program::Expr(0).toAttribute(context));
}

} // namespace
