// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --report: what was decided and why, and what it cost.
#include "compiler/pipeline/Compilation.h"

#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
namespace json = llvm::json;

namespace glm {

namespace {

std::string textOf(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

/// Value with every dimension at its bound.
int64_t atBound(ModuleOp module, program::ExprAttr expr) {
  return program::Expr::of(expr)
      .evaluate([&](StringRef name) -> std::optional<int64_t> {
        auto dim = module.lookupSymbol<program::DimOp>(name);
        return dim ? std::optional<int64_t>(dim.getMax()) : std::nullopt;
      })
      .value_or(-1);
}

json::Array describeEntries(ModuleOp module) {
  json::Array entries;
  for (auto entry : module.getOps<program::EntryOp>()) {
    int64_t launches = 0, barriers = 0, buffers = 0;
    entry.walk([&](Operation *op) {
      launches += isa<program::LaunchOp>(op);
      barriers += isa<program::BarrierOp>(op);
      buffers += isa<program::BufferOp>(op);
    });
    entries.push_back(json::Object{{"name", entry.getSymName()},
                                   {"launches", launches},
                                   {"barriers", barriers},
                                   {"buffers", buffers},
                                   {"arena", program::Expr::of(entry.getArenaAttr()).text()},
                                   {"arena_bytes_at_bound", atBound(module, entry.getArenaAttr())},
                                   {"scratch", program::Expr::of(entry.getScratchAttr()).text()}});
  }
  return entries;
}

/// What rounding changed in the numbers of every weight it was applied to: the root of the sum of
/// squares, as a share of the weight's.
llvm::StringMap<double> errorsOf(const artifact::WriteSummary &summary) {
  llvm::StringMap<double> errors;
  for (const artifact::WriteSummary::Rounded &weight : summary.rounded) {
    double numbers = weight.rounding.numbers;
    errors[weight.weight] = numbers > 0 ? std::sqrt(weight.rounding.changes / numbers) : 0;
  }
  return errors;
}

json::Object describeWeights(ModuleOp module, const artifact::WriteSummary &summary) {
  llvm::StringMap<double> errors = errorsOf(summary);
  int64_t count = 0, bytes = 0, slabs = 0, experts = 0;
  json::Array list;
  auto add = [&](StringRef name, Type type, Attribute layout, int64_t size, StringRef source) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    list.push_back(json::Object{{"name", name},
                                {"type", text},
                                {"layout", program::layoutName(layout)},
                                {"bytes", size},
                                {"from", source}});
    if (auto error = errors.find(name); error != errors.end())
      list.back().getAsObject()->insert({"relative_error", error->second});
    ++count;
  };
  for (auto weight : module.getOps<program::WeightOp>()) {
    auto type = cast<kernel::BufferType>(weight.getType());
    add(weight.getSymName(), type, type.getLayout(), weight.getSize(), weight.getSource());
    bytes += weight.getSize();
  }
  for (auto bank : module.getOps<program::BankOp>()) {
    auto type = cast<kernel::BankType>(bank.getType());
    int64_t size = bank.getSlab() * int64_t(bank.getOffsets().size());
    add(bank.getSymName(), type, type.getLayout(), size, bank.getSource());
    slabs += size;
    experts += int64_t(bank.getOffsets().size());
  }
  return json::Object{{"count", count},
                      {"dense_bytes", bytes},
                      {"expert_bytes", slabs},
                      {"expert_slabs", experts},
                      {"weights", std::move(list)}};
}

json::Object describeCaches(ModuleOp module) {
  int64_t perToken = 0;
  json::Array list;
  for (auto state : module.getOps<program::StateOp>()) {
    auto type = cast<kernel::CacheType>(state.getType());
    perToken += program::rowBytes(type);
    list.push_back(json::Object{{"name", state.getSymName()},
                                {"layout", program::layoutName(type.getLayout())},
                                {"bytes_per_token", program::rowBytes(type)}});
  }
  return json::Object{{"bytes_per_token", perToken}, {"states", std::move(list)}};
}

/// Remarks `glm-<pass>: <what>`, as objects.
json::Array describeDecisions(const Compilation &c) {
  json::Array list;
  for (const DiagnosticCollector::Remark &remark : c.decisions) {
    auto [pass, what] = StringRef(remark.text).split(": ");
    if (pass.starts_with("glm-"))
      list.push_back(json::Object{{"pass", pass}, {"at", remark.where}, {"decision", what}});
  }
  return list;
}

json::Array describePhases(const Compilation &c) {
  json::Array phases;
  for (const PhaseCost &cost : c.costs)
    phases.push_back(json::Object{{"name", nameOf(cost.phase)},
                                  {"ms", cost.milliseconds},
                                  {"peak_bytes", int64_t(cost.peakBytes)}});
  return phases;
}

/// The levels, best first, and what they share. Code is there once for each; weights are packed
/// for the level of the widest vectors and the others read the same panels.
json::Object describeTargets(const Compilation &c) {
  json::Array levels;
  for (const TargetDescription &level : c.levels)
    levels.push_back(json::Object{{"name", level.level},
                                  {"cpu", level.cpu},
                                  {"triple", level.triple},
                                  {"required_features", json::Array(level.requiredFeatures)},
                                  {"vector_bytes", level.machine.getVectorBytes()}});
  for (auto [level, image] : llvm::zip(levels, c.codeBytes))
    level.getAsObject()->insert({"code_bytes", int64_t(image)});
  return json::Object{{"name", c.description.name},
                      {"cpu", c.description.cpu},
                      {"triple", c.description.triple},
                      {"levels", std::move(levels)},
                      {"packing", "weights once, in the panels of " + c.description.level}};
}

json::Object describeArtifact(const artifact::WriteSummary &s) {
  return json::Object{
      {"file_bytes", int64_t(s.fileBytes)},     {"program_bytes", int64_t(s.programBytes)},
      {"code_bytes", int64_t(s.codeBytes)},     {"tokenizer_bytes", int64_t(s.tokenizerBytes)},
      {"ledger_bytes", int64_t(s.ledgerBytes)}, {"weight_bytes", int64_t(s.weightBytes)}};
}

} // namespace

json::Array describeKernels(ModuleOp module) {
  llvm::StringMap<int64_t> launches;
  module.walk([&](program::LaunchOp launch) { ++launches[launch.getKernel()]; });
  json::Array kernels;
  for (auto kernel : module.getOps<kernel::FuncOp>()) {
    json::Object object{{"name", kernel.getSymName()},
                        {"launches", launches.lookup(kernel.getSymName())}};
    if (auto schedule = kernel.getScheduleAttr())
      object["tile"] =
          json::Object{{"m", schedule.getM()}, {"n", schedule.getN()}, {"k", schedule.getK()}};
    if (auto reason = kernel->getAttrOfType<StringAttr>("kernel.reason"))
      object["reason"] = reason.getValue();
    kernels.push_back(std::move(object));
  }
  return kernels;
}

absl::Status writeReport(const Compilation &c) {
  ModuleOp module = *c.module;
  json::Object report;
  if (auto model = module->getAttrOfType<DictionaryAttr>("glm.model"))
    report["model"] = textOf(model);
  report["target"] = describeTargets(c);
  report["phases"] = describePhases(c);
  report["decisions"] = describeDecisions(c);
  report["kernels"] =
      c.kernelReport.empty() ? describeKernels(module) : json::Array(c.kernelReport);
  report["entries"] = describeEntries(module);
  report["weights"] = describeWeights(module, c.written);
  report["caches"] = describeCaches(module);
  if (c.written.fileBytes)
    report["artifact"] = describeArtifact(c.written);
  std::string text = llvm::formatv("{0:2}\n", json::Value(std::move(report)));
  auto output = artifact::OutputFile::create(c.options.report);
  if (!output.ok())
    return output.status();
  if (absl::Status status = output->write(0, text); !status.ok())
    return status;
  return output->commit();
}

} // namespace glm
