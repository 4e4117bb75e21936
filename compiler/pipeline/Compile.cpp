// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/pipeline/Compile.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/pipeline/Compilation.h"
#include "dialects/glm/Glm.h"
#include "dialects/program/Program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <array>
#include <chrono>
#include <sys/resource.h>

using namespace mlir;

namespace glm {

namespace {

struct PhaseEntry {
  Phase phase;
  const char *name;
  absl::Status (*run)(Compilation &);
};

/// The whole compiler, in order.
constexpr std::array<PhaseEntry, 7> phases = {{{Phase::Import, "import", runImport},
                                               {Phase::Model, "model", runModel},
                                               {Phase::Fuse, "fuse", runFuse},
                                               {Phase::Tile, "tile", runTile},
                                               {Phase::Place, "place", runPlace},
                                               {Phase::Target, "target", runTarget},
                                               {Phase::Artifact, "artifact", runArtifact}}};

uint64_t peakBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return uint64_t(usage.ru_maxrss) * 1024;
}

/// Where the compilation starts: the phase to run first. Reads the module when there is one.
absl::StatusOr<Phase> enter(Compilation &c) {
  const CompileOptions &o = c.options;
  std::error_code error;
  if (!o.resume && std::filesystem::is_directory(o.input, error)) {
    c.checkpoint = o.input;
    return Phase::Import;
  }
  if (!o.resume && o.input.extension() != ".mlir") {
    bool there = std::filesystem::exists(o.input, error);
    return codedError(Code::InputMissing, o.input.string(),
                      there ? "is neither a folder nor a .mlir file" : "does not exist",
                      "name the folder of a checkpoint or a module");
  }
  if (o.resume)
    c.checkpoint = o.input;
  auto behind = readModule(c, o.resume.value_or(o.input));
  if (!behind.ok())
    return behind.status();
  Phase first = Phase(int(*behind) + 1);
  if (first > o.to)
    return codedError(Code::FlagsConflict, std::string("--compile-to=") + nameOf(o.to),
                      std::string("the module already stands behind ") + nameOf(*behind),
                      "choose a later phase");
  return first;
}

/// What will be written must be writable: better said now than when everything else is done.
absl::Status checkOutputs(const CompileOptions &o) {
  for (const std::filesystem::path &path : {o.output, o.report}) {
    if (path.empty())
      continue;
    auto probe = artifact::OutputFile::create(path);
    if (!probe.ok())
      return probe.status();
  }
  return absl::OkStatus();
}

absl::Status dump(Compilation &c, Phase phase) {
  std::error_code error;
  std::filesystem::create_directories(c.options.dumpTo, error);
  if (error)
    return codedError(Code::OutputUnwritable, c.options.dumpTo.string(), error.message(),
                      "choose another folder");
  std::string name = std::to_string(int(phase) + 1) + "-" + nameOf(phase) + ".mlir";
  return writeModule(c, c.options.dumpTo / name);
}

absl::Status runPhase(Compilation &c, const PhaseEntry &entry) {
  auto begin = std::chrono::steady_clock::now();
  if (absl::Status status = entry.run(c); !status.ok())
    return status;
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  c.costs.push_back({entry.phase, took.count(), peakBytes()});
  if (entry.phase == Phase::Artifact)
    return absl::OkStatus();
  (*c.module)->setAttr(phaseAttribute, StringAttr::get(&c.context, entry.name));
  return c.options.dumpTo.empty() ? absl::OkStatus() : dump(c, entry.phase);
}

} // namespace

const char *nameOf(Phase phase) { return phases[size_t(phase)].name; }

std::optional<Phase> parsePhase(std::string_view name) {
  for (const PhaseEntry &entry : phases)
    if (name == entry.name)
      return entry.phase;
  return std::nullopt;
}

Compilation::Compilation(const CompileOptions &options)
    : options(options), context(MLIRContext::Threading::DISABLED) {
  if (options.jobs > 1) {
    threads = std::make_unique<llvm::DefaultThreadPool>(llvm::hardware_concurrency(options.jobs));
    context.setThreadPool(*threads);
  }
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect, scf::SCFDialect,
                      model::GlmDialect, kernel::KernelDialect, program::ProgramDialect>();
}

Compilation::~Compilation() {
  // Modules die before the context, the context before its threads.
  module = nullptr;
  context.disableMultithreading();
}

absl::Status Compilation::run(Phase phase, function_ref<void(OpPassManager &)> build, ModuleOp on) {
  PassManager pm(&context, ModuleOp::getOperationName());
  build(pm);
  DiagnosticCollector diagnostics(&context);
  bool passed = succeeded(pm.run(on ? on : *module));
  llvm::append_range(decisions, diagnostics.remarks());
  if (passed) {
    diagnostics.flushWarnings();
    return absl::OkStatus();
  }
  return diagnostics.error({Code::PassFailed, std::string("phase ") + nameOf(phase),
                            "a pass failed without saying why", "please report the model"});
}

absl::Status compile(const CompileOptions &options) {
  if (absl::Status status = checkOutputs(options); !status.ok())
    return status;
  Compilation c(options);
  absl::StatusOr<Phase> first = enter(c);
  if (!first.ok())
    return first.status();
  for (const PhaseEntry &entry : phases)
    if (entry.phase >= *first && entry.phase <= options.to)
      if (absl::Status status = runPhase(c, entry); !status.ok())
        return status;
  if (options.to != Phase::Artifact)
    if (absl::Status status = writeModule(c, options.output); !status.ok())
      return status;
  return options.report.empty() ? absl::OkStatus() : writeReport(c);
}

} // namespace glm
