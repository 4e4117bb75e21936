// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// On a shared machine a second thread may give 1.2 times or twice as much. Whether a program uses
// it well shows only beside the loops that do nothing but use it.
#include "tools/glm-bench/Measure.h"

#include <cstdio>

namespace glm::bench {
namespace {

/// How many times faster every row of a table got; `limit` is what its limit got, or 0.
Json timesOf(const Json &first, const Json &last, const char *table, const char *key,
             const std::function<double(const Json &)> &limit) {
  auto rows = Json::array();
  if (!first.contains(table))
    return rows;
  for (size_t i = 0; i < first[table].size(); ++i) {
    const Json &before = first[table][i], &after = last[table][i];
    double times = before["ms"].get<double>() / after["ms"].get<double>();
    rows.push_back({{key, before[key]}, {"times", times}});
    if (double possible = limit(after); possible > 0)
      rows.back()["of_limit"] = times / possible;
  }
  return rows;
}

} // namespace

Json scalingOf(const Json &first, const Json &last) {
  Json result = {{"from", first["machine"]["threads"]}, {"to", last["machine"]["threads"]}};
  double read = 0;
  if (first.contains("limits")) {
    const Json &before = first["limits"], &after = last["limits"];
    read = after["read_gb_per_s"].get<double>() / before["read_gb_per_s"].get<double>();
    result["read"] = read;
    for (auto &[name, value] : before["peak_gflop_per_s"].items())
      result[name] = after["peak_gflop_per_s"][name].get<double>() / value.get<double>();
  }
  result["decode"] = timesOf(first, last, "decode", "context", [&](const Json &) { return read; });
  result["prefill"] = timesOf(first, last, "prefill", "tokens", [&](const Json &row) {
    return row.contains("peak") ? result.value(row["peak"].get<std::string>(), 0.0) : 0.0;
  });
  return result;
}

void printScaling(const Json &scaling) {
  std::printf("\n%d threads against %d:", scaling["to"].get<int>(), scaling["from"].get<int>());
  for (const char *name : {"read", "f32", "bf16", "int8"})
    if (scaling.contains(name))
      std::printf(" %s %.2f", name, scaling[name].get<double>());
  std::printf("\n");
  for (const char *table : {"decode", "prefill"})
    for (const Json &row : scaling[table])
      std::printf("scaling %s %lld: %.2f times, %.2f of what the limit gets\n", table,
                  static_cast<long long>(
                      row.value(row.contains("context") ? "context" : "tokens", int64_t(0))),
                  row["times"].get<double>(), row.value("of_limit", 0.0));
}

} // namespace glm::bench
