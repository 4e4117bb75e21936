// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// verify-placement: an own look at what plan-memory, insert-barriers and pack-weights have decided.
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "dialects/program/Layout.h"
#include "passes/place/Access.h"
#include "passes/place/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

namespace glm::place {
#define GEN_PASS_DEF_VERIFYPLACEMENTPASS
#include "passes/place/Passes.h.inc"
} // namespace glm::place

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

/// Bytes `[begin, end)` that somebody occupies.
struct Extent {
  int64_t begin, end;
  Operation *owner;
};

/// Where the buffers of an entry lie.
using Extents = DenseMap<Operation *, Extent>;

/// What is known at a point of an entry, whichever way led there.
struct Replay {
  DenseSet<Operation *> lost; ///< buffers that another may have been written over
  SmallVector<Touch> running; ///< since the last barrier

  void overwrite(Operation *writer, const Extents &extents);
};

struct VerifyPlacement : place::impl::VerifyPlacementPassBase<VerifyPlacement> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool valid = checkLevels(module) && checkSegment(module);
    for (auto entry : module.getOps<program::EntryOp>()) {
      AccessTable table;
      SmallVector<Touch> running;
      valid = valid && checkReferences(entry) &&
              checkHazards(entry, entry.getBody(), running, table) &&
              checkArena(entry, /*atBound=*/false) && checkArena(entry, /*atBound=*/true);
    }
    if (!valid)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  bool fail(Operation *op, StringRef thing, const Twine &what) {
    emitCoded(op, {Code::VerificationFailed, thing.str(), what.str(),
                   "this is a defect of the compiler, please report it"});
    return false;
  }
  std::optional<int64_t> valueOf(program::ExprAttr expr, bool atBound);
  bool checkLevels(ModuleOp module);
  bool checkSegment(ModuleOp module);
  bool checkReferences(program::EntryOp entry);
  static void unite(SmallVector<Touch> &touches, ArrayRef<Touch> others);
  bool checkHazards(program::EntryOp entry, Region &list, SmallVector<Touch> &running,
                    AccessTable &table);
  bool checkArena(program::EntryOp entry, bool atBound);
  bool placeExtents(program::EntryOp entry, bool atBound, Extents &extents);
  bool replayList(program::EntryOp entry, Region &list, const Extents &extents, Replay &replay,
                  AccessTable &table);
  bool checkCommand(program::EntryOp entry, Operation &command, ArrayRef<Touch> now,
                    const Extents &extents, const Replay &replay);
  bool checkOverlaps(MutableArrayRef<Extent> extents, StringRef thing, const Twine &what);
};

std::optional<int64_t> VerifyPlacement::valueOf(program::ExprAttr expr, bool atBound) {
  return program::Expr::of(expr).evaluate([&](StringRef name) -> std::optional<int64_t> {
    auto dim = getOperation().lookupSymbol<program::DimOp>(name);
    if (!dim)
      return std::nullopt;
    return atBound || dim.getKind() == program::DimKind::Fixed ? dim.getMax() : 1;
  });
}

bool VerifyPlacement::checkLevels(ModuleOp module) {
  for (Operation &op : *module.getBody())
    if (!isa<kernel::FuncOp>(op) && !isa<program::ProgramDialect>(op.getDialect()))
      return fail(&op, op.getName().getStringRef(), "is still in a placed module");
  return true;
}

