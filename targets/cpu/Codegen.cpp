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

absl::StatusOr<ObjectCode> generateCode(ModuleOp module, const TargetDescription &description) {
  ObjectCode object;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto scratch = function->getAttrOfType<DenseI64ArrayAttr>(scratchAttribute);
    if (!scratch)
      continue;
    object.kernels.push_back(
        {function.getName().str(), 0, uint64_t(scratch[0]), uint64_t(scratch[1])});
  }
  absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(description);
  if (!machine.ok())
    return machine.status();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, "kernels");
  if (!code)
    return absl::InternalError("kernels could not be translated to LLVM IR");
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
  object.bytes.assign(bytes.begin(), bytes.end());
  return object;
}

} // namespace glm::cpu
