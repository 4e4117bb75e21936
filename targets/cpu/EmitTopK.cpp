// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The K best of a stream of scores. Each row has a list of candidates, in the order of positions,
// and a bound: what does not beat it cannot be among the K best so far. Scores that do are
// appended, which soon is rare; a list that is full is cut back to its K best, and the worst of
// them is the new bound. Equal scores lose to those before them, so nothing that is dropped could
// come back: the result is exact, and the place does not grow with the stream.
//
// A list is cut by halving the interval of keys that holds the K-th best, with one pass that counts
// for each step, and one pass that moves the best together. Keys are signed integers in the order
// of the scores.
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

struct Emitter::Ranking {
  Value keys, ids;                // address of i32; a list of each row, `listBytes` apart
  Value filled, bound, ends;      // address of i32, one of each row
  Tile result, scores;            // `scores` without a place: not wanted
  Value rows;                     // rows with positions at all
  int64_t kept = 0, capacity = 0; // of a list
  /// Vectors that a count reads at once, and therefore beyond the last candidate.
  static constexpr int64_t counters = 4;
};

/// A list that has been cut takes this many times what stays before it is cut again.
static constexpr int64_t slack = 3;

LogicalResult Emitter::emitTopK(TopKOp op) {
  Block &body = op.getBody().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  Ranking ranking = makeRanking(op);
  Value begin = scalarOf(op.getBegin()), end = begin;
  for (auto [row, bound] : llvm::enumerate(op.getEnds())) {
    Value own = scalarOf(bound);
    code.store(code.fromIndex(own, code.i32()), code.at(ranking.ends, 4 * int64_t(row)));
    ranking.rows = code.select(code.less(begin, own), code.index(row + 1), ranking.rows);
    end = code.max(end, own);
  }
  LogicalResult emitted = forKeys(body, begin, end, op.getStep(), [&](Value position) {
    const Tile scores = tileOf(yield.getValues()[0]);
    const Tile *numbers = yield.getNumOperands() > 1 ? &tileOf(yield.getValues()[1]) : nullptr;
    code.loop(code.index(0), ranking.rows, 1,
              [&](Value row) { offer(ranking, row, scores, numbers, position); });
  });
  code.loop(0, ranking.result.rows(), 1, [&](Value row) { takeBest(ranking, row); });
  tiles[op.getResult()] = ranking.result;
  if (op.getScores())
    tiles[op.getScores()] = ranking.scores;
  return emitted;
}

Emitter::Ranking Emitter::makeRanking(TopKOp op) {
  Ranking ranking;
  int64_t rows = op.getResult().getType().getRows();
  ranking.kept = op.getResult().getType().getColumns();
  ranking.capacity = llvm::alignTo((1 + slack) * ranking.kept + 16 * lanes, lanes);
  ranking.rows = code.index(0);
  ranking.result = allocateTile(op.getResult().getType());
  if (op.getScores())
    ranking.scores = allocateTile(op.getScores().getType());
  ranking.keys = allocate(rows * listBytes(ranking));
  ranking.ids = allocate(rows * listBytes(ranking));
  for (Value *address : {&ranking.filled, &ranking.bound, &ranking.ends})
    *address = allocate(4 * rows);
  code.loop(0, rows, 1, [&](Value row) {
    Value offset = code.mul(row, 4);
    code.store(code.integer(code.i32(), 0), code.at(ranking.filled, offset));
    code.store(code.integer(code.i32(), INT32_MIN), code.at(ranking.bound, offset));
  });
  return ranking;
}

/// Whole vectors are written behind a full list, and whole rounds of counting read.
int64_t Emitter::listBytes(const Ranking &ranking) {
  return 4 * (ranking.capacity + (Ranking::counters + 1) * lanes);
}

/// Negative floats have all bits but the sign flipped: signed order is then the order of the
/// scores. The same again gives the float back.
static Value flip(Code &code, Value bits) {
  Value sign =
      arith::ShRSIOp::create(code.builder, code.loc, bits, code.integer(bits.getType(), 31));
  return code.bitXor(bits, code.bitAnd(sign, code.integer(bits.getType(), INT32_MAX)));
}

