// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/Interpreter.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "dialects/glm/Glm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cstring>

using namespace mlir;

namespace glm::interpret {
namespace {

/// How often each value of a block is still going to be read; at zero its data is let go.
class Uses {
public:
  explicit Uses(Block &block) {
    for (Operation &op : block)
      for (mlir::Value operand : op.getOperands())
        ++left[operand];
  }

  template <typename T> void release(Operation &op, Frame<T> &frame) {
    for (mlir::Value operand : op.getOperands())
      if (--left[operand] == 0)
        frame.forget(operand);
    for (mlir::Value result : op.getResults())
      if (result.use_empty())
        frame.forget(result);
  }

private:
  llvm::DenseMap<mlir::Value, unsigned> left;
};

template <typename T> std::optional<Datum<T>> rowsOf(DenseElementsAttr constant) {
  auto type = cast<ShapedType>(constant.getType());
  if (type.getRank() != 2 || (type.getDimSize(1) != 3 && type.getDimSize(1) != 4) ||
      !type.getElementType().isInteger(32))
    return {};
  Rows rows(type.getDimSize(0));
  std::vector<int32_t> values(constant.value_begin<int32_t>(), constant.value_end<int32_t>());
  size_t width = type.getDimSize(1);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t *row = values.data() + i * width;
    if (row[1] < 0 || row[2] < 0)
      return {};
    rows[i] = {row[0], row[1], row[2], width == 4 ? row[3] : 0};
  }
  return rows;
}

} // namespace

template <typename T> std::optional<Datum<T>> datumOf(DenseElementsAttr constant, mlir::Type type) {
  auto shaped = cast<ShapedType>(constant.getType());
  std::vector<int64_t> shape = shaped.getShape().vec();
  if (isa<model::RowsType>(type))
    return rowsOf<T>(constant);
  if (shaped.getElementType().isInteger(32))
    return Integers{shape, {constant.value_begin<int32_t>(), constant.value_end<int32_t>()}};
  Tensor<T> tensor(shape, elementOf(type));
  T *to = tensor.data();
  if (shaped.getElementType().isInteger(8) || shaped.getElementType().isInteger(4)) {
    for (const APInt &code : constant.getValues<APInt>())
      *to++ = static_cast<T>(code.getSExtValue());
    return tensor;
  }
  if (!isa<FloatType>(shaped.getElementType()))
    return {};
  for (const APFloat &number : constant.getValues<APFloat>())
    *to++ = static_cast<T>(number.convertToDouble());
  return tensor;
}

template <typename T>
Interpreter<T>::Interpreter(ModuleOp module, std::filesystem::path folder)
    : symbolTable(module), files(std::move(folder)) {
  for (auto state : module.getOps<model::StateOp>()) {
    auto type = cast<model::CacheType>(state.getType());
    caches.try_emplace(state.getSymName(), type.getWidth(), elementOf(type));
  }
}

template <typename T> Cache<T> *Interpreter<T>::state(StringRef name) {
  return &caches.find(name)->second;
}

template <typename T> FailureOr<Datum<T>> Interpreter<T>::weight(Operation *user, StringRef name) {
  Operation *symbol = symbolTable.lookup(name);
  std::vector<std::pair<std::string, int64_t>> places;
  mlir::Type type;
  if (auto single = dyn_cast<model::WeightOp>(symbol)) {
    type = single.getType();
    places.emplace_back(single.getFile().str(), single.getOffset());
  } else {
    auto bank = cast<model::BankOp>(symbol);
    type = bank.getType();
    for (auto [file, offset] : llvm::zip(bank.getFileOf(), bank.getOffsets()))
      places.emplace_back(cast<StringAttr>(bank.getFiles()[file]).str(), offset);
  }
  auto shaped = cast<ShapedType>(type);
  bool isInteger = shaped.getElementType().isInteger(32);
  Element element = elementOf(type);
  uint64_t bytes = bytesOf(element, shaped.getNumElements() / places.size());
  std::vector<const std::byte *> pieces;
  for (auto &[file, offset] : places) {
    absl::StatusOr<const std::byte *> begin = files.at(file, offset, bytes);
    if (!begin.ok())
      return emitCoded(user, *diagnosticOf(begin.status()));
    pieces.push_back(*begin);
  }
  if (!isInteger)
    return Datum<T>(Tensor<T>(shaped.getShape().vec(), element, std::move(pieces)));
  Integers integers{shaped.getShape().vec(), {}};
  integers.values.resize(shaped.getNumElements());
  std::memcpy(integers.values.data(), pieces.front(), bytes);
  return Datum<T>(std::move(integers));
}

