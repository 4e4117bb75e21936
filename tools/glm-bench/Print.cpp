// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures as text. Launches of one kernel at the same place of every layer are one line here; JSON
// has them all.
#include "tools/glm-bench/Measure.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

namespace glm::bench {
namespace {

double number(const Json &row, const char *name) { return row.value(name, 0.0); }

/// A share as per cent, or a dash where it is unknown.
std::string percent(const Json &row, const char *name) {
  if (!row.contains(name))
    return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * number(row, name));
  return text;
}

const Json &list(const Json &figures, const char *name) {
  static const Json empty = Json::array();
  return figures.contains(name) ? figures[name] : empty;
}

long long whole(const Json &row, const char *name) {
  return static_cast<long long>(number(row, name));
}

void printHead(const Json &figures) {
  const Json &machine = figures["machine"];
  std::printf("machine %s, %d threads, %s, %.2f GB of weights, %.2f GB on huge pages, "
              "load %.1f\n",
              machine["device"].get<std::string>().c_str(), machine["threads"].get<int>(),
              machine["precision"].get<std::string>().c_str(),
              number(machine, "weight_bytes") / 1e9, number(machine, "huge_bytes") / 1e9,
              number(machine, "load"));
  std::printf("load            %10.1f ms, to the first token %.1f ms\n", number(figures, "load_ms"),
              number(figures, "first_token_ms"));
  const Json &attention = figures["attention"];
  std::string form = attention["form"];
  if (attention.contains("not_the_model_beyond"))
    std::printf("attention %s: not the model beyond %lld keys, whose selection it ignores\n",
                form.c_str(), whole(attention, "not_the_model_beyond"));
  else if (form != "auto")
    std::printf("attention %s\n", form.c_str());
  else if (whole(attention, "expanded_keys") > 0)
    std::printf("attention auto: keys are expanded up to %lld, beyond that gathered\n",
                whole(attention, "expanded_keys"));
}

void printLimits(const Json &limits) {
  for (const Json &table : limits["around"]) {
    auto pair = [&](const char *unit, auto value) {
      std::printf("  %.1f..%.1f %s", value(table["before"]), value(table["after"]), unit);
    };
    std::printf("limits around %-8s", table["table"].get<std::string>().c_str());
    pair("GB/s read", [](const Json &side) { return number(side, "read_gb_per_s"); });
    for (auto &[name, ignored] : table["before"]["peak_gflop_per_s"].items()) {
      std::string unit = "GFLOP/s " + name;
      pair(unit.c_str(),
           [&](const Json &side) { return number(side["peak_gflop_per_s"], name.c_str()); });
    }
    std::printf("\n");
  }
  for (const Json &table : limits["noisy"])
    std::printf("note: the limits before and after %s differ by more than 15 %%: noisy\n",
                table.get<std::string>().c_str());
}

void printPrefill(const Json &rows) {
  for (const Json &row : rows)
    std::printf(
        "prefill %7lld %10.1f tokens/s %10.2f ms (%.2f-%.2f) %8.1f GFLOP/s %6s of peak %s\n",
        whole(row, "tokens"), number(row, "tokens_per_s"), number(row, "ms"),
        number(row, "least_ms"), number(row, "most_ms"), number(row, "gflop_per_s"),
        percent(row, "share_of_peak").c_str(), row.value("peak", "").c_str());
}

void printDecode(const Json &rows) {
  for (const Json &row : rows)
    std::printf("decode @%7lld %9.1f tokens/s %10.3f ms (%.3f-%.3f) %8.1f MB/token %6.1f GB/s %6s "
                "of read\n",
                whole(row, "context"), number(row, "tokens_per_s"), number(row, "ms"),
                number(row, "least_ms"), number(row, "most_ms"),
                number(row, "bytes_per_token") / 1e6, number(row, "gb_per_s"),
                percent(row, "share_of_read").c_str());
}

void printGrowth(const Json &growth) {
  std::printf("growth %lld to %lld: %.3f ms more; new keys %.1f MB at the read limit %.3f ms, %.2f "
              "GFLOP at the peak %.3f ms, top-k %.3f ms: %.2f times the limit\n",
              whole(growth, "from"), whole(growth, "to"), number(growth, "extra_ms"),
              number(growth, "bytes") / 1e6, number(growth, "read_ms"),
              number(growth, "flop") / 1e9, number(growth, "peak_ms"), number(growth, "top_k_ms"),
              number(growth, "ratio"));
}

/// `model.layers.3.mlp` as `model.layers.*.mlp`.
std::string withoutNumbers(const std::string &path) {
  std::string result;
  bool word = true; // at the beginning of one
  for (size_t i = 0; i < path.size();) {
    size_t end = std::min(path.find('.', i), path.size());
    std::string step = path.substr(i, end - i);
    bool isNumber = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
    result += (word ? "" : ".") + (isNumber ? "*" : step);
    word = false;
    i = end + 1;
  }
  return result;
}

struct Line {
  std::string name, path;
  double launches = 0, ms = 0, bytes = 0, flop = 0, readTime = 0, peakTime = 0, limitTime = 0;
};

bool isOf(const Json &row, const Json &table) {
  for (const char *name : {"table", "context", "tokens"})
    if (row.value(name, Json()) != table.value(name, Json()))
      return false;
  return true;
}

std::vector<Line> linesOf(const Json &kernels, const Json &table) {
  std::map<std::pair<std::string, std::string>, Line> lines;
  for (const Json &row : kernels) {
    if (!isOf(row, table))
      continue;
    std::string name = row["name"], path = withoutNumbers(row["path"]);
    Line &line = lines[{name, path}];
    line.name = name;
    line.path = path;
    line.launches += number(row, "calls");
    line.ms += number(row, "ms");
    line.bytes += number(row, "bytes");
    line.flop += number(row, "flop");
    line.readTime += number(row, "share_of_read") * number(row, "ms");
    line.peakTime += number(row, "share_of_peak") * number(row, "ms");
    line.limitTime += number(row, "share") * number(row, "ms");
  }
  std::vector<Line> sorted;
  for (auto &[key, line] : lines)
    sorted.push_back(line);
  std::sort(sorted.begin(), sorted.end(), [](const Line &a, const Line &b) {
    return std::tie(b.ms, a.path) < std::tie(a.ms, b.path);
  });
  return sorted;
}

/// Lines that take less than a thousandth of the time together are one.
std::vector<Line> withoutTrifles(std::vector<Line> lines) {
  double total = 0;
  for (const Line &line : lines)
    total += line.ms;
  Line others;
  size_t count = 0;
  while (!lines.empty() && lines.back().ms < 1e-3 * total) {
    const Line &line = lines.back();
    others.ms += line.ms;
    others.launches += line.launches;
    others.bytes += line.bytes;
    others.readTime += line.readTime;
    others.limitTime += line.limitTime;
    lines.pop_back();
    ++count;
  }
  others.name = std::to_string(count) + " others";
  if (count)
    lines.push_back(others);
  return lines;
}

void printKernels(const Json &kernels, const Json &table) {
  bool decode = table["table"] == "decode";
  std::printf("\nkernels of %s %lld%s\n", decode ? "a step behind" : "a prefill of",
              whole(table, decode ? "context" : "tokens"), decode ? " rows" : " tokens");
  // Of a line: how much of its time a limit would take; a dash where nothing is to be done.
  auto share = [](double time, const Line &line) {
    char text[16] = "-";
    if (time > 0)
      std::snprintf(text, sizeof text, "%.0f%%", 100 * time / line.ms);
    return std::string(text);
  };
  std::printf("%9s %6s %9s %7s %6s %9s %8s %6s %6s  %s\n", "ms", "calls", "MB", "GB/s", "read",
              "MFLOP", "GFLOP/s", "peak", "limit", "kernel");
  for (const Line &line : withoutTrifles(linesOf(kernels, table)))
    std::printf("%9.4f %6.0f %9.2f %7.1f %6s %9.1f %8.1f %6s %6s  %s %s\n", line.ms, line.launches,
                line.bytes / 1e6, line.bytes / line.ms / 1e6, share(line.readTime, line).c_str(),
                line.flop / 1e6, line.flop / line.ms / 1e6, share(line.peakTime, line).c_str(),
                share(line.limitTime, line).c_str(), line.name.c_str(), line.path.c_str());
  std::printf("launches %.4f ms + barriers %.4f ms, workers' mean, + outside %.4f ms = %.4f ms\n",
              number(table, "launches_ms"), number(table, "barriers_ms"), number(table, "rest_ms"),
              number(table, "wall_ms"));
}

} // namespace

void print(const Json &figures) {
  printHead(figures);
  printPrefill(list(figures, "prefill"));
  printDecode(list(figures, "decode"));
  if (figures.contains("growth"))
    printGrowth(figures["growth"]);
  if (figures.contains("neighbour"))
    std::printf("neighbour @%lld %.3f ms alone, %.3f ms beside a busy process: %.2f times\n",
                whole(figures["neighbour"], "context"), number(figures["neighbour"], "quiet_ms"),
                number(figures["neighbour"], "busy_ms"), number(figures["neighbour"], "ratio"));
  if (figures.contains("limits"))
    printLimits(figures["limits"]);
  for (const Json &table : list(figures, "kernel_tables"))
    printKernels(figures["kernels"], table);
  if (figures.contains("perplexity"))
    std::printf("perplexity %10.4f, %.6f nats/token over %lld tokens\n",
                number(figures["perplexity"], "perplexity"),
                number(figures["perplexity"], "nats_per_token"),
                whole(figures["perplexity"], "tokens"));
}

} // namespace glm::bench