/// Lanes of a mask as bits of one integer.
static Value asBits(Code &code, Value mask) {
  int64_t lanes = cast<VectorType>(mask.getType()).getNumElements();
  Type type = code.builder.getIntegerType(lanes);
  Value bits = code.lane(code.bitcast(code.vector(type, 1), mask), 0);
  return arith::ExtUIOp::create(code.builder, code.loc, code.i32(), bits);
}

//===--- Candidates -------------------------------------------------------------------------===//

/// One row's scores of one step: those that beat the bound become candidates.
void Emitter::offer(const Ranking &ranking, Value row, const Tile &scores, const Tile *numbers,
                    Value position) {
  Type i32 = code.i32();
  Value offset = code.mul(row, 4);
  Value first = code.fromIndex(position, i32);
  Value left = code.sub(code.load(i32, code.at(ranking.ends, offset)), first);
  left = code.min(left, scores.columns());
  forColumns(scores.columns(), [&](Value column, Chunk chunk) {
    auto wide = [&](Value value) { return chunk.lanes ? value : code.splat(value, lanes); };
    Value start = code.fromIndex(column, i32), score = wide(read(scores, row, column, chunk));
    // Adding zero makes -0 and 0 equal.
    Value bits = code.addf(score, code.zero(score.getType()));
    Value keys = flip(code, code.bitcast(code.vector(i32, lanes), bits));
    Value numbersOfLanes = code.laneNumbers(i32, lanes);
    Value exists = code.less(numbersOfLanes, code.splat(code.sub(left, start), lanes));
    Value bound = code.splat(code.load(i32, code.at(ranking.bound, offset)), lanes);
    Value better = code.bitAnd(exists, code.less(bound, keys));
    Value ids;
    if (numbers) {
      ids = wide(read(*numbers, code.index(0), column, chunk));
      better = code.bitAnd(better, code.less(code.integer(ids.getType(), -1), ids));
    } else {
      ids = code.add(code.splat(code.add(first, start), lanes), numbersOfLanes);
    }
    Value taken = asBits(code, better);
    code.when(code.compare(arith::CmpIPredicate::ne, taken, code.integer(i32, 0)), [&] {
      Value filled = code.load(i32, code.at(ranking.filled, offset));
      filled = append(ranking, row, keys, ids, better, taken, filled);
      code.store(filled, code.at(ranking.filled, offset));
      Value full = code.integer(i32, ranking.capacity - lanes);
      code.when(code.less(full, filled), [&] { cut(ranking, row); });
    });
  });
}

/// The chosen lanes behind the first `filled` of a list; how many there are then. What is written
/// beyond them is overwritten by the next.
Value Emitter::append(const Ranking &ranking, Value row, Value keys, Value ids, Value mask,
                      Value bits, Value filled) {
  Type i32 = code.i32();
  Value list = code.mul(row, listBytes(ranking));
  auto place = [&](Value base, Value at) {
    return code.at(base, code.add(list, code.mul(code.toIndex(at), 4)));
  };
  if (lanes == 16) {
    VectorType vector = code.vector(i32, lanes);
    for (auto [base, values] : {std::pair(ranking.keys, keys), std::pair(ranking.ids, ids)}) {
      Value packed = code.intrinsic("llvm.experimental.vector.compress", vector,
                                    {values, mask, code.zero(vector)});
      code.store(packed, place(base, filled));
    }
    return code.add(filled, Value(math::CtPopOp::create(code.builder, code.loc, bits)));
  }
  for (int64_t lane = 0; lane < lanes; ++lane) {
    code.store(code.lane(keys, lane), place(ranking.keys, filled));
    code.store(code.lane(ids, lane), place(ranking.ids, filled));
    filled = code.add(filled, code.bitAnd(code.shiftRight(bits, lane), code.integer(i32, 1)));
  }
  return filled;
}

//===--- Cutting ----------------------------------------------------------------------------===//

