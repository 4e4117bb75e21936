// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recipes: which weights of a checkpoint become codes when it is compiled. A recipe is a name or a
// JSON file
//
//   {"rules": [{"weights": "*.mlp.experts.*", "format": "int4", "group": 32, "zeros": true},
//              {"weights": "*.indexer.wk.weight", "format": "keep"},
//              {"weights": "*", "format": "int8", "activations": "none"}]}
//
// whose first rule that matches a weight's name counts. `group`: columns that share a scale (left
// out: all of a row). `zeros`: int4 codes reach from the least to the largest number of a group,
// not as far up as down (default false). `activations`: "int8" (default) or "none", then weights
// are only rounded.
#ifndef GLM_COMPILER_IMPORT_RECIPE_H
#define GLM_COMPILER_IMPORT_RECIPE_H

#include "absl/status/statusor.h"

#include <string>
#include <vector>

namespace glm {

/// The recipes that have a name: w8a8, w4a8 (routed experts int4 in groups of 32), w4a8-zeros (the
/// same with zero points).
bool isNamedRecipe(const std::string &recipe);

/// The rules of a recipe as the pass glm-apply-recipe takes them, none for an empty name. Errors:
/// GLM0002 a file that is not there, GLM0208 one that is no recipe.
absl::StatusOr<std::vector<std::string>> readRecipe(const std::string &recipe);

} // namespace glm

#endif