bool VerifyPlacement::checkOverlaps(MutableArrayRef<Extent> extents, StringRef thing,
                                    const Twine &what) {
  llvm::sort(extents, [](const Extent &a, const Extent &b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  for (size_t i = 1; i < extents.size(); ++i)
    if (extents[i].begin < extents[i - 1].end)
      return fail(extents[i].owner, thing,
                  what + " overlap: one ends at " + Twine(extents[i - 1].end) +
                      ", the next begins at " + Twine(extents[i].begin));
  return true;
}

bool VerifyPlacement::checkSegment(ModuleOp module) {
  SmallVector<Extent> extents;
  for (auto weight : module.getOps<program::WeightOp>())
    extents.push_back({weight.getOffset(), weight.getOffset() + weight.getSize(), weight});
  for (auto bank : module.getOps<program::BankOp>())
    for (int64_t offset : bank.getOffsets())
      extents.push_back({offset, offset + bank.getSlab(), bank});
  if (!checkOverlaps(extents, "weights", "packed weights"))
    return false;
  auto segment = module.lookupSymbol<program::SegmentOp>("weights");
  int64_t size = segment ? segment.getSize().value_or(0) : 0;
  if (!extents.empty() && extents.back().end > size)
    return fail(extents.back().owner, "weights",
                "end at " + Twine(extents.back().end) + " in a segment of " + Twine(size) +
                    " bytes");
  return true;
}

/// Every reference names a symbol of its kind and type.
bool VerifyPlacement::checkReferences(program::EntryOp entry) {
  ModuleOp module = getOperation();
  SymbolTable symbols(module);
  WalkResult result = entry.walk([&](Operation *op) {
    auto matches =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case([&](program::WeightRefOp r) {
              auto target = symbols.lookup<program::WeightOp>(r.getWeight());
              return target && target.getType() == r.getResult().getType() && !r.getDerive();
            })
            .Case([&](program::BankRefOp r) {
              auto target = symbols.lookup<program::BankOp>(r.getBank());
              return target && target.getType() == r.getResult().getType();
            })
            .Case([&](program::StateRefOp r) {
              auto target = symbols.lookup<program::StateOp>(r.getState());
              return target && target.getType() == r.getResult().getType();
            })
            .Case([&](program::PackOp) { return false; })
            .Default([](Operation *) { return true; });
    if (matches)
      return WalkResult::advance();
    fail(op, entry.getSymName(), "refers to memory that the module does not have in that form");
    return WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

void VerifyPlacement::unite(SmallVector<Touch> &touches, ArrayRef<Touch> others) {
  for (const Touch &touch : others)
    if (!llvm::is_contained(touches, touch))
      touches.push_back(touch);
}

/// Both lists of a branch follow what runs in front of it, and what either leaves running runs on
/// behind it.
bool VerifyPlacement::checkHazards(program::EntryOp entry, Region &list,
                                   SmallVector<Touch> &running, AccessTable &table) {
  for (Operation &command : list.front()) {
    ++checked;
    if (auto branch = dyn_cast<program::BranchOp>(command)) {
      SmallVector<Touch> otherwise = running;
      if (!checkHazards(entry, branch.getLess(), running, table) ||
          !checkHazards(entry, branch.getOtherwise(), otherwise, table))
        return false;
      unite(running, otherwise);
      continue;
    }
    if (isa<program::BarrierOp>(command)) {
      running.clear();
      continue;
    }
    SmallVector<Touch> now = touches(&command, table);
    if (conflict(running, now))
      return fail(&command, entry.getSymName(),
                  "two launches touch the same memory without a barrier between them");
    running.append(now);
  }
  return true;
}

bool VerifyPlacement::placeExtents(program::EntryOp entry, bool atBound, Extents &extents) {
  std::optional<int64_t> arena = valueOf(entry.getArenaAttr(), atBound);
  if (!entry.getArenaAttr() || !arena || *arena % program::lineBytes)
    return fail(entry, entry.getSymName(), "has no arena that is a multiple of 64 bytes");
  for (auto buffer : entry.getBody().getOps<program::BufferOp>()) {
    if (!buffer.getOffsetAttr())
      return fail(buffer, entry.getSymName(), "has a buffer without a place");
    std::optional<int64_t> offset = valueOf(buffer.getOffsetAttr(), atBound),
                           size = valueOf(buffer.getSizeAttr(), atBound);
    if (!offset || !size || *offset % program::lineBytes || *offset < 0 || *offset + *size > *arena)
      return fail(buffer, entry.getSymName(),
                  "has a buffer outside its arena or not at a multiple of 64 bytes");
    extents[buffer] = {*offset, *offset + *size, buffer};
  }
  return true;
}

static bool overlap(const Extents &extents, Operation *a, Operation *b) {
  const Extent &left = extents.at(a), &right = extents.at(b);
  return a != b && left.begin < right.end && right.begin < left.end;
}

void Replay::overwrite(Operation *writer, const Extents &extents) {
  lost.erase(writer);
  for (auto &[buffer, extent] : extents)
    if (overlap(extents, writer, buffer))
      lost.insert(buffer);
}

/// Replays the entry and watches whose bytes hold what: a command that touches a buffer must not
/// find that another buffer has been written over it since, and whatever is touched in one interval
/// must not overlap, except for an operand that the same launch overwrites row by row.
bool VerifyPlacement::checkArena(program::EntryOp entry, bool atBound) {
  Extents extents;
  if (!placeExtents(entry, atBound, extents))
    return false;
  Replay replay;
  SmallVector<program::PortOp> outputs;
  for (auto port : entry.getBody().getOps<program::PortOp>())
    if (port.getKind() == program::PortKind::Input)
      replay.overwrite(port.getBuffer().getDefiningOp(), extents);
    else
      outputs.push_back(port);
  AccessTable table;
  if (!replayList(entry, entry.getBody(), extents, replay, table))
    return false;
  for (program::PortOp port : outputs)
    if (replay.lost.contains(port.getBuffer().getDefiningOp()))
      return fail(port, entry.getSymName(), "gives out a buffer that another was written over");
  return true;
}

bool VerifyPlacement::replayList(program::EntryOp entry, Region &list, const Extents &extents,
                                 Replay &replay, AccessTable &table) {
  for (Operation &command : list.front()) {
    if (auto branch = dyn_cast<program::BranchOp>(command)) {
      Replay otherwise = replay;
      if (!replayList(entry, branch.getLess(), extents, replay, table) ||
          !replayList(entry, branch.getOtherwise(), extents, otherwise, table))
        return false;
      replay.lost.insert_range(otherwise.lost);
      unite(replay.running, otherwise.running);
      continue;
    }
    if (isa<program::BarrierOp>(command))
      replay.running.clear();
    SmallVector<Touch> now = touches(&command, table);
    if (!checkCommand(entry, command, now, extents, replay))
      return false;
    replay.running.append(now);
    for (const Touch &touch : now)
      if (auto value = dyn_cast<Value>(touch.memory); value && touch.writes)
        replay.overwrite(value.getDefiningOp(), extents);
  }
  return true;
}

bool VerifyPlacement::checkCommand(program::EntryOp entry, Operation &command, ArrayRef<Touch> now,
                                   const Extents &extents, const Replay &replay) {
  for (const Touch &touch : now) {
    auto value = dyn_cast<Value>(touch.memory);
    if (!value)
      continue;
    if (touch.reads && replay.lost.contains(value.getDefiningOp()))
      return fail(&command, entry.getSymName(), "reads a buffer that another was written over");
    for (const Touch &other : replay.running)
      if (auto before = dyn_cast<Value>(other.memory);
          before && (touch.writes || other.writes) &&
          overlap(extents, value.getDefiningOp(), before.getDefiningOp()))
        return fail(&command, entry.getSymName(),
                    "shares bytes with a buffer that is in use in the same interval");
  }
  return true;
}

} // namespace
