// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KernelRunner.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <dlfcn.h>
#include <fstream>
#include <unistd.h>

namespace glm::test {

std::vector<TargetOptions> runnableMachines() {
  std::vector<TargetOptions> machines(1);
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect>();
  TargetDescription host = *cpuTarget().describe(context, {});
  auto has = [&](const char *name) {
    return std::count(host.requiredFeatures.begin(), host.requiredFeatures.end(), name) != 0;
  };
  auto add = [&](const char *cpu, const char *features) {
    machines.emplace_back();
    machines.back().cpu = cpu;
    machines.back().features = features;
  };
  if (has("avx512bf16"))
    add("x86-64-v4", "+avx512bf16"); // with the dot product, whatever the host prefers
  if (has("avx512f"))
    add("x86-64-v4", "");
  if (has("avx512bf16") && has("avx512fp16"))
    add("sapphirerapids-loops", "");
  if (has("avx2"))
    add("x86-64-v3", "");
  return machines;
}

std::string nameOf(const TargetOptions &machine) { return machine.cpu + machine.features; }

CodeImage compileImage(const std::string &text, const TargetOptions &options,
                       mlir::MLIRContext &context, TargetDescription &description) {
  context.loadDialect<kernel::KernelDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::scf::SCFDialect>();
  auto check = [](const auto &result) {
    if (!result.ok())
      llvm::report_fatal_error(llvm::Twine(std::string(result.status().message())));
  };
  absl::StatusOr<TargetDescription> described = cpuTarget().describe(context, options);
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
  return *linked;
}

Kernels::Kernels(const std::string &text, const TargetOptions &machine)
    : image(compileImage(text, machine, context, description)) {
  // A name of its own: dlopen takes the same path for the same library.
  char path[] = "/tmp/glm-kernel-test-XXXXXX";
  int file = mkstemp(path);
  if (write(file, image.bytes.data(), image.bytes.size()) != ssize_t(image.bytes.size()))
    llvm::report_fatal_error("no file for the image");
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  close(file);
  unlink(path);
  if (!library)
    llvm::report_fatal_error(dlerror());
  for (const KernelEntry &entry : image.kernels) {
    void *address = dlsym(library, entry.name.c_str());
    functions[entry.name] = reinterpret_cast<glm_kernel>(address);
    scratch[entry.name].assign(entry.scratch + 128, 0xff); // NaN in every float type
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

std::string kernelText(const std::string &file, const std::string &from, const std::string &to) {
  std::ifstream stream(std::string(GLM_TEST_DATA) + "/../dialects/kernel/" + file);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  for (size_t at = 0; !from.empty() && (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string fill(std::string text, const std::map<std::string, std::string> &names) {
  for (const auto &[name, value] : names)
    for (size_t at; (at = text.find("$" + name)) != std::string::npos;)
      text.replace(at, name.size() + 1, value);
  return text;
}

} // namespace glm::test
