// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target is four functions: what the machine is, which passes bring kernels to its own level, the
// object they become, the image a runtime loads. Nothing else of a target is visible outside its
// folder; what passes need to know of it reaches them as the module attribute `kernel.machine`.
//
//   describe -> kernel.machine on the module -> (tile, place) -> legalize -> codegen -> link
//
// All functions may be called from any thread, on different modules.
#ifndef GLM_TARGETS_TARGET_H
#define GLM_TARGETS_TARGET_H

#include "dialects/kernel/Kernel.h"

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <cstdint>
#include <string>
#include <vector>

namespace glm {

/// The module attribute that carries TargetDescription::machine.
inline constexpr llvm::StringLiteral machineAttribute = "kernel.machine";

/// What the user asked for. One description is one level: an artifact may hold code for several.
struct TargetOptions {
  std::string cpu = "native"; // or a name of the target's list
  std::string triple;         // empty: the host's for native, else what the cpu implies
  std::string features;       // LLVM's form, "+a,-b", applied after the cpu's own
  int64_t pageRows = 1024;    // rows of one page of a cache, a power of two
};

struct TargetDescription {
  kernel::MachineAttr machine;
  std::string name;     // "cpu"
  std::string level;    // what users call it, "sapphirerapids"
  std::string cpu;      // what LLVM calls it
  std::string triple;   // "x86_64-unknown-linux-gnu"
  std::string features; // what code generation is given beside the cpu
  /// LLVM names of features that the code may use and a loader must find on its machine.
  std::vector<std::string> requiredFeatures;
  std::string json; // all of it, for the artifact
};

/// One kernel of an image.
struct KernelEntry {
  std::string name;
  uint64_t offset = 0;  // address in the loaded image, relative to its base
  uint64_t scratch = 0; // bytes a worker needs of its own
};

struct ObjectCode {
  std::vector<std::string> objects;
  std::vector<KernelEntry> kernels; // without offsets
};

struct CodeImage {
  std::string bytes;
  std::vector<KernelEntry> kernels; // in the order of the module
};

class Target {
public:
  virtual ~Target() = default;

  /// InvalidArgument: an unknown cpu, with the names that are known.
  virtual absl::StatusOr<TargetDescription> describe(mlir::MLIRContext &context,
                                                     const TargetOptions &options) const = 0;
  /// Passes that take a module with kernel.func's to what `codegen` reads.
  virtual void legalize(mlir::OpPassManager &passes) const = 0;
  /// Relocatable code of all kernels of a legalized module. Same module, same bytes.
  virtual absl::StatusOr<ObjectCode> codegen(mlir::ModuleOp kernels,
                                             const TargetDescription &description) const = 0;
  /// A self-contained image. Internal: the object refers to something outside itself.
  virtual absl::StatusOr<CodeImage> link(const ObjectCode &object,
                                         const TargetDescription &description) const = 0;
};

} // namespace glm

#endif
