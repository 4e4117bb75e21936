// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KernelRunner.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/ErrorHandling.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace glm::test {

std::vector<TargetOptions> runnableMachines() {
  std::vector<TargetOptions> machines(1);
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect>();
  TargetDescription host = *cpuTarget().describe(context, {});
  if (host.machine.getBf16Dot()) {
    machines.emplace_back();
    machines.back().features = "-avx512bf16";
  }
  if (host.machine.getVectorBytes() == 64) {
    machines.emplace_back();
    machines.back().cpu = "x86-64-v3";
  }
  return machines;
}

std::string nameOf(const TargetOptions &machine) { return machine.cpu + machine.features; }

Kernels::Kernels(const std::string &text, const TargetOptions &machine, int64_t positions) {
  context.loadDialect<kernel::KernelDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect>();
  auto check = [](const auto &result) {
    if (!result.ok())
      llvm::report_fatal_error(llvm::Twine(std::string(result.status().message())));
  };
  absl::StatusOr<TargetDescription> described = cpuTarget().describe(context, machine);
  check(described);
  description = *described;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    llvm::report_fatal_error("the kernel does not parse");
  module.get()->setAttr(machineAttribute, description.machine);
  mlir::PassManager passes(&context);
  cpuTarget().legalize(passes);
  if (getenv("GLM_DUMP"))
    passes.enableIRPrinting();
  if (failed(passes.run(*module)))
    llvm::report_fatal_error("the kernel has no code");
  absl::StatusOr<ObjectCode> object = cpuTarget().codegen(*module, description);
  check(object);
  absl::StatusOr<CodeImage> linked = cpuTarget().link(*object, description);
  check(linked);
  image = *linked;
  int file = memfd_create("kernels", 0);
  if (write(file, image.bytes.data(), image.bytes.size()) != ssize_t(image.bytes.size()))
    llvm::report_fatal_error("no memory for the image");
  library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(file);
  if (!library)
    llvm::report_fatal_error(dlerror());
  for (const KernelEntry &entry : image.kernels) {
    void *address = dlsym(library, entry.name.c_str());
    functions[entry.name] = reinterpret_cast<glm_kernel>(address);
    size_t bytes = entry.scratch + entry.scratchPerContext * positions;
    scratch[entry.name].assign(bytes + 128, 0xff); // NaN in every float type
  }
}

Kernels::~Kernels() {
  if (library)
    dlclose(library);
}

uint8_t *Kernels::scratchOf(const std::string &name) {
  auto address = reinterpret_cast<uintptr_t>(scratch.at(name).data());
  return reinterpret_cast<uint8_t *>((address + 63) / 64 * 64);
}

void Kernels::run(const std::string &name, const std::vector<uint64_t> &arguments,
                  uint32_t workers) {
  uint8_t *own = scratchOf(name);
  std::vector<uint8_t> &all = scratch.at(name);
  uint8_t *end = own + (all.size() - 128);
  for (uint32_t worker = 0; worker < workers; ++worker) {
    std::fill(all.begin(), all.end(), 0xff);
    functions.at(name)(arguments.data(), worker, workers, own);
    for (uint8_t *at = end; at < all.data() + all.size(); ++at)
      if (*at != 0xff)
        llvm::report_fatal_error("the kernel wrote beyond its scratch");
  }
}

std::string fill(std::string text, const std::map<std::string, std::string> &names) {
  for (const auto &[name, value] : names)
    for (size_t at; (at = text.find("$" + name)) != std::string::npos;)
      text.replace(at, name.size() + 1, value);
  return text;
}

} // namespace glm::test
