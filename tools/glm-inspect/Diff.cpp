// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two artifacts are compared by their reports. Elements of lists that have names are matched by
// name, so that one weight more is one line and not a thousand.
#include "tools/glm-inspect/Report.h"

#include <cstdio>
#include <map>

namespace glm::inspect {

static void flatten(const Json &value, const std::string &path,
                    std::map<std::string, std::string> &lines) {
  if (!value.is_structured() || value.empty()) {
    lines[path] = value.dump();
    return;
  }
  bool scalars = value.is_array();
  for (const Json &item : value)
    scalars = scalars && !item.is_structured();
  if (scalars) {
    lines[path] = value.dump();
    return;
  }
  size_t number = 0;
  for (auto &[key, item] : value.items()) {
    bool named = value.is_array() && item.is_object() && item.contains("name");
    std::string step = named              ? "[" + item["name"].get<std::string>() + "]"
                       : value.is_array() ? "[" + std::to_string(number) + "]"
                                          : (path.empty() ? "" : ".") + key;
    ++number;
    flatten(item, path + step, lines);
  }
}

size_t printDifferences(const Json &before, const Json &after) {
  std::map<std::string, std::string> left, right;
  flatten(before, "", left);
  flatten(after, "", right);
  size_t differences = 0;
  for (auto &[path, value] : left) {
    auto other = right.find(path);
    if (other != right.end() && other->second == value)
      continue;
    ++differences;
    if (other == right.end())
      std::printf("- %s: %s\n", path.c_str(), value.c_str());
    else
      std::printf("~ %s: %s -> %s\n", path.c_str(), value.c_str(), other->second.c_str());
  }
  for (auto &[path, value] : right) {
    if (left.count(path))
      continue;
    ++differences;
    std::printf("+ %s: %s\n", path.c_str(), value.c_str());
  }
  return differences;
}

} // namespace glm::inspect
