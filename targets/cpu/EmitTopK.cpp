// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The K best of a stream of scores. Scores become unsigned keys of the same order and are kept in
// the stream part of the scratch; three histograms (11, 11 and 10 bits of the key) find the K-th
// best key exactly; one pass in position order takes what is better and as many of its equals as
// are left.
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

struct Emitter::Ranking {
  Value count, keys, histogram; // index, address of u32, address of u32
  Tile result;
  int64_t kept() const { return result.columns(); }
};

static constexpr int64_t histogramBits = 11;

LogicalResult Emitter::emitTopK(TopKOp op) {
  Block &body = op.getBody().front();
  int64_t step = op.getStep(), kept = op.getType().getColumns();
  Ranking ranking;
  ranking.count = scalarOf(op.getCount());
  ranking.keys = stream;
  ranking.result = allocateTile(op.getType());
  ranking.histogram = allocate(4 << histogramBits);
  // Whole steps are written, and read by whole vectors.
  perContext = 4;
  tailBytes = std::max(tailBytes, 4 * (step + lanes));
  LogicalResult emitted = success();
  auto identity = [&] {
    forColumns(kept, [&](Value column, Chunk chunk) {
      Type type = chunk.lanes ? Type(code.vector(code.i32(), lanes)) : code.i32();
      Value first = code.fromIndex(column, code.i32());
      Value end = code.fromIndex(ranking.count, code.i32());
      if (chunk.lanes) {
        first = code.add(code.splat(first, lanes), code.laneNumbers(code.i32(), lanes));
        end = code.splat(end, lanes);
      }
      Value id = code.select(code.less(first, end), first, code.integer(type, -1));
      code.store(id, code.at(ranking.result.base, code.mul(column, 4)));
    });
  };
  auto select = [&] {
    code.loop(code.index(0), ranking.count, step, [&](Value position) {
      Frame frame(*this);
      scalars.map(body.getArgument(0), position);
      emitted = emitBlock(body);
      if (succeeded(emitted))
        storeKeys(ranking, tileOf(body.getTerminator()->getOperand(0)), position);
    });
    Value equal;
    Value threshold = findThreshold(ranking, equal);
    if (lanes == 16)
      takeBestVectors(ranking, threshold, equal);
    else
      takeBest(ranking, threshold, equal);
  };
  code.when(code.less(code.index(kept), ranking.count), select, identity);
  tiles[op] = ranking.result;
  return emitted;
}

/// Negative floats have all bits flipped, others the sign: unsigned order is then the order of the
/// scores. Adding zero makes -0 and 0 equal.
void Emitter::storeKeys(const Ranking &ranking, const Tile &scores, Value position) {
  forColumns(scores.columns(), [&](Value column, Chunk chunk) {
    Type type = chunk.lanes ? Type(code.vector(code.i32(), chunk.lanes)) : code.i32();
    Value score = read(scores, code.index(0), column, chunk);
    Value bits = code.bitcast(type, code.addf(score, code.zero(score.getType())));
    Value negative = arith::ShRSIOp::create(code.builder, code.loc, bits, code.integer(type, 31));
    Value flip = code.bitOr(negative, code.integer(type, int32_t(0x80000000)));
    Value target = code.at(ranking.keys, code.mul(code.add(position, column), 4));
    code.store(code.bitXor(bits, flip), target);
  });
}

/// The key of the K-th best score; `equal` (i32): how many scores with that key are among the K.
Value Emitter::findThreshold(const Ranking &ranking, Value &equal) {
  Type i32 = code.i32();
  Value prefix = code.integer(i32, 0), needed = code.integer(i32, ranking.kept());
  int64_t shift = 32;
  for (int64_t bits : {11, 11, 10}) {
    int64_t above = shift;
    shift -= bits;
    code.loop(0, 4 << histogramBits, machine.getVectorBytes(), [&](Value byte) {
      code.store(code.zero(code.vector(i32, lanes)), code.at(ranking.histogram, byte));
    });
    code.loop(code.index(0), ranking.count, 1, [&](Value position) {
      Value key = code.load(i32, code.at(ranking.keys, code.mul(position, 4)));
      Value bin = code.bitAnd(code.shiftRight(key, shift), code.integer(i32, (1 << bits) - 1));
      Value address = code.at(ranking.histogram, code.mul(code.toIndex(bin), 4));
      Value one = code.integer(i32, 1);
      if (above < 32)
        one = arith::ExtUIOp::create(code.builder, code.loc, i32,
                                     code.equal(code.shiftRight(key, above), prefix));
      code.store(code.add(code.load(i32, address), one), address);
    });
    auto size = [&](Value bin) {
      return code.load(i32, code.at(ranking.histogram, code.mul(code.toIndex(bin), 4)));
    };
    Values found = code.loopWhile(
        ValueRange{code.integer(i32, (1 << bits) - 1), needed},
        [&](ValueRange state) { return code.less(size(state[0]), state[1]); },
        [&](ValueRange state) {
          return Values{code.sub(state[0], 1), code.sub(state[1], size(state[0]))};
        });
    prefix = code.bitOr(above < 32 ? code.shiftLeft(prefix, bits) : prefix, found[0]);
    needed = found[1];
  }
  equal = needed;
  return prefix;
}