/// Leaves the K best of a list of more, in order, and makes the worst of them the bound.
void Emitter::cut(const Ranking &ranking, Value row) {
  Type i32 = code.i32();
  Value offset = code.mul(row, 4), keys = code.at(ranking.keys, code.mul(row, listBytes(ranking)));
  Value filled = code.load(i32, code.at(ranking.filled, offset));
  Value count = code.toIndex(filled), kept = code.integer(i32, ranking.kept);
  auto [low, high] = rangeOf(keys, count);
  // Behind the list nothing that counts.
  Value lowest = code.splat(code.integer(i32, INT32_MIN), lanes);
  for (int64_t part = 0; part < Ranking::counters; ++part)
    code.store(lowest, code.at(keys, code.mul(code.add(count, part * lanes), 4)));
  // At least K keys are `low` or better, fewer than K better than `high`.
  Values found = code.loopWhile(
      ValueRange{low, high}, [&](ValueRange state) { return code.less(state[0], state[1]); },
      [&](ValueRange state) {
        Value half = code.shiftRight(code.add(code.sub(state[1], state[0]), 1), 1);
        Value middle = code.add(state[0], half);
        Value better = countFrom(keys, count, middle);
        Value enough = code.compare(arith::CmpIPredicate::sge, better, kept);
        Value below = code.select(enough, state[1], code.sub(middle, 1));
        // Exactly K: any of the bounds that part them from the rest will do.
        return Values{code.select(enough, middle, state[0]),
                      code.select(code.equal(better, kept), middle, below)};
      });
  Value bound = found[0];
  Value better = countFrom(keys, count, code.add(bound, 1));
  code.store(bound, code.at(ranking.bound, offset));
  code.store(kept, code.at(ranking.filled, offset));
  if (lanes == 16)
    moveVectors(ranking, row, count, bound, code.sub(kept, better));
  else
    moveScalars(ranking, row, count, bound, code.sub(kept, better));
}

/// The smallest and the largest of `count` keys, at least one.
std::pair<Value, Value> Emitter::rangeOf(Value keys, Value count) {
  Type i32 = code.i32();
  VectorType vector = code.vector(i32, lanes);
  Value first = code.splat(code.load(i32, keys), lanes);
  code.store(first, code.at(keys, code.mul(count, 4)));
  auto smaller = [&](Value a, Value b) { return code.min(a, b); };
  auto larger = [&](Value a, Value b) { return code.max(a, b); };
  Values range =
      code.loop(code.index(0), count, lanes, {first, first}, [&](Value at, ValueRange carried) {
        Value some = code.load(vector, code.at(keys, code.mul(at, 4)));
        return Values{smaller(carried[0], some), larger(carried[1], some)};
      });
  return {code.combine(range[0], smaller), code.combine(range[1], larger)};
}

/// How many keys are `least` or better.
Value Emitter::countFrom(Value keys, Value count, Value least) {
  Type i32 = code.i32();
  VectorType vector = code.vector(i32, lanes);
  Value bound = code.splat(least, lanes);
  Values sums(Ranking::counters, code.zero(vector));
  sums = code.loop(
      code.index(0), count, lanes * Ranking::counters, sums, [&](Value at, ValueRange carried) {
        Values next;
        for (int64_t part = 0; part < Ranking::counters; ++part) {
          Value some = code.load(vector, code.at(keys, code.mul(code.add(at, part * lanes), 4)));
          Value counts = code.compare(arith::CmpIPredicate::sge, some, bound);
          Value one = arith::ExtUIOp::create(code.builder, code.loc, vector, counts);
          next.push_back(code.add(carried[part], one));
        }
        return next;
      });
  auto both = [&](Value a, Value b) { return code.add(a, b); };
  return code.combine(both(both(sums[0], sums[1]), both(sums[2], sums[3])), both);
}

