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

OwningOpRef<ModuleOp> takeKernels(Compilation &c) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(c.module->getLoc());
  (*kernels)->setAttr(machineAttribute, (*c.module)->getAttr(machineAttribute));
  for (auto kernel : c.module->getOps<kernel::FuncOp>())
    kernels->push_back(kernel->clone());
  return kernels;
}

/// Each kernel.func gives way to a program.kernel in the segment `code`.
void replaceKernels(Compilation &c) {
  llvm::StringMap<const KernelEntry *> entries;
  for (const KernelEntry &entry : c.code.kernels)
    entries[entry.name] = &entry;
  SmallVector<kernel::FuncOp> kernels(c.module->getOps<kernel::FuncOp>());
  if (kernels.empty())
    return;
  OpBuilder b(&c.context);
  auto devices = c.module->getOps<program::DeviceOp>();
  b.setInsertionPointAfter(devices.empty() ? kernels.front() : *devices.begin());
  program::SegmentOp::create(b, c.module->getLoc(), "code", program::SegmentKind::Code,
                             GLM_CONTAINER_SEGMENT_ALIGNMENT,
                             b.getI64IntegerAttr(int64_t(c.code.bytes.size())), "host");
  for (kernel::FuncOp kernel : kernels) {
    const KernelEntry *entry = entries.lookup(kernel.getSymName());
    b.setInsertionPoint(kernel);
    program::KernelOp::create(b, kernel.getLoc(), kernel.getSymName(), "code",
                              int64_t(entry->offset),
                              program::Expr(int64_t(entry->scratch)).toAttribute(&c.context));
    kernel.erase();
  }
}

/// An entry needs the scratch of its greediest kernel: constants are compared now, the rest when a
/// session begins.
void setScratch(Compilation &c) {
  llvm::StringMap<program::KernelOp> kernels;
  for (auto kernel : c.module->getOps<program::KernelOp>())
    kernels[kernel.getSymName()] = kernel;
  for (auto entry : c.module->getOps<program::EntryOp>()) {
    int64_t constant = 0;
    llvm::SetVector<Attribute> growing;
    entry.walk([&](program::LaunchOp launch) {
      program::ExprAttr scratch = kernels.lookup(launch.getKernel()).getScratch();
      if (std::optional<int64_t> bytes = program::Expr::of(scratch).constant())
        constant = std::max(constant, *bytes);
      else
        growing.insert(scratch);
    });
    program::Expr most = constant;
    for (Attribute scratch : growing)
      most = max(most, program::Expr::of(cast<program::ExprAttr>(scratch)));
    entry.setScratchAttr(most.toAttribute(&c.context));
  }
}

void describeDevice(Compilation &c) {
  OpBuilder b(&c.context);
  for (auto device : c.module->getOps<program::DeviceOp>()) {
    SmallVector<StringRef> features(c.description.requiredFeatures.begin(),
                                    c.description.requiredFeatures.end());
    device.setName(c.description.cpu);
    device.setFeaturesAttr(b.getStrArrayAttr(features));
    device.setDescription(c.description.json);
  }
}

} // namespace

absl::Status describeTarget(Compilation &c) {
  if (c.target)
    return absl::OkStatus();
  if (c.options.target != "cpu")
    return codedError(Code::UnknownTarget, "--target=" + c.options.target,
                      "is no target of this version", "use cpu");
  TargetOptions options;
  options.cpu = c.options.targetCpu;
  auto description = cpuTarget().describe(c.context, options);
  if (!description.ok())
    return coded(description.status(), Code::UnknownTarget, "--target-cpu=" + options.cpu,
                 "choose one of those or native");
  c.target = &cpuTarget();
  c.description = std::move(*description);
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

  OwningOpRef<ModuleOp> kernels = takeKernels(c);
  absl::Status legal =
      c.run(Phase::Target, [&](OpPassManager &pm) { c.target->legalize(pm); }, *kernels);
  if (!legal.ok())
    return legal;
  DiagnosticCollector diagnostics(&c.context);
  auto object = c.target->codegen(*kernels, c.description);
  if (!object.ok())
    return coded(object.status(), Code::CodeGenerationFailed, "kernels", "please report the model");
  auto image = c.target->link(*object, c.description);
  if (!image.ok())
    return coded(image.status(), Code::CodeGenerationFailed, "kernels", "please report the model");
  c.code = std::move(*image);

  replaceKernels(c);
  setScratch(c);
  describeDevice(c);
  return absl::OkStatus();
}

} // namespace glm