void Emitter::takeBest(const Ranking &ranking, Value threshold, Value equal) {
  Type i32 = code.i32();
  auto one = [&](Value condition) -> Value {
    return arith::ExtUIOp::create(code.builder, code.loc, i32, condition);
  };
  code.loop(code.index(0), ranking.count, 1, {code.integer(i32, 0), equal},
            [&](Value position, ValueRange carried) {
              Value key = code.load(i32, code.at(ranking.keys, code.mul(position, 4)));
              Value better = code.compare(arith::CmpIPredicate::ugt, key, threshold);
              Value same = code.bitAnd(code.equal(key, threshold),
                                       code.less(code.integer(i32, 0), carried[1]));
              // Written in any case: what is not taken is overwritten by the next, and the last
              // lands in the padding.
              code.store(code.fromIndex(position, i32),
                         code.at(ranking.result.base, code.mul(code.toIndex(carried[0]), 4)));
              return Values{code.add(carried[0], one(code.bitOr(better, same))),
                            code.sub(carried[1], one(same))};
            });
}

/// The same, 16 positions at a time; most blocks hold nothing and are skipped.
void Emitter::takeBestVectors(const Ranking &ranking, Value threshold, Value equal) {
  Type i32 = code.i32(), i16 = code.i16();
  VectorType vector = code.vector(i32, lanes);
  auto population = [&](Value bits) -> Value {
    Value count = math::CtPopOp::create(code.builder, code.loc, bits);
    return arith::ExtUIOp::create(code.builder, code.loc, i32, count);
  };
  auto asBits = [&](Value mask) {
    Value bits = code.bitcast(code.vector(i16, 1), mask);
    return code.lane(bits, 0);
  };
  code.loop(
      code.index(0), ranking.count, lanes, {code.integer(i32, 0), equal},
      [&](Value position, ValueRange carried) {
        Value keys = code.load(vector, code.at(ranking.keys, code.mul(position, 4)));
        Value inside = code.firstLanes(lanes, code.sub(ranking.count, position));
        Value bound = code.splat(threshold, lanes);
        Value better = code.bitAnd(inside, code.compare(arith::CmpIPredicate::ugt, keys, bound));
        Value same = asBits(code.bitAnd(inside, code.equal(keys, bound)));
        // Equals beyond those still needed go, the highest position first.
        same = code.loopWhile(
            ValueRange{same},
            [&](ValueRange bits) { return code.less(carried[1], population(bits[0])); },
            [&](ValueRange bits) {
              Value leading = math::CountLeadingZerosOp::create(code.builder, code.loc, bits[0]);
              Value top = arith::ShRUIOp::create(code.builder, code.loc, code.integer(i16, -32768),
                                                 leading);
              return Values{code.bitXor(bits[0], top)};
            })[0];
        Value taken = code.bitOr(asBits(better), same);
        Value count = population(taken);
        code.when(code.compare(arith::CmpIPredicate::ne, taken, code.integer(i16, 0)), [&] {
          Value ids = code.add(code.splat(code.fromIndex(position, i32), lanes),
                               code.laneNumbers(i32, lanes));
          Value mask = code.bitcast(code.vector(code.i1(), lanes), code.splat(taken, 1));
          Value packed = code.intrinsic("llvm.experimental.vector.compress", vector,
                                        {ids, mask, code.zero(vector)});
          code.store(packed, code.at(ranking.result.base, code.mul(code.toIndex(carried[0]), 4)));
        });
        return Values{code.add(carried[0], count), code.sub(carried[1], population(same))};
      });
}

} // namespace glm::cpu
