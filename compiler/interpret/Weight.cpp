// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of WeightOps.td compute.
#include "compiler/interpret/Frame.h"

#include "dialects/glm/Glm.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;

namespace glm::interpret {
namespace {

template <typename T> LogicalResult execute(model::WeightValueOp op, Frame<T> &frame) {
  FailureOr<Datum<T>> datum = frame.symbols.weight(op, op.getWeight());
  return failed(datum) ? failure() : frame.set(op.getResult(), std::move(*datum));
}

template <typename T> LogicalResult execute(model::StateValueOp op, Frame<T> &frame) {
  return frame.set(op.getResult(), frame.symbols.state(op.getState()));
}

template <typename T> LogicalResult execute(model::HeadRowsOp op, Frame<T> &frame) {
  const Tensor<T> &w = frame.tensor(op.getWeight());
  auto type = cast<ShapedType>(op.getResult().getType());
  size_t heads = type.getDimSize(0), taken = type.getDimSize(1), width = w.size(1);
  size_t each = w.size(0) / heads, begin = op.getBegin();
  Tensor<T> y = frame.make(op.getResult(), type.getShape().vec());
  std::vector<T> scratch;
  for (size_t h = 0; h < heads; ++h)
    std::copy_n(w.read((h * each + begin) * width, taken * width, scratch), taken * width,
                y.data() + h * taken * width);
  return frame.set(op.getResult(), std::move(y));
}

template <typename T> LogicalResult execute(model::AppendOp op, Frame<T> &frame) {
  Tensor<T> values = frame.tensor(op.getValues()).held();
  const Rows &rows = frame.rows(op.getRows());
  Cache<T> &cache = frame.cache(op.getCache());
  if (failed(checkRows(op, values.size(0), rows.size())))
    return failure();
  for (size_t i = 0; i < rows.size(); ++i)
    if (!cache.write(rows[i].slot, rows[i].position, values.data() + i * cache.width()))
      return op.emitOpError() << "writes position " << rows[i].position << " of slot "
                              << rows[i].slot << " before the positions in front of it";
  return success();
}

} // namespace

template <typename T> std::optional<LogicalResult> executeWeightOp(Operation *op, Frame<T> &frame) {
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .template Case<model::WeightValueOp, model::StateValueOp, model::HeadRowsOp, model::AppendOp>(
          [&](auto known) { return execute<T>(known, frame); })
      .Default([](Operation *) { return std::nullopt; });
}

template std::optional<LogicalResult> executeWeightOp<float>(Operation *, Frame<float> &);
template std::optional<LogicalResult> executeWeightOp<double>(Operation *, Frame<double> &);

} // namespace glm::interpret
