// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-interpret/Run.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/import/Glm5.h"
#include "compiler/interpret/Evaluate.h"
#include "dialects/glm/Glm.h"
#include "tools/npy/Npy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <cstdio>
#include <filesystem>
#include <functional>

namespace {

using namespace glm;
using namespace glm::interpret;
using mlir::MLIRContext;
using mlir::ModuleOp;

absl::Status toStatus(std::optional<npy::Error> error) {
  return error ? codedError(static_cast<Code>(error->code), error->thing, error->what)
               : absl::OkStatus();
}

/// Arrays of these names hold truth values.
bool isMask(const std::string &name) { return name.ends_with("mask"); }

absl::Status write(const std::string &path, const Array &array, bool mask = false) {
  if (array.integers.empty()) {
    std::vector<float> values(array.reals.begin(), array.reals.end());
    return toStatus(npy::write<float>(path, array.shape, values));
  }
  if (!mask)
    return toStatus(npy::write<int32_t>(path, array.shape, array.integers));
  std::vector<std::byte> values;
  for (int32_t value : array.integers)
    values.push_back(static_cast<std::byte>(value));
  return toStatus(npy::write(path, npy::Element::Bool, array.shape, values));
}

absl::StatusOr<mlir::OwningOpRef<ModuleOp>> loadModule(const InterpretArguments &arguments,
                                                       MLIRContext &context) {
  if (arguments.module.empty()) {
    ImportOptions options;
    options.latentNormEps = arguments.latentNormEps;
    options.keepHidden = options.keepExperts = options.keepSelections = !arguments.stagesTo.empty();
    return importCheckpoint(arguments.checkpoint, options, context);
  }
  context.loadDialect<mlir::func::FuncDialect, mlir::arith::ArithDialect, model::GlmDialect>();
  DiagnosticCollector diagnostics(&context);
  auto module = mlir::parseSourceFile<ModuleOp>(arguments.module, &context);
  if (!module)
    return diagnostics.error({Code::ModuleMalformed, arguments.module, "does not parse", ""});
  return module;
}

/// A number of `glm.model`, or `otherwise` when the module does not say.
int64_t modelNumber(ModuleOp module, llvm::StringRef name, int64_t otherwise) {
  auto fields = module->getAttrOfType<mlir::DictionaryAttr>("glm.model");
  auto number = fields ? fields.getAs<mlir::IntegerAttr>(name) : nullptr;
  return number ? number.getInt() : otherwise;
}

std::vector<int64_t> stopTokens(ModuleOp module) {
  auto fields = module->getAttrOfType<mlir::DictionaryAttr>("glm.model");
  auto generation = fields ? fields.getAs<mlir::DictionaryAttr>("generation") : nullptr;
  auto eos = generation ? generation.getAs<mlir::DenseI64ArrayAttr>("eos") : nullptr;
  return eos ? eos.asArrayRef().vec() : std::vector<int64_t>();
}

absl::Status checkTokens(const InterpretArguments &arguments, ModuleOp module,
                         const std::vector<int64_t> &tokens) {
  if (tokens.empty())
    return codedError(Code::BadArguments, arguments.tokens, "holds no tokens");
  int64_t vocabulary = modelNumber(module, "vocabulary", INT32_MAX);
  for (int64_t token : tokens)
    if (token < 0 || token >= vocabulary)
      return codedError(Code::BadArguments, arguments.tokens,
                        "holds token " + std::to_string(token) + ", the model has 0 to " +
                            std::to_string(vocabulary - 1));
  int64_t context = modelNumber(module, "max_positions", INT32_MAX);
  int64_t longest = arguments.perplexity && arguments.logits.empty()
                        ? std::min<int64_t>(arguments.window, int64_t(tokens.size()))
                        : int64_t(tokens.size()) + arguments.maxTokens.value_or(0);
  if (longest > context)
    return codedError(Code::BadArguments, arguments.tokens,
                      "asks for " + std::to_string(longest) + " positions, the model has " +
                          std::to_string(context));
  return absl::OkStatus();
}

absl::Status checkFlags(const InterpretArguments &a) {
  if (a.logits.empty() && a.draftLogits.empty() && a.stagesTo.empty() && !a.maxTokens &&
      !a.perplexity)
    return codedError(Code::BadArguments, "glm-interpret", "nothing is asked for",
                      "add --logits, --draft-logits, --stages-to, --max-tokens or --perplexity");
  if (a.maxTokens.has_value() != !a.outputTokens.empty())
    return codedError(Code::FlagsConflict, "--max-tokens and --output-tokens",
                      "one is given without the other");
  if (!a.module.empty() && a.latentNormEps)
    return codedError(Code::FlagsConflict, "--latent-norm-eps",
                      "is a flag of the import, which --module replaces");
  return absl::OkStatus();
}

/// Files that are written once everything is computed: all of them or none.
class Outputs {
public:
  void add(std::string path, std::function<absl::Status()> writer) {
    files.emplace_back(std::move(path), std::move(writer));
  }

