// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A map that is read by one other map of the same shape is computed inside it: one loop over the
// tile, no tile between.
#include "passes/tile/Emit.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

/// A map that only `consumer` reads, and whose result needs no repeating there.
static MapOp fusible(MapOp consumer) {
  for (Value input : consumer.getInputs()) {
    auto producer = input.getDefiningOp<MapOp>();
    if (producer && producer->getBlock() == consumer->getBlock() &&
        llvm::all_of(producer->getUsers(), [&](Operation *user) { return user == consumer; }) &&
        tileOf(input).getRows() == consumer.getResult().getType().getRows() &&
        tileOf(input).getColumns() == consumer.getResult().getType().getColumns())
      return producer;
  }
  return {};
}

/// The consumer anew, with the producer's scalars in front of its own.
static MapOp fuse(MapOp producer, MapOp consumer) {
  SmallVector<Value> inputs(producer.getInputs());
  for (Value input : consumer.getInputs())
    if (input != producer.getResult() && !llvm::is_contained(inputs, input))
      inputs.push_back(input);
  OpBuilder builder(consumer);
  auto fused = MapOp::create(builder, consumer.getLoc(), consumer.getResult().getType(), inputs);
  Block &block = fused.getBody().emplaceBlock();
  for (Value input : inputs)
    block.addArgument(tileOf(input).getElementType(), consumer.getLoc());
  builder.setInsertionPointToEnd(&block);
  auto copy = [&](MapOp map, Value produced) {
    IRMapping mapping;
    Block &from = map.getBody().front();
    for (auto [index, input] : llvm::enumerate(map.getInputs()))
      mapping.map(from.getArgument(index),
                  produced && input == producer.getResult()
                      ? produced
                      : block.getArgument(llvm::find(inputs, input) - inputs.begin()));
    for (Operation &op : from.without_terminator())
      builder.clone(op, mapping);
    return mapping.lookupOrDefault(from.getTerminator()->getOperand(0));
  };
  Value produced = copy(producer, Value());
  YieldOp::create(builder, consumer.getLoc(), copy(consumer, produced));
  consumer.getResult().replaceAllUsesWith(fused.getResult());
  consumer.erase();
  producer.erase();
  return fused;
}

unsigned glm::fuseMaps(FuncOp function) {
  unsigned count = 0;
  SmallVector<MapOp> maps;
  function.walk([&](MapOp map) { maps.push_back(map); });
  llvm::SmallPtrSet<Operation *, 16> gone;
  for (MapOp map : maps) {
    if (gone.contains(map))
      continue;
    while (MapOp producer = fusible(map)) {
      gone.insert(producer);
      map = fuse(producer, map);
      ++count;
    }
  }
  return count;
}
