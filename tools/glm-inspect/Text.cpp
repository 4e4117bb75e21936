// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text form: one section a subject, columns, sizes in the unit that fits.
#include "tools/glm-inspect/Report.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace glm::inspect {

static std::string bytesText(uint64_t bytes) {
  static constexpr const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

static std::string joined(const Json &items, const char *separator) {
  std::string text;
  for (const Json &item : items)
    text += (text.empty() ? "" : separator) +
            (item.is_string() ? item.get<std::string>() : item.dump());
  return text;
}

static void field(const char *name, const std::string &value) {
  if (!value.empty())
    std::printf("  %-12s %s\n", name, value.c_str());
}

static void printModel(const Json &model) {
  std::printf("model\n");
  std::string name = model["name"];
  field("family", model["family"].get<std::string>() + (name.empty() ? "" : " (" + name + ")"));
  field("parameters", model["parameters"].dump());
  field("shape", model["layers"].dump() + " layers, hidden " + model["hidden"].dump() +
                     ", vocabulary " + model["vocabulary"].dump());
  field("context",
        model["context"].dump() + (model["index_topk"] == 0
                                       ? ""
                                       : ", attends to " + model["index_topk"].dump() + " keys"));
  if (model.contains("generation"))
    field("generation", "eos " + joined(model["generation"]["eos"], ", ") + ", temperature " +
                            model["generation"]["temperature"].dump() + ", top-p " +
                            model["generation"]["top_p"].dump());
  std::string attributes;
  for (auto &[key, value] : model["attributes"].items())
    attributes += (attributes.empty() ? "" : ", ") + key + " " + value.get<std::string>();
  field("attributes", attributes);
}

static void printProvenance(const Json &provenance) {
  std::printf("provenance\n");
  std::string commit = provenance["commit"];
  field("compiler",
        provenance["compiler"].get<std::string>() + (commit.empty() ? "" : ", commit " + commit));
  field("flags", joined(provenance["flags"], " "));
  field("precision", provenance["precision"]);
  field("recipe", provenance["recipe"]);
  for (const Json &file : provenance["files"])
    field("from", file["name"].get<std::string>() + "  " + bytesText(file["bytes"]) + "  " +
                      file["hash"].get<std::string>());
}

static void printTarget(const Json &report) {
  std::printf("target\n");
  for (const Json &level : report["levels"]) {
    std::string code =
        level.contains("segment") ? ", " + bytesText(level["code_bytes"]) + " of code" : "";
    field("level", level["name"].get<std::string>() + code);
    field("requires", joined(level["required_features"], " "));
  }
  for (const Json &device : report["levels"].empty() ? report["devices"] : Json::array()) {
    field("device",
          device["name"].get<std::string>() + " (" + device["kind"].get<std::string>() + ")");
    field("requires", joined(device["required_features"], " "));
  }
  for (const Json &dim : report["dims"]) {
    bool chosen = dim.contains("preset") && dim["preset"] != dim["max"];
    field(dim["name"].get<std::string>().c_str(),
          "at most " +
              (dim.contains("bound") ? dim["bound"].get<std::string>() : dim["max"].dump()) + " (" +
              dim["kind"].get<std::string>() + ")" +
              (chosen ? ", " + dim["preset"].dump() + " if not chosen" : ""));
  }
  const Json &attention = report["attention"];
  if (attention.is_null())
    return;
  std::string rows = "from " + attention["expanded_rows"].dump() + " rows of one sequence on";
  if (!attention["full_rows"].is_null())
    rows += ", " + attention["full_rows"].dump() + " at the most keys";
  field("attention", "expands up to " + attention["expanded_keys"].dump() + " keys " + rows +
                         ", reads no selection up to " + attention["unmasked_keys"].dump() +
                         "; else gathers");
}

static void printSegments(const Json &segments) {
  std::printf("segments\n");
  for (const Json &segment : segments)
    std::printf("  %-12s %-10s at %-12llu %10s  %s%s\n", segment["name"].get<std::string>().c_str(),
                segment["kind"].get<std::string>().c_str(),
                static_cast<unsigned long long>(segment["offset"].get<uint64_t>()),
                bytesText(segment["bytes"]).c_str(), segment["hash"].get<std::string>().c_str(),
                segment.contains("external")
                    ? (" in " + segment["external"].get<std::string>()).c_str()
                    : "");
}

static std::string portText(const Json &port) {
  return port["name"].get<std::string>() + ": " + port["dtype"].get<std::string>() + "[" +
         joined(port["shape"], ", ") + "]";
}

static void printEntries(const Json &entries) {
  for (const Json &entry : entries) {
    std::printf("entry %s\n", entry["name"].get<std::string>().c_str());
    for (const Json &port : entry["inputs"])
      field("input", portText(port));
    for (const Json &port : entry["outputs"])
      field("output", portText(port));
    for (const char *size : {"arena", "scratch"})
      field(size, entry[size]["size"].get<std::string>() +
                      (entry[size]["most_bytes"].is_null()
                           ? ""
                           : ", at most " + bytesText(entry[size]["most_bytes"])));
    std::string commands;
    for (auto &[kind, count] : entry["commands"].items())
      commands += (commands.empty() ? "" : ", ") + count.dump() + " " + kind;
    field("commands", commands);
    for (const Json &branch : entry["branches"])
      field("branch", branch["left"].get<std::string>() + " < " +
                          branch["right"].get<std::string>() + ": " + branch["less"].dump() +
                          " launches, else " + branch["otherwise"].dump() + " (" +
                          branch["count"].dump() + " times)");
  }
}

// Thousands of weights are told by what they have in common.
static void printWeights(const Json &report) {
  struct Sum {
    size_t count = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Sum> sums;
  auto add = [&](const Json &items, const char *kind) {
    for (const Json &item : items) {
      std::string layout = item["layout"];
      Sum &sum = sums[std::string(kind) + " " + item["dtype"].get<std::string>() +
                      (layout.empty() ? "" : " " + layout)];
      ++sum.count;
      sum.bytes += item["bytes"].get<uint64_t>();
    }
  };
  add(report["weights"], "weight");
  add(report["banks"], "bank");
  std::printf("weights\n");
  for (auto &[name, sum] : sums)
    std::printf("  %-32s %6zu  %10s\n", name.c_str(), sum.count, bytesText(sum.bytes).c_str());
}

static void printStates(const Json &states) {
  struct Sum {
    size_t count = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Sum> sums;
  uint64_t total = 0;
  for (const Json &state : states) {
    Sum &sum = sums[state["dtype"].get<std::string>() + "[" + state["width"].dump() + "] " +
                    state["layout"].get<std::string>() + ", pages of " + state["page_rows"].dump() +
                    " rows"];
    ++sum.count;
    sum.bytes += state["row_bytes"].get<uint64_t>();
    total += state["row_bytes"].get<uint64_t>();
  }
  if (states.empty())
    return;
  std::printf("caches: %s a position\n", bytesText(total).c_str());
  for (auto &[name, sum] : sums)
    std::printf("  %-44s %4zu  %10s a position\n", name.c_str(), sum.count,
                bytesText(sum.bytes).c_str());
}

static void printKernels(const Json &kernels) {
  std::printf("kernels\n");
  for (const Json &kernel : kernels)
    std::printf("  %-44s %5s launches  %s+0x%llx%s\n", kernel["name"].get<std::string>().c_str(),
                kernel["launches"].dump().c_str(), kernel["segment"].get<std::string>().c_str(),
                static_cast<unsigned long long>(kernel["offset"].get<uint64_t>()),
                kernel.contains("scratch")
                    ? (", scratch " + kernel["scratch"].get<std::string>()).c_str()
                    : "");
}

static void printLedger(const Json &ledger) {
  std::printf("ledger\n");
  if (ledger.is_null()) {
    field("tensors", "not in the artifact");
    return;
  }
  if (!ledger.contains("tensors")) {
    field("tensors", "not readable");
    return;
  }
  field("tensors", ledger["tensors"].dump());
  for (auto &[fate, count] : ledger["fates"].items())
    field(fate.c_str(), count.dump());
}

void print(const Json &report) {
  const Json &format = report["format"];
  std::printf("artifact\n");
  field("format",
        "version " + format["version"].dump() + ", features " + format["features"].dump());
  field("size",
        bytesText(format["file_bytes"]) + ", program " + bytesText(format["program_bytes"]));
  printModel(report["model"]);
  printProvenance(report["provenance"]);
  printTarget(report);
  printSegments(report["segments"]);
  printEntries(report["entries"]);
  printStates(report["states"]);
  printWeights(report);
  printKernels(report["kernels"]);
  for (const char *kind : {"tokenizers", "blobs", "handoffs"})
    for (const Json &item : report[kind])
      std::printf("%.*s %s: %s\n", int(std::string(kind).size() - 1), kind,
                  item["name"].get<std::string>().c_str(),
                  item.contains("bytes") ? bytesText(item["bytes"]).c_str()
                                         : item["size"].get<std::string>().c_str());
  printLedger(report["ledger"]);
}

} // namespace glm::inspect
