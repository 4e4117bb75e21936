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
    cut(getOperation().getBody(), table);
  }

  /// A branch is one command for the list it stands in; its own lists are cut by themselves and
  /// begin and end with nothing running, so it stands between two barriers.
  void cut(Region &region, AccessTable &table) {
    if (region.empty())
      return;
    SmallVector<Touch> interval;
    for (Operation &command : llvm::make_early_inc_range(region.front())) {
      if (isa<program::BarrierOp>(command)) {
        interval.clear();
        continue;
      }
      SmallVector<Touch> now = touches(&command, table);
      if (now.empty())
        continue;
      bool alone = isa<program::BranchOp>(command);
      if (conflict(interval, now) || (alone && !interval.empty())) {
        insert(&command);
        interval.clear();
      } else if (!interval.empty()) {
        ++overlapping;
      }
      if (!alone) {
        interval.append(now);
        continue;
      }
      for (Region &inner : command.getRegions())
        cut(inner, table);
      if (Operation *next = command.getNextNode(); next && !isa<program::BarrierOp>(next))
        insert(next);
    }
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
