// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// model: decisions that concern the model as a whole. Precision is made explicit before anything is
// fused, because a fused op has to say where it rounds.
#include "compiler/import/Recipe.h"
#include "compiler/pipeline/Compilation.h"
#include "passes/model/Pipeline.h"

#include "llvm/ADT/StringExtras.h"

namespace glm {

absl::Status runModel(Compilation &c) {
  absl::StatusOr<std::vector<std::string>> rules = readRecipe(c.options.recipe);
  if (!rules.ok())
    return rules.status();
  if (!rules->empty()) { // a file's own words, as only they say what was done
    std::string recipe =
        isNamedRecipe(c.options.recipe) ? c.options.recipe : llvm::join(*rules, "; ");
    (*c.module)->setAttr("glm.recipe", mlir::StringAttr::get(&c.context, recipe));
  }
  return c.run(Phase::Model, [&](mlir::OpPassManager &pm) {
    ModelPhaseOptions options;
    options.precision = c.options.precision;
    options.indexKeys = c.options.indexKeys;
    for (const std::string &rule : *rules)
      options.rules.push_back(rule);
    buildModelPhase(pm, options);
  });
}

} // namespace glm
