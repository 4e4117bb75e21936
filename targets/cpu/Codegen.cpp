// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM functions to an ELF object: translation, LLVM's O3 pipeline with the target's costs, its
// code generator. Functions may call nothing ("no-builtins"), so the object refers to nothing
// outside.
#include "targets/cpu/Codegen.h"
#include "targets/cpu/Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/Threading.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace mlir;

namespace glm::cpu {

void initializeLlvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
}

absl::StatusOr<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const TargetDescription &description) {
  initializeLlvm();
  std::string error;
  llvm::Triple triple(description.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return absl::InvalidArgumentError(error);
  llvm::TargetOptions options;
  options.UseInitArray = true;
  options.FunctionSections = true;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, description.cpu, description.features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return absl::InternalError("LLVM has no machine for " + description.triple);
  return machine;
}

static void setAttributes(llvm::Module &module, const TargetDescription &description) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", description.cpu);
    if (!description.features.empty())
      function.addFnAttr("target-features", description.features);
    function.addFnAttr("prefer-vector-width",
                       std::to_string(description.machine.getVectorBytes() * 8));
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // SVE: how long vectors are at least, which the loader has made sure of.
    if (llvm::Triple(description.triple).isAArch64() && description.machine.getVectorBytes() > 16)
      function.addFnAttr(llvm::Attribute::getWithVScaleRangeArgs(
          module.getContext(), unsigned(description.machine.getVectorBytes() / 16), 16));
    function.setVisibility(llvm::GlobalValue::DefaultVisibility);
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

/// One object of a module of LLVM functions; runs on any thread.
static absl::StatusOr<std::string> emitObject(std::unique_ptr<llvm::Module> code,
                                              const TargetDescription &description) {
  absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(description);
  if (!machine.ok())
    return machine.status();
  code->setDataLayout((*machine)->createDataLayout());
  code->setTargetTriple((*machine)->getTargetTriple());
  setAttributes(*code, description);
  optimize(*code, **machine);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    return absl::InternalError("LLVM writes no objects for " + description.triple);
  passes.run(*code);
  return std::string(bytes.begin(), bytes.end());
}

namespace {

/// Some of the kernels with a context of their own, so that a thread may compile them.
struct Part {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> code;
  absl::StatusOr<std::string> object;
};

} // namespace

/// Kernels in turn, so that the bytes depend on their number only and not on that of threads.
static std::vector<Part> splitKernels(ModuleOp module) {
  constexpr size_t most = 8;
  SmallVector<LLVM::LLVMFuncOp> functions(module.getOps<LLVM::LLVMFuncOp>());
  std::vector<Part> parts(std::min(most, functions.size()));
  for (size_t part = 0; part < parts.size(); ++part) {
    OwningOpRef<ModuleOp> some = ModuleOp::create(module.getLoc());
    for (size_t index = part; index < functions.size(); index += parts.size())
      some->push_back(functions[index].clone());
    parts[part].code = translateModuleToLLVMIR(*some, *parts[part].context, "kernels");
  }
  return parts;
}

absl::StatusOr<ObjectCode> generateCode(ModuleOp module, const TargetDescription &description) {
  ObjectCode result;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (auto scratch = function->getAttrOfType<IntegerAttr>(scratchAttribute))
      result.kernels.push_back({function.getName().str(), 0, uint64_t(scratch.getInt())});
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  std::vector<Part> parts = splitKernels(module);
  for (const Part &part : parts)
    if (!part.code)
      return absl::InternalError("kernels could not be translated to LLVM IR");
  initializeLlvm();
  {
    llvm::DefaultThreadPool threads(llvm::hardware_concurrency());
    for (Part &part : parts)
      threads.async([&] { part.object = emitObject(std::move(part.code), description); });
    threads.wait();
  }
  for (Part &part : parts) {
    if (!part.object.ok())
      return part.object.status();
    result.objects.push_back(std::move(*part.object));
  }
  return result;
}

} // namespace glm::cpu
