// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// target: kernels become machine code. They leave the module for one of their own, are brought to
// the target's level, compiled and linked; what stays behind is a `program.kernel` for each that
// says where in the image it begins.
#include "compiler/pipeline/Compilation.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "dialects/program/Program.h"
#include "runtime/schema/container.h"
#include "targets/cpu/Cpu.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace glm {

namespace {

/// A target's own error in a coded one; targets know no catalogue.
absl::Status coded(const absl::Status &status, Code code, const std::string &thing,
                   const char *remedy) {
  if (status.ok() || diagnosticOf(status))
    return status;
  return codedError(code, thing, std::string(status.message()), remedy);
}

OwningOpRef<ModuleOp> takeKernels(Compilation &c, const TargetDescription &level) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(c.module->getLoc());
  (*kernels)->setAttr(machineAttribute, level.machine);
  for (auto kernel : c.module->getOps<kernel::FuncOp>())
    kernels->push_back(kernel->clone());
  return kernels;
}

absl::StatusOr<CodeImage> compileKernels(Compilation &c, const TargetDescription &level) {
  OwningOpRef<ModuleOp> kernels = takeKernels(c, level);
  absl::Status legal =
      c.run(Phase::Target, [&](OpPassManager &pm) { c.target->legalize(pm); }, *kernels);
  if (!legal.ok())
    return legal;
  DiagnosticCollector diagnostics(&c.context);
  auto object = c.target->codegen(*kernels, level);
  if (!object.ok())
    return coded(object.status(), Code::CodeGenerationFailed, "kernels", "please report the model");
  auto image = c.target->link(*object, level);
  if (!image.ok())
    return coded(image.status(), Code::CodeGenerationFailed, "kernels", "please report the model");
  return image;
}

llvm::StringMap<const KernelEntry *> entriesOf(const CodeImage &image) {
  llvm::StringMap<const KernelEntry *> entries;
  for (const KernelEntry &entry : image.kernels)
    entries[entry.name] = &entry;
  return entries;
}

ArrayAttr featuresOf(OpBuilder &b, const TargetDescription &level) {
  SmallVector<StringRef> features(level.requiredFeatures.begin(), level.requiredFeatures.end());
  return b.getStrArrayAttr(features);
}

/// Each kernel.func gives way to a program.kernel, whose code is the last level's, and what better
/// processors have stands in a program.level each.
void replaceKernels(Compilation &c) {
  SmallVector<kernel::FuncOp> kernels(c.module->getOps<kernel::FuncOp>());
  if (kernels.empty())
    return;
  OpBuilder b(&c.context);
  auto devices = c.module->getOps<program::DeviceOp>();
  b.setInsertionPointAfter(devices.empty() ? kernels.front() : *devices.begin());
  for (auto [number, image] : llvm::enumerate(c.code))
    program::SegmentOp::create(b, c.module->getLoc(), segmentOf(c, number),
                               program::SegmentKind::Code, GLM_CONTAINER_SEGMENT_ALIGNMENT,
                               b.getI64IntegerAttr(int64_t(image.bytes.size())), "host");
  size_t last = c.code.size() - 1;
  auto plain = entriesOf(c.code[last]);
  for (kernel::FuncOp kernel : kernels) {
    const KernelEntry *entry = plain.lookup(kernel.getSymName());
    b.setInsertionPoint(kernel);
    program::KernelOp::create(b, kernel.getLoc(), kernel.getSymName(), segmentOf(c, last),
                              int64_t(entry->offset),
                              program::Expr(int64_t(entry->scratch)).toAttribute(&c.context));
  }
  for (size_t number = 0; number < last; ++number) {
    auto entries = entriesOf(c.code[number]);
    SmallVector<int64_t> offsets, scratch;
    for (kernel::FuncOp kernel : kernels) {
      offsets.push_back(int64_t(entries.lookup(kernel.getSymName())->offset));
      scratch.push_back(int64_t(entries.lookup(kernel.getSymName())->scratch));
    }
    const TargetDescription &level = c.levels[number];
    program::LevelOp::create(b, c.module->getLoc(), "level" + std::to_string(number), level.level,
                             featuresOf(b, level), level.json, segmentOf(c, number), offsets,
                             scratch);
  }
  for (kernel::FuncOp kernel : kernels)
    kernel.erase();
}

