// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Experts: which are best, columns by number, pairs laid out by expert.
#include "targets/cpu/Emitter.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

/// Column of the largest value, the lowest of equal ones, which is then taken out (-inf).
Value Emitter::takeLargest(const Tile &values) {
  Type f32 = code.f32();
  Value low = code.real(f32, -INFINITY), address = values.base;
  auto largest = [&](Value a, Value b) { return code.maximum(a, b); };
  Value best = foldColumns(values.columns(), {values.columns() == 1 ? low : code.splat(low, lanes)},
                           [&](Value column, Chunk chunk, ValueRange carried) {
                             Value value = readMemory(values, code.index(0), column, chunk);
                             if (chunk.lanes && chunk.used < chunk.lanes)
                               value = code.select(code.firstLanes(lanes, chunk.used), value,
                                                   code.splat(low, lanes));
                             return Values{code.maximum(value, carried[0])};
                           })[0];
  if (values.columns() > 1)
    best = code.combine(best, largest);
  Value found = code.loopWhile(
      ValueRange{code.index(0)},
      [&](ValueRange state) -> Value {
        Value value = code.load(f32, code.at(address, code.mul(state[0], 4)));
        Value other =
            arith::CmpFOp::create(code.builder, code.loc, arith::CmpFPredicate::UNE, value, best);
        return code.bitAnd(other, code.less(state[0], code.index(values.columns() - 1)));
      },
      [&](ValueRange state) { return Values{code.add(state[0], 1)}; })[0];
  code.store(low, code.at(address, code.mul(found, 4)));
  return found;
}

/// Columns of all but the `kept` best groups become -inf.
void Emitter::maskGroups(const Tile &values, int64_t groups, int64_t kept) {
  int64_t size = values.columns() / groups;
  Type f32 = code.f32();
  Value low = code.real(f32, -INFINITY);
  Tile scores = allocateTile(TileType::get(values.type.getContext(), 1, groups, f32));
  Tile chosen = allocateTile(TileType::get(values.type.getContext(), 1, groups, code.i32()));
  code.loop(0, groups, 1, [&](Value group) {
    Values best = code.loop(
        code.index(0), code.index(size), 1, {low, low}, [&](Value column, ValueRange carried) {
          Value at = code.add(code.mul(group, size), column);
          Value value = code.load(f32, code.at(values.base, code.mul(at, 4)));
          Value first = code.maximum(value, carried[0]);
          // The smaller of the new value and the old best competes for the second place.
          Value smaller = arith::CmpFOp::create(code.builder, code.loc, arith::CmpFPredicate::OGT,
                                                value, carried[0]);
          Value rest = code.select(smaller, carried[0], value);
          return Values{first, code.maximum(rest, carried[1])};
        });
    Value score = size == 1 ? best[0] : code.addf(best[0], best[1]);
    code.store(score, code.at(scores.base, code.mul(group, 4)));
    code.store(code.integer(code.i32(), 0), code.at(chosen.base, code.mul(group, 4)));
  });
  code.loop(0, kept, 1, [&](Value) {
    Value group = takeLargest(scores);
    code.store(code.integer(code.i32(), 1), code.at(chosen.base, code.mul(group, 4)));
  });
  code.loop(0, values.columns(), 1, [&](Value column) {
    Value flag = code.load(code.i32(), code.at(chosen.base, code.mul(code.div(column, size), 4)));
    Value address = code.at(values.base, code.mul(column, 4));
    Value value = code.load(f32, address);
    code.store(code.select(code.equal(flag, code.integer(code.i32(), 0)), low, value), address);
  });
}

