// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// import: a checkpoint's configuration and headers become a module of the model level.
#include "compiler/import/Glm5.h"
#include "compiler/pipeline/Compilation.h"

using namespace mlir;

namespace glm {

absl::Status runImport(Compilation &c) {
  ImportOptions options;
  options.noMtp = c.options.noMtp;
  options.latentNormEps = c.options.latentNormEps;
  options.context = c.options.context;
  options.keepSelections = c.options.keepSelections;
  options.keepExperts = c.options.keepExperts;
  options.keepHidden = c.options.keepHidden;
  auto module = importCheckpoint(c.checkpoint, options, c.context);
  if (!module.ok())
    return module.status();
  c.module = std::move(*module);
  // A later run may go on from another folder.
  std::error_code error;
  std::filesystem::path folder = std::filesystem::absolute(c.checkpoint, error);
  if (auto origin = (*c.module)->getAttrOfType<DictionaryAttr>("glm.checkpoint");
      origin && !error) {
    NamedAttrList fields(origin);
    fields.set("folder", StringAttr::get(&c.context, folder.string()));
    (*c.module)->setAttr("glm.checkpoint", fields.getDictionary(&c.context));
  }
  return absl::OkStatus();
}

} // namespace glm
