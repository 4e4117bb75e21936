// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// insert-barriers: the list of commands is cut into intervals, each as long as possible.
#include "passes/place/Access.h"
#include "passes/place/Passes.h"

namespace glm::place {
#define GEN_PASS_DEF_INSERTBARRIERSPASS
#include "passes/place/Passes.h.inc"
} // namespace glm::place

using namespace mlir;
using namespace glm;
using namespace glm::place;

namespace {

struct InsertBarriers : place::impl::InsertBarriersPassBase<InsertBarriers> {
  void runOnOperation() override {
    AccessTable table;
    SmallVector<Touch> running;
    cut(getOperation().getBody(), running, table);
  }

  /// `running`: what may still run where the list begins, and then where it ends.
  void cut(Region &list, SmallVector<Touch> &running, AccessTable &table) {
    for (Operation &command : llvm::make_early_inc_range(list.front())) {
      if (isa<program::BarrierOp>(command)) {
        running.clear();
        continue;
      }
      if (auto branch = dyn_cast<program::BranchOp>(command)) {
        cutBranch(branch, running, table);
        continue;
      }
      SmallVector<Touch> now = touches(&command, table);
      if (now.empty())
        continue;
      if (conflict(running, now)) {
        insert(&command);
        running.clear();
      } else if (!running.empty()) {
        ++overlapping;
      }
      running.append(now);
    }
  }

  /// All workers take the same way, so a branch is no barrier: its lists begin with what runs in
  /// front of it, and what either leaves running runs on behind it.
  void cutBranch(program::BranchOp branch, SmallVector<Touch> &running, AccessTable &table) {
    bool bothWait = llvm::all_of(branch->getRegions(), [&](Region &list) {
      return !list.front().empty() && conflict(running, touches(&list.front().front(), table));
    });
    if (bothWait) { // one barrier instead of two
      insert(branch);
      running.clear();
    }
    SmallVector<Touch> otherwise = running;
    cut(branch.getLess(), running, table);
    cut(branch.getOtherwise(), otherwise, table);
    for (const Touch &touch : otherwise)
      if (!llvm::is_contained(running, touch))
        running.push_back(touch);
  }

  void insert(Operation *before) {
    OpBuilder b(before);
    StringRef device = "host";
    if (auto launch = dyn_cast<program::LaunchOp>(before))
      device = launch.getDevice();
    program::BarrierOp::create(b, before->getLoc(), device);
    ++barriers;
  }
};

} // namespace
