// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the functions of a module that bring their arguments, and checks or prints what they return.
#include "compiler/interpret/Interpreter.h"
#include "compiler/interpret/Passes.h"

#include "dialects/glm/Glm.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

namespace glm::interpret {

#define GEN_PASS_DEF_INTERPRETPASS
#include "compiler/interpret/Passes.h.inc"

namespace {

using namespace mlir;

constexpr double defaultTolerance = 1e-5;

/// Numbers as nested lists: `[[1, 2], [3, 4]]`.
template <typename Number>
void printNested(llvm::raw_ostream &os, ArrayRef<int64_t> shape, const Number *&next) {
  if (shape.empty()) {
    os << llvm::format("%.6g", double(*next++));
    return;
  }
  os << '[';
  for (int64_t i = 0; i < shape.front(); ++i) {
    os << (i ? ", " : "");
    printNested(os, shape.drop_front(), next);
  }
  os << ']';
}

template <typename T> struct Printer {
  llvm::raw_ostream &os;

  void operator()(const Tensor<T> &tensor) const {
    Tensor<T> held = tensor.held();
    const T *next = held.data();
    printNested(os, held.shape(), next);
  }
  void operator()(const Integers &integers) const {
    const int32_t *next = integers.values.data();
    printNested(os, integers.shape, next);
  }
  void operator()(const Rows &rows) const { os << rows.size() << " rows"; }
  void operator()(Cache<T> *cache) const { os << "cache of width " << cache->width(); }
  void operator()(const Selection &selection) const {
    os << '[';
    for (size_t i = 0; i < selection.rows(); ++i) {
      os << (i ? ", [" : "[");
      llvm::interleaveComma(selection.row(i), os);
      os << ']';
    }
    os << ']';
  }
  void operator()(const Routing<T> &routing) const {
    os << '[';
    for (size_t i = 0; i < routing.ids.size(); ++i) {
      os << (i == 0                  ? "["
             : i % routing.topK == 0 ? "], ["
                                     : ", ")
         << routing.ids[i] << ": " << llvm::format("%.6g", double(routing.weights[i]));
    }
    os << (routing.ids.empty() ? "]" : "]]");
  }
  void operator()(const Quantized<T> &quantized) const {
    (*this)(quantized.codes);
    os << " by ";
    (*this)(quantized.scales);
  }
};

/// The numbers of a tensor of reals or integers, nothing for other data.
template <typename T> std::optional<std::vector<double>> numbersOf(const Datum<T> &datum) {
  if (auto *integers = std::get_if<Integers>(&datum))
    return std::vector<double>(integers->values.begin(), integers->values.end());
  auto *tensor = std::get_if<Tensor<T>>(&datum);
  if (!tensor)
    return {};
  Tensor<T> held = tensor->held();
  return std::vector<double>(held.data(), held.data() + held.count());
}

bool near(double a, double b, double tolerance) {
  return a == b || std::abs(a - b) <= tolerance || (std::isnan(a) && std::isnan(b));
}

struct InterpretPass : impl::InterpretPassBase<InterpretPass> {
  using InterpretPassBase::InterpretPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (failed(f64 ? run<double>() : run<float>()))
      signalPassFailure();
  }

  template <typename T> LogicalResult run() {
    Interpreter<T> interpreter(getOperation(), folder.getValue());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isPrivate() || !bringsArguments(function))
        continue;
      std::vector<Datum<T>> arguments;
      if (failed(readArguments<T>(function, arguments)))
        return failure();
      auto results = interpreter.call(function, std::move(arguments));
      if (failed(results))
        return failure();
      for (auto [i, datum] : llvm::enumerate(*results))
        if (failed(report<T>(function, i, datum)))
          return failure();
      ++functionsRun;
    }
    opsExecuted += interpreter.executed();
    return success();
  }

  static bool bringsArguments(func::FuncOp function) {
    return llvm::all_of(llvm::seq(function.getNumArguments()),
                        [&](unsigned i) { return bool(function.getArgAttr(i, "glm.value")); });
  }

  template <typename T>
  static LogicalResult readArguments(func::FuncOp function, std::vector<Datum<T>> &arguments) {
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      auto constant = function.getArgAttrOfType<DenseElementsAttr>(i, "glm.value");
      std::optional<Datum<T>> datum;
      if (constant)
        datum = datumOf<T>(constant, type);
      if (!datum)
        return function.emitOpError()
               << "argument " << i << " of type " << type << " does not take its glm.value";
      arguments.push_back(std::move(*datum));
    }
    return success();
  }

  template <typename T>
  static LogicalResult report(func::FuncOp function, unsigned index, const Datum<T> &datum) {
    std::string text;
    llvm::raw_string_ostream os(text);
    std::visit(Printer<T>{os}, datum);
    auto expected = function.getResultAttrOfType<DenseElementsAttr>(index, "glm.expected");
    if (!expected) {
      function.emitRemark() << "result " << index << " is " << text;
      return success();
    }
    double tolerance = defaultTolerance;
    if (auto given = function.getResultAttrOfType<FloatAttr>(index, "glm.tolerance"))
      tolerance = given.getValueAsDouble();
    auto got = numbersOf<T>(datum), want = std::optional<std::vector<double>>();
    auto element = cast<ShapedType>(expected.getType()).getElementType();
    if (auto constant = datumOf<T>(expected, isa<FloatType>(element)
                                                 ? Type(Float64Type::get(function.getContext()))
                                                 : element))
      want = numbersOf<T>(*constant);
    bool equal = got && want && got->size() == want->size();
    for (size_t i = 0; equal && i < got->size(); ++i)
      equal = near((*got)[i], (*want)[i], tolerance);
    if (equal)
      return success();
    return function.emitOpError() << "result " << index << " is " << text << ", expected "
                                  << expected;
  }
};

} // namespace
} // namespace glm::interpret
