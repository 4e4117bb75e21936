// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/ProductGrid.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm;

namespace {

/// Arithmetic on indices at one place.
struct Indices {
  OpBuilder &at;
  KernelBuilder &b;

  template <typename Op> Value make(Value x, Value y) { return Op::create(at, b.loc, x, y); }
  Value add(Value x, Value y) { return make<arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) { return make<arith::SubIOp>(x, y); }
  Value mul(Value x, Value y) { return make<arith::MulIOp>(x, y); }
  Value div(Value x, Value y) { return make<arith::DivUIOp>(x, y); }
  Value min(Value x, Value y) { return make<arith::MinSIOp>(x, y); }
  Value max(Value x, Value y) { return make<arith::MaxSIOp>(x, y); }
  Value both(Value x, Value y) { return make<arith::AndIOp>(x, y); }
  Value divideCeil(Value x, Value y) { return div(add(x, sub(y, b.index(1))), y); }
  Value isMultiple(Value x, Value y) {
    Value rest = make<arith::RemUIOp>(x, y);
    return arith::CmpIOp::create(at, b.loc, arith::CmpIPredicate::eq, rest, b.index(0));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(at, b.loc, condition, x, y);
  }
};

/// Fewer rows than these share a block of a weight only where workers would have nothing to do.
constexpr int64_t leastRows = 16;

} // namespace

Span glm::partOfRange(KernelBuilder &b, Value total, Value number, Value parts) {
  Indices i{b.body, b};
  Value begin = i.div(i.mul(total, number), parts);
  Value end = i.div(i.mul(total, i.add(number, b.index(1))), parts);
  return {begin, end};
}

Value glm::countBlocks(OpBuilder &at, KernelBuilder &b, Value rows, int64_t m, int64_t panels) {
  if (m <= leastRows)
    return Indices{at, b}.divideCeil(rows, b.index(m));
  // Constants stand in front of the grid, wherever the numbers are needed.
  Value most = b.index(m), least = b.index(leastRows), all = b.index(panels), two = b.index(2);
  b.index(1);
  Indices i{at, b};
  Value workers = kernel::WorkersOp::create(at, b.loc, at.getIndexType());
  Value wanted = i.divideCeil(i.mul(workers, two), all);
  return i.max(i.divideCeil(rows, most), i.min(i.divideCeil(rows, least), wanted));
}

Value glm::countGroups(KernelBuilder &b, int64_t panels, Value others, bool equal) {
  Value workers = kernel::WorkersOp::create(b.top, b.loc, b.top.getIndexType());
  Value count = b.index(panels), four = b.index(4);
  for (int64_t divisor = panels; divisor > 0; --divisor)
    if (panels % divisor == 0)
      b.index(divisor);
  Indices i{b.top, b};
  auto choose = [&](function_ref<Value(Value)> suits) {
    for (int64_t divisor = panels; divisor > 0; --divisor)
      if (panels % divisor == 0)
        count = i.select(suits(b.index(divisor)), b.index(divisor), count);
  };
  Value several = i.mul(workers, four);
  choose([&](Value groups) {
    Value units = i.mul(groups, others);
    Value divides = i.isMultiple(units, workers);
    if (equal)
      return divides;
    Value enough = arith::CmpIOp::create(b.top, b.loc, arith::CmpIPredicate::sge, units, several);
    return i.both(divides, enough);
  });
  if (!equal)
    choose([&](Value groups) { return i.isMultiple(groups, workers); });
  return count;
}

RowBlock glm::rowBlock(KernelBuilder &b, Value rows, Value number, Value blocks) {
  Span span = partOfRange(b, rows, number, blocks);
  return {span.begin, arith::SubIOp::create(b.body, b.loc, span.end, span.begin)};
}

void glm::forPanels(KernelBuilder &b, int64_t panels, int64_t n, Value group, Value groups,
                    function_ref<void(Value)> body) {
  if (panels == 1)
    return body(b.index(0));
  Span span = partOfRange(b, b.index(panels), group, groups);
  Value width = b.index(n);
  Indices i{b.body, b};
  Value from = i.mul(span.begin, width), to = i.mul(span.end, width);
  auto loop = scf::ForOp::create(b.body, b.loc, from, to, width);
  OpBuilder::InsertionGuard guard(b.body);
  b.body.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}