/// What is better than the bound and the first `equal` of its equals, to the front of the list.
void Emitter::moveScalars(const Ranking &ranking, Value row, Value count, Value bound,
                          Value equal) {
  Type i32 = code.i32();
  Value list = code.mul(row, listBytes(ranking));
  Value keys = code.at(ranking.keys, list), ids = code.at(ranking.ids, list);
  auto one = [&](Value condition) -> Value {
    return arith::ExtUIOp::create(code.builder, code.loc, i32, condition);
  };
  code.loop(code.index(0), count, 1, {code.integer(i32, 0), equal},
            [&](Value from, ValueRange carried) {
              Value key = code.load(i32, code.at(keys, code.mul(from, 4)));
              Value id = code.load(i32, code.at(ids, code.mul(from, 4)));
              Value same =
                  code.bitAnd(code.equal(key, bound), code.less(code.integer(i32, 0), carried[1]));
              Value to = code.mul(code.toIndex(carried[0]), 4);
              code.store(key, code.at(keys, to));
              code.store(id, code.at(ids, to));
              Value taken = one(code.bitOr(code.less(bound, key), same));
              return Values{code.add(carried[0], taken), code.sub(carried[1], one(same))};
            });
}

/// The same, 16 at a time. A vector never lands behind the one it was read from.
void Emitter::moveVectors(const Ranking &ranking, Value row, Value count, Value bound,
                          Value equal) {
  Type i32 = code.i32();
  VectorType vector = code.vector(i32, lanes);
  Value list = code.mul(row, listBytes(ranking)), limit = code.splat(bound, lanes);
  auto population = [&](Value bits) -> Value {
    return math::CtPopOp::create(code.builder, code.loc, bits);
  };
  code.loop(code.index(0), count, lanes, {code.integer(i32, 0), equal},
            [&](Value from, ValueRange carried) {
              auto part = [&](Value base) {
                return code.load(vector, code.at(base, code.add(list, code.mul(from, 4))));
              };
              Value keys = part(ranking.keys), ids = part(ranking.ids);
              Value same = asBits(code, code.equal(keys, limit));
              // Equals beyond those still needed go, the last first.
              same = code.loopWhile(
                  ValueRange{same},
                  [&](ValueRange bits) { return code.less(carried[1], population(bits[0])); },
                  [&](ValueRange bits) {
                    Value leading =
                        math::CountLeadingZerosOp::create(code.builder, code.loc, bits[0]);
                    Value top = arith::ShRUIOp::create(code.builder, code.loc,
                                                       code.integer(i32, INT32_MIN), leading);
                    return Values{code.bitXor(bits[0], top)};
                  })[0];
              Value taken = code.bitOr(asBits(code, code.less(limit, keys)), same);
              Value half = arith::TruncIOp::create(code.builder, code.loc, code.i16(), taken);
              Value mask = code.bitcast(code.vector(code.i1(), lanes), code.splat(half, 1));
              Value next = append(ranking, row, keys, ids, mask, taken, carried[0]);
              return Values{next, code.sub(carried[1], population(same))};
            });
}

//===--- The end ----------------------------------------------------------------------------===//

/// A row of the results: its candidates, cut if they are more, and -1 behind them.
void Emitter::takeBest(const Ranking &ranking, Value row) {
  Type i32 = code.i32();
  Value address = code.at(ranking.filled, code.mul(row, 4));
  Value kept = code.integer(i32, ranking.kept);
  code.when(code.less(kept, code.load(i32, address)), [&] { cut(ranking, row); });
  Value filled = code.load(i32, address), list = code.mul(row, listBytes(ranking));
  forColumns(ranking.kept, [&](Value column, Chunk chunk) {
    Type type = chunk.lanes ? Type(code.vector(i32, lanes)) : i32;
    Value offset = code.mul(column, 4), number = code.fromIndex(column, i32), end = filled;
    if (chunk.lanes) {
      number = code.add(code.splat(number, lanes), code.laneNumbers(i32, lanes));
      end = code.splat(end, lanes);
    }
    Value id = code.load(type, code.at(ranking.ids, code.add(list, offset)));
    id = code.select(code.less(number, end), id, code.integer(type, -1));
    code.store(id, code.at(rowAddress(ranking.result, row), offset));
    if (!ranking.scores.base)
      return;
    Value key = code.load(type, code.at(ranking.keys, code.add(list, offset)));
    code.store(flip(code, key), code.at(rowAddress(ranking.scores, row), offset));
  });
}

} // namespace glm::cpu