/// An entry needs the scratch of its greediest kernel on the greediest level.
void setScratch(Compilation &c) {
  llvm::StringMap<int64_t> most;
  for (const CodeImage &image : c.code)
    for (const KernelEntry &kernel : image.kernels)
      most[kernel.name] = std::max(most[kernel.name], int64_t(kernel.scratch));
  for (auto entry : c.module->getOps<program::EntryOp>()) {
    int64_t bytes = 0;
    entry.walk([&](program::LaunchOp launch) {
      bytes = std::max(bytes, most.lookup(launch.getKernel()));
    });
    entry.setScratchAttr(program::Expr(bytes).toAttribute(&c.context));
  }
}

void describeDevice(Compilation &c) {
  OpBuilder b(&c.context);
  for (auto device : c.module->getOps<program::DeviceOp>()) {
    device.setName(c.levels.back().level);
    device.setFeaturesAttr(featuresOf(b, c.levels.back()));
    device.setDescription(c.levels.back().json);
  }
}

/// Loops in the place of instructions are for tests and never the best.
size_t rankOf(const TargetDescription &level) {
  return level.machine.getMatrix() == "amx-loops" ? 0 : level.requiredFeatures.size();
}

/// Names become levels, best first: what needs more of a processor runs in fewer places and faster.
absl::Status describeLevels(Compilation &c) {
  SmallVector<StringRef> names;
  StringRef(c.options.targetCpu).split(names, ',');
  for (StringRef name : names) {
    TargetOptions options;
    options.cpu = name.str();
    auto description = cpuTarget().describe(c.context, options);
    if (!description.ok())
      return coded(description.status(), Code::UnknownTarget, "--target-cpu=" + options.cpu,
                   "choose one of those or native");
    for (const TargetDescription &other : c.levels)
      if (other.level == description->level)
        return codedError(Code::FlagsConflict, "--target-cpu=" + c.options.targetCpu,
                          "names the level " + other.level + " twice", "name it once");
    auto place = llvm::find_if(c.levels, [&](const TargetDescription &other) {
      return rankOf(other) < rankOf(*description);
    });
    c.levels.insert(place, std::move(*description));
  }
  return absl::OkStatus();
}

} // namespace

std::string segmentOf(const Compilation &c, size_t level) {
  return c.levels.size() == 1 ? "code" : "code." + c.levels[level].level;
}

absl::Status describeTarget(Compilation &c) {
  if (c.target)
    return absl::OkStatus();
  if (c.options.target != "cpu")
    return codedError(Code::UnknownTarget, "--target=" + c.options.target,
                      "is no target of this version", "use cpu");
  if (absl::Status status = describeLevels(c); !status.ok())
    return status;
  c.target = &cpuTarget();
  c.description =
      *std::max_element(c.levels.begin(), c.levels.end(), [](const auto &a, const auto &b) {
        return a.machine.getVectorBytes() < b.machine.getVectorBytes();
      });
  return absl::OkStatus();
}

absl::Status runTarget(Compilation &c) {
  if (absl::Status status = describeTarget(c); !status.ok())
    return status;
  auto planned = (*c.module)->getAttrOfType<kernel::MachineAttr>(machineAttribute);
  if (planned && planned != c.description.machine)
    return codedError(Code::FlagsConflict, "--target-cpu=" + c.options.targetCpu,
                      "is another machine than the module's kernels were tiled for",
                      "resume from an earlier phase or name the same processor");
  (*c.module)->setAttr(machineAttribute, c.description.machine);
  c.kernelReport = describeKernels(*c.module);
  for (const TargetDescription &level : c.levels) {
    absl::StatusOr<CodeImage> image = compileKernels(c, level);
    if (!image.ok())
      return image.status();
    c.codeBytes.push_back(image->bytes.size());
    c.code.push_back(std::move(*image));
  }
  replaceKernels(c);
  setScratch(c);
  describeDevice(c);
  return absl::OkStatus();
}

} // namespace glm