LogicalResult Emitter::emitSelectExperts(SelectExpertsOp op) {
  // A copy, in which what was chosen is taken out.
  Tile values = allocateTile(op.getValues().getType());
  write(tileOf(op.getValues()), values, /*exact=*/false);
  if (op.getKept() < op.getGroups())
    maskGroups(values, op.getGroups(), op.getKept());
  Tile result = allocateTile(op.getType());
  Type i32 = code.i32();
  // Insertion keeps the chosen columns ascending.
  code.loop(0, result.columns(), 1, [&](Value number) {
    Value column = code.fromIndex(takeLargest(values), i32);
    Value place = code.loopWhile(
        ValueRange{number},
        [&](ValueRange state) -> Value {
          return code.choose(
              code.less(code.index(0), state[0]), code.i1(),
              [&] {
                Value address = code.at(result.base, code.mul(code.sub(state[0], 1), 4));
                return Values{code.less(column, code.load(i32, address))};
              },
              [&] { return Values{code.integer(code.i1(), 0)}; })[0];
        },
        [&](ValueRange state) {
          Value below = code.sub(state[0], 1);
          code.store(code.load(i32, code.at(result.base, code.mul(below, 4))),
                     code.at(result.base, code.mul(state[0], 4)));
          return Values{below};
        })[0];
    code.store(column, code.at(result.base, code.mul(place, 4)));
  });
  tiles[op] = result;
  return success();
}

LogicalResult Emitter::emitTakeColumns(TakeColumnsOp op) {
  const Tile x = materialize(tileOf(op.getX())), ids = tileOf(op.getIds());
  Tile result = allocateTile(op.getType());
  code.loop(0, result.columns(), 1, [&](Value column) {
    Value id = code.toIndex(read(ids, code.index(0), column, Chunk{}));
    Value value = readMemory(x, code.index(0), id, Chunk{});
    code.store(value, code.at(result.base, code.mul(column, result.elementBytes())));
  });
  tiles[op] = result;
  return success();
}

/// A counting sort by expert; pairs of one expert stay in the order of their rows.
LogicalResult Emitter::emitGroupRows(GroupRowsOp op) {
  const Memory ids = memories.lookup(op.getIds());
  int64_t experts = op.getOffsets().getType().getShape()[0] - 1;
  Value pairs = code.mul(ids.sizes[0], ids.sizes[1]);
  Type i32 = code.i32();
  auto element = [&](Value buffer, Value at) { return code.at(buffer, code.mul(at, 4)); };
  Value order = memories.lookup(op.getOrder()).base,
        inverse = memories.lookup(op.getInverse()).base;
  Value offsets = memories.lookup(op.getOffsets()).base;
  Value active = memories.lookup(op.getActive()).base;
  Value places = allocate(4 * experts); // first counts, then the next free place of each expert
  code.loop(0, experts, 1,
            [&](Value expert) { code.store(code.integer(i32, 0), element(places, expert)); });
  code.loop(code.index(0), pairs, 1, [&](Value pair) {
    Value address = element(places, code.toIndex(code.load(i32, element(ids.base, pair))));
    code.store(code.add(code.load(i32, address), 1), address);
  });
  code.store(code.integer(i32, 0), offsets);
  Values ends =
      code.loop(code.index(0), code.index(experts), 1, {code.integer(i32, 0), code.integer(i32, 0)},
                [&](Value expert, ValueRange carried) {
                  Value count = code.load(i32, element(places, expert));
                  Value end = code.add(carried[0], count);
                  code.store(carried[0], element(places, expert));
                  code.store(end, element(offsets, code.add(expert, 1)));
                  Value number = code.add(carried[1], 1);
                  Value some = code.less(code.integer(i32, 0), count);
                  code.when(some, [&] {
                    code.store(code.fromIndex(expert, i32), element(active, code.toIndex(number)));
                  });
                  return Values{end, code.select(some, number, carried[1])};
                });
  code.store(ends[1], active);
  code.loop(code.index(0), pairs, 1, [&](Value pair) {
    Value address = element(places, code.toIndex(code.load(i32, element(ids.base, pair))));
    Value place = code.load(i32, address);
    code.store(code.add(place, 1), address);
    code.store(code.fromIndex(pair, i32), element(order, code.toIndex(place)));
    code.store(place, element(inverse, pair));
  });
  return success();
}

} // namespace glm::cpu
