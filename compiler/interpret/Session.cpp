// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/Session.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/interpret/Interpreter.h"
#include "dialects/glm/Glm.h"

namespace glm::interpret {
namespace {

using namespace mlir;

template <typename T> Datum<T> inward(const Array &array, mlir::Type type) {
  if (cast<ShapedType>(type).getElementType().isInteger(32))
    return Integers{array.shape, array.integers};
  Tensor<T> tensor(array.shape, elementOf(type));
  for (size_t i = 0; i < array.reals.size(); ++i)
    tensor.data()[i] = static_cast<T>(array.reals[i]);
  return tensor;
}

template <typename T> Array outward(const Datum<T> &datum) {
  if (auto *integers = std::get_if<Integers>(&datum))
    return {integers->shape, {}, integers->values};
  Tensor<T> tensor = std::get<Tensor<T>>(datum).held();
  return {tensor.shape(), {tensor.data(), tensor.data() + tensor.count()}, {}};
}

template <typename T> class SessionOf final : public Session {
public:
  SessionOf(ModuleOp module, const std::filesystem::path &folder)
      : context(module.getContext()), interpreter(module, folder) {}

  bool has(const std::string &entry) override {
    auto function = interpreter.function(entry);
    return function && function->hasAttr("glm.entry");
  }

  absl::StatusOr<Arrays> run(const std::string &entry, const Rows &rows,
                             const Arrays &arguments) override {
    if (!has(entry))
      return codedError(Code::ModuleMalformed, entry, "is no entry of the module");
    func::FuncOp function = interpreter.function(entry);
    std::vector<Datum<T>> data;
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      if (isa<model::RowsType>(type)) {
        data.push_back(rows);
        continue;
      }
      auto name = function.getArgAttrOfType<StringAttr>(i, "glm.name");
      auto found = name ? arguments.find(name.str()) : arguments.end();
      if (found == arguments.end() || !isa<RankedTensorType>(type))
        return codedError(Code::ModuleMalformed, entry,
                          "argument " + std::to_string(i) + " has no value");
      data.push_back(inward<T>(found->second, type));
    }
    DiagnosticCollector diagnostics(context);
    auto results = interpreter.call(function, std::move(data));
    if (failed(results))
      return diagnostics.error({Code::PassFailed, entry, "could not be interpreted", ""});
    Arrays named;
    for (auto [i, datum] : llvm::enumerate(*results)) {
      auto name = function.getResultAttrOfType<StringAttr>(i, "glm.name");
      named.emplace(name ? name.str() : std::to_string(i), outward<T>(datum));
    }
    return named;
  }

private:
  MLIRContext *context;
  Interpreter<T> interpreter;
};

} // namespace

std::unique_ptr<Session> Session::open(ModuleOp module, const std::filesystem::path &folder,
                                       bool f64) {
  if (f64)
    return std::make_unique<SessionOf<double>>(module, folder);
  return std::make_unique<SessionOf<float>>(module, folder);
}

} // namespace glm::interpret