  absl::Status write() {
    for (size_t i = 0; i < files.size(); ++i) {
      absl::Status status = files[i].second();
      if (status.ok())
        continue;
      while (i > 0)
        std::remove(files[--i].first.c_str());
      return status;
    }
    return absl::OkStatus();
  }

private:
  std::vector<std::pair<std::string, std::function<absl::Status()>>> files;
};

/// Everything asked for; each on a session of its own.
class Job {
public:
  Job(const InterpretArguments &arguments, ModuleOp module, std::vector<int64_t> tokens)
      : arguments(arguments), module(module), tokens(std::move(tokens)) {}

  absl::Status run() {
    for (auto step :
         {&Job::logits, &Job::draftLogits, &Job::continuation, &Job::stages, &Job::perplexity})
      if (absl::Status status = (this->*step)(); !status.ok())
        return status;
    return outputs.write();
  }

private:
  std::unique_ptr<Session> session() {
    return Session::open(module, arguments.checkpoint, arguments.f64);
  }

  absl::Status keep(const std::string &path, absl::StatusOr<Array> array) {
    if (!array.ok())
      return array.status();
    outputs.add(path, [path, array = std::move(*array)] { return write(path, array); });
    return absl::OkStatus();
  }

  absl::Status logits() {
    if (arguments.logits.empty())
      return absl::OkStatus();
    auto result = promptLogits(*session(), tokens, arguments.chunk);
    return keep(arguments.logits, std::move(result));
  }

  absl::Status draftLogits() {
    if (arguments.draftLogits.empty())
      return absl::OkStatus();
    auto result = interpret::draftLogits(*session(), tokens, arguments.chunk);
    return keep(arguments.draftLogits, std::move(result));
  }

  absl::Status continuation() {
    if (!arguments.maxTokens)
      return absl::OkStatus();
    std::vector<int64_t> stops;
    if (!arguments.ignoreStop)
      stops = stopTokens(module);
    auto result =
        greedyTokens(*session(), tokens, size_t(*arguments.maxTokens), stops, arguments.chunk);
    if (!result.ok())
      return result.status();
    outputs.add(arguments.outputTokens, [path = arguments.outputTokens, made = std::move(*result)] {
      int64_t shape[] = {int64_t(made.size())};
      return toStatus(npy::write<int64_t>(path, shape, made));
    });
    return absl::OkStatus();
  }

  absl::Status stages() {
    if (arguments.stagesTo.empty())
      return absl::OkStatus();
    auto result = stageArrays(*session(), tokens, arguments.chunk);
    if (!result.ok())
      return result.status();
    std::error_code error;
    std::filesystem::create_directories(arguments.stagesTo, error);
    if (error)
      return codedError(Code::OutputUnwritable, arguments.stagesTo, error.message());
    for (auto &[name, array] : *result) {
      std::string path = arguments.stagesTo + "/" + name + ".npy";
      outputs.add(path, [path, array = std::move(array), mask = isMask(name)] {
        return write(path, array, mask);
      });
    }
    return absl::OkStatus();
  }

  absl::Status perplexity() {
    if (!arguments.perplexity)
      return absl::OkStatus();
    auto result = likelihood(*session(), tokens, size_t(arguments.window), arguments.chunk);
    if (!result.ok())
      return result.status();
    std::printf("{\"perplexity\": {\"tokens\": %zu, \"nats_per_token\": %.6f}}\n", result->tokens,
                result->nats / double(std::max<size_t>(1, result->tokens)));
    return absl::OkStatus();
  }

  const InterpretArguments &arguments;
  ModuleOp module;
  std::vector<int64_t> tokens;
  Outputs outputs;
};

} // namespace

absl::Status interpretCheckpoint(const InterpretArguments &arguments) {
  if (absl::Status status = checkFlags(arguments); !status.ok())
    return status;
  std::vector<int64_t> tokens;
  if (absl::Status status = toStatus(npy::readIds(arguments.tokens, tokens)); !status.ok())
    return status;
  MLIRContext context;
  auto module = loadModule(arguments, context);
  if (!module.ok())
    return module.status();
  if (absl::Status status = checkTokens(arguments, **module, tokens); !status.ok())
    return status;
  return Job(arguments, **module, std::move(tokens)).run();
}
