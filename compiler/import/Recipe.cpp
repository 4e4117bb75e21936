// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/Recipe.h"

#include "compiler/import/JsonFields.h"

#include <map>
#include <set>

namespace glm {
namespace {

using Json = nlohmann::json;

using Rules = std::vector<std::string>;

/// Keys of the indexer are compared with each other in their whole precision, as the vendor does.
const std::map<std::string, Rules> named = {
    {"w8a8", {"*.indexer.wk.weight:keep", "*:int8"}},
    {"w4a8", {"*.indexer.wk.weight:keep", "*.mlp.experts.*:int4/32", "*:int8"}},
    {"w4a8-zeros", {"*.indexer.wk.weight:keep", "*.mlp.experts.*:int4/32-zeros", "*:int8"}}};

absl::Status malformed(const std::string &file, std::string what) {
  return codedError(Code::RecipeMalformed, file, std::move(what),
                    "write {\"rules\": [{\"weights\": \"PATTERN\", \"format\": \"int8\"}, …]}");
}

absl::StatusOr<std::string> ruleOf(const Json &rule, const std::string &thing) {
  if (!rule.is_object())
    return malformed(thing, "is no object");
  static const std::set<std::string> known = {"weights", "format", "group", "zeros", "activations"};
  for (auto &[name, value] : rule.items())
    if (!known.contains(name))
      return malformed(thing, "has a field '" + name + "' that no rule has");
  JsonFields fields(rule, thing, Code::RecipeMalformed);
  std::string text = fields.text("weights") + ":" + fields.text("format");
  if (int64_t group = fields.integer("group", 8, 1 << 20, 0))
    text += "/" + std::to_string(group);
  if (fields.boolean("zeros", false))
    text += "-zeros";
  std::string activations = fields.text("activations", "int8");
  if (!fields.status().ok())
    return malformed(thing, std::string(fields.status().message()));
  if (activations == "none")
    return text + "-weights";
  if (activations != "int8")
    return malformed(thing, "has activations '" + activations + "', int8 and none are known");
  return text;
}

} // namespace

bool isNamedRecipe(const std::string &recipe) { return named.contains(recipe); }

absl::StatusOr<std::vector<std::string>> readRecipe(const std::string &recipe) {
  if (recipe.empty())
    return std::vector<std::string>();
  if (auto rules = named.find(recipe); rules != named.end())
    return rules->second;
  std::error_code error;
  if (!std::filesystem::is_regular_file(recipe, error))
    return codedError(Code::InputMissing, "--recipe=" + recipe, "is neither a recipe nor a file",
                      "name w8a8, w4a8, w4a8-zeros or a JSON file");
  absl::StatusOr<Json> object = readJsonObject(recipe, Code::RecipeMalformed);
  if (!object.ok())
    return object.status();
  auto rules = object->find("rules");
  if (rules == object->end() || !rules->is_array() || rules->empty())
    return malformed(recipe, "has no list of rules");
  std::vector<std::string> result;
  for (const Json &rule : *rules) {
    absl::StatusOr<std::string> text =
        ruleOf(rule, recipe + ": rule " + std::to_string(result.size() + 1));
    if (!text.ok())
      return text.status();
    result.push_back(std::move(*text));
  }
  return result;
}

} // namespace glm
