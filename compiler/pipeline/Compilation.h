// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is carried from phase to phase, and the phases. Internal to this folder.
#ifndef GLM_COMPILER_PIPELINE_COMPILATION_H
#define GLM_COMPILER_PIPELINE_COMPILATION_H

#include "compiler/artifact/Artifact.h"
#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/pipeline/Compile.h"
#include "targets/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/ThreadPool.h"

#include <memory>

namespace glm {

/// Name of the module attribute that says behind which phase a module stands.
inline constexpr llvm::StringLiteral phaseAttribute = "glm.phase";

struct PhaseCost {
  Phase phase;
  double milliseconds = 0;
  /// Peak of the process so far.
  uint64_t peakBytes = 0;
};

class Compilation {
public:
  explicit Compilation(const CompileOptions &options);
  ~Compilation();

  const CompileOptions &options;
  std::unique_ptr<llvm::DefaultThreadPool> threads;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Folder of the checkpoint; empty when there is none.
  std::filesystem::path checkpoint;
  const Target *target = nullptr;
  /// What the artifact has code for, best first.
  std::vector<TargetDescription> levels;
  /// The level that tiles and the packing of weights are chosen for: the one of the widest vectors.
  /// The others read the same panels.
  TargetDescription description;
  /// From the target phase on, one image a level.
  std::vector<CodeImage> code;
  std::vector<uint64_t> codeBytes; // of each, when the images are gone into the artifact
  artifact::WriteSummary written;
  std::vector<PhaseCost> costs;
  /// What passes decided, in their own words: `glm-fuse-gated-mlp: fused …`.
  std::vector<DiagnosticCollector::Remark> decisions;
  /// What kernels looked like before they became code, for the report.
  llvm::json::Array kernelReport;

  /// Runs passes on `on` (the module when null); a failure is one coded error.
  absl::Status run(Phase phase, llvm::function_ref<void(mlir::OpPassManager &)> build,
                   mlir::ModuleOp on = {});
};

// The phases, one file each.
absl::Status runImport(Compilation &compilation);
absl::Status runModel(Compilation &compilation);
absl::Status runFuse(Compilation &compilation);
absl::Status runTile(Compilation &compilation);
absl::Status runPlace(Compilation &compilation);
absl::Status runTarget(Compilation &compilation);
absl::Status runArtifact(Compilation &compilation);

/// Reads the module a compilation goes on with. Returns the phase it stands behind.
absl::StatusOr<Phase> readModule(Compilation &compilation, const std::filesystem::path &file);

/// Writes the module as text; to standard output when `file` is empty.
absl::Status writeModule(Compilation &compilation, const std::filesystem::path &file);

/// Finds the target and what it says of the machine, once.
absl::Status describeTarget(Compilation &compilation);

/// The segment that holds a level's code: of one level only, plain `code`.
std::string segmentOf(const Compilation &compilation, size_t level);

/// One object a kernel: tiles, reason, launches. Looked at while kernels still have bodies.
llvm::json::Array describeKernels(mlir::ModuleOp module);

absl::Status writeReport(const Compilation &compilation);

} // namespace glm

#endif