template <typename T> LogicalResult Interpreter<T>::execute(Operation *op, Frame<T> &frame) {
  ++steps;
  for (auto chapter : {executeDenseOp<T>, executeWeightOp<T>, executeAttentionOp<T>,
                       executeMoeOp<T>, executeQuantizeOp<T>})
    if (std::optional<LogicalResult> done = chapter(op, frame))
      return *done;
  if (auto fused = dyn_cast<model::Decomposable>(op))
    return executeSteps(fused, frame);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    std::optional<Datum<T>> datum;
    if (elements)
      datum = datumOf<T>(elements, constant.getType());
    if (!datum)
      return op->emitOpError("is no tensor of numbers or i32");
    frame.bind(constant.getResult(), std::move(*datum));
    return success();
  }
  if (auto inner = dyn_cast<func::CallOp>(op))
    return executeCall(inner, inner.getCallee(), frame);
  if (auto inner = dyn_cast<model::CallByKeysOp>(op))
    return executeCall(inner, formOf(inner, frame), frame);
  return op->emitOpError("has no interpretation");
}

template <typename T>
LogicalResult Interpreter<T>::executeCall(Operation *op, StringRef callee, Frame<T> &frame) {
  std::vector<Datum<T>> arguments;
  for (mlir::Value operand : op->getOperands())
    arguments.push_back(frame.datum(operand));
  auto results = call(function(callee), std::move(arguments));
  if (failed(results))
    return failure();
  for (auto [value, datum] : llvm::zip(op->getResults(), *results))
    frame.bind(value, std::move(datum));
  return success();
}

/// The function a runtime would call, with the presets of the module for its session.
template <typename T>
StringRef Interpreter<T>::formOf(model::CallByKeysOp op, Frame<T> &frame) const {
  auto presets = op->template getParentOfType<ModuleOp>()->template getAttrOfType<DictionaryAttr>(
      "program.presets");
  auto preset = [&](StringRef name) -> int64_t {
    auto number = presets ? presets.getAs<IntegerAttr>(name) : IntegerAttr();
    return number ? number.getInt() : 0;
  };
  const Rows *rows = nullptr;
  for (mlir::Value operand : op.getArguments())
    if (isa<model::RowsType>(operand.getType()))
      rows = &frame.rows(operand);
  if (!rows || rows->empty() || int64_t(rows->size()) < preset("expanded_rows"))
    return op.getGathered();
  for (size_t i = 0; i < rows->size(); ++i)
    if ((*rows)[i].slot != rows->front().slot ||
        (*rows)[i].position != rows->front().position + int32_t(i))
      return op.getGathered();
  int64_t keys = rows->back().position + 1;
  if (keys > preset("expanded_keys"))
    return op.getGathered();
  return keys > preset("unmasked_keys") ? op.getMasked() : op.getCausal();
}

template <typename T>
LogicalResult Interpreter<T>::executeSteps(model::Decomposable op, Frame<T> &frame) {
  // A block of its own: the module stays as it is.
  Block block;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToStart(&block);
  SmallVector<mlir::Value> defined = op.decompose(builder);
  for (Operation &step : block)
    if (failed(execute(&step, frame)))
      return failure();
  for (auto [result, value] : llvm::zip_equal(op->getResults(), defined))
    frame.bind(result, frame.datum(value));
  for (Operation &step : block)
    for (mlir::Value value : step.getResults())
      frame.forget(value);
  return success();
}

template <typename T>
FailureOr<std::vector<Datum<T>>> Interpreter<T>::call(func::FuncOp function,
                                                      std::vector<Datum<T>> arguments) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return function->emitOpError("has no single block to interpret");
  Block &block = function.getBody().front();
  Frame<T> frame(*this);
  for (auto [value, datum] : llvm::zip_equal(block.getArguments(), arguments))
    frame.bind(value, std::move(datum));
  arguments.clear();
  Uses uses(block);
  for (Operation &op : block.without_terminator()) {
    if (failed(execute(&op, frame)))
      return failure();
    uses.release(op, frame);
  }
  std::vector<Datum<T>> results;
  for (mlir::Value value : block.getTerminator()->getOperands())
    results.push_back(frame.datum(value));
  return results;
}

template class Interpreter<float>;
template class Interpreter<double>;
template std::optional<Datum<float>> datumOf<float>(DenseElementsAttr, mlir::Type);
template std::optional<Datum<double>> datumOf<double>(DenseElementsAttr, mlir::Type);

} // namespace glm::interpret
