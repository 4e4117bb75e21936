// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules as files: where a compilation goes on, and where it stops.
#include "compiler/pipeline/Compilation.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "dialects/glm/Glm.h"
#include "dialects/program/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace glm {

namespace {

/// A module that does not say behind which phase it stands: kernels alone are what `tile` leaves.
std::optional<Phase> guessPhase(ModuleOp module) {
  if (auto name = module->getAttrOfType<StringAttr>(phaseAttribute))
    return parsePhase(name.getValue());
  if (!module.getOps<program::EntryOp>().empty())
    return Phase::Place;
  if (!module.getOps<kernel::FuncOp>().empty())
    return Phase::Tile;
  return Phase::Import;
}

/// Hand-written kernels become runnable: an entry for each kernel on plain buffers, with a port for
/// each argument.
void addKernelEntries(ModuleOp module) {
  OpBuilder b(module.getBodyRegion());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<kernel::FuncOp> kernels(module.getOps<kernel::FuncOp>());
  for (kernel::FuncOp kernel : kernels) {
    bool plain = llvm::all_of(kernel.getArgumentTypes(), [](Type type) {
      auto buffer = dyn_cast<kernel::BufferType>(type);
      return buffer && !buffer.getLayout();
    });
    if (!plain)
      continue;
    ArrayRef<Type> types = kernel.getArgumentTypes();
    auto entry = func::FuncOp::create(b, kernel.getLoc(), ("run." + kernel.getSymName()).str(),
                                      b.getFunctionType(types, types));
    entry->setAttr("glm.entry", b.getUnitAttr());
    for (unsigned i = 0; i < types.size(); ++i) {
      StringAttr name = b.getStringAttr("arg" + Twine(i));
      entry.setArgAttr(i, "glm.name", name);
      entry.setResultAttr(i, "glm.name", name);
    }
    OpBuilder body = OpBuilder::atBlockBegin(entry.addEntryBlock());
    kernel::LaunchOp::create(body, kernel.getLoc(), TypeRange(), kernel.getSymName(),
                             entry.getArguments(), ValueRange());
    func::ReturnOp::create(body, kernel.getLoc(), entry.getArguments());
  }
}

} // namespace

absl::StatusOr<Phase> readModule(Compilation &c, const std::filesystem::path &file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return codedError(Code::InputMissing, file.string(), "is no file", "name a .mlir file");
  DiagnosticCollector diagnostics(&c.context);
  c.module = parseSourceFile<ModuleOp>(file.string(), &c.context);
  if (!c.module)
    return diagnostics.error(
        {Code::ModuleMalformed, file.string(), "does not parse", "see glm-opt for details"});
  std::optional<Phase> phase = guessPhase(*c.module);
  if (!phase || *phase > Phase::Place)
    return codedError(Code::ModuleMalformed, file.string(),
                      "stands behind the target phase, whose machine code is not part of the text",
                      "resume from the module of an earlier phase");
  auto origin = (*c.module)->getAttrOfType<DictionaryAttr>("glm.checkpoint");
  if (auto folder = origin ? origin.getAs<StringAttr>("folder") : StringAttr();
      folder && c.checkpoint.empty())
    c.checkpoint = folder.str();
  if (*phase == Phase::Tile && c.module->getOps<func::FuncOp>().empty())
    addKernelEntries(*c.module);
  return *phase;
}

absl::Status writeModule(Compilation &c, const std::filesystem::path &file) {
  if (file.empty()) {
    c.module->print(llvm::outs(), OpPrintingFlags());
    llvm::outs().flush();
    return absl::OkStatus();
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  c.module->print(stream, OpPrintingFlags());
  auto output = artifact::OutputFile::create(file);
  if (!output.ok())
    return output.status();
  if (absl::Status status = output->write(0, text); !status.ok())
    return status;
  return output->commit();
}

} // namespace glm
