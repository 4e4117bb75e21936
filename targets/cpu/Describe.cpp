// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which machine: names that users write, what LLVM calls them, and what passes may know of them.
// Sizes of caches are those of a core of the named machine; tuning choices follow from them.
#include "targets/cpu/Codegen.h"
#include "targets/cpu/Cpu.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <unistd.h>

namespace glm {

namespace {

/// A row of the table: KiB of L1 and L2 per core and of L3 in all. `cpu` and `features` are LLVM's;
/// `vectorBytes` is 0 where the features say it.
struct Machine {
  const char *name, *architecture;
  int64_t l1, l2, l3;
  const char *cpu = nullptr; // null: its own name
  const char *features = "";
  const char *matrix = ""; // as in kernel.machine
  int64_t vectorBytes = 0;
};

constexpr Machine machines[] = {
    {"x86-64-v3", "x86_64", 32, 256, 8192},
    {"x86-64-v4", "x86_64", 32, 1024, 16384},
    {"icelake-server", "x86_64", 48, 1280, 49152},
    {"znver4", "x86_64", 32, 1024, 32768},
    {"sapphirerapids", "x86_64", 48, 2048, 107520, nullptr, "", "amx"},
    // For tests on machines without tiles.
    {"sapphirerapids-loops", "x86_64", 48, 2048, 107520, "sapphirerapids",
     "-amx-tile,-amx-bf16,-amx-int8", "amx-loops"},
    {"aarch64", "aarch64", 64, 512, 4096, "generic"},
    {"armv8.6-a", "aarch64", 64, 512, 4096, "generic", "+v8.6a"},
    {"tsv110", "aarch64", 64, 512, 65536},
    {"neoverse-n1", "aarch64", 64, 1024, 32768},
    {"neoverse-v1", "aarch64", 64, 1024, 32768, nullptr, "", "", 32},
    {"neoverse-v2", "aarch64", 64, 2048, 65536},
};

/// What generated code may use, in the order in which a loader names what is missing.
constexpr llvm::StringLiteral x86Features[] = {
    "avx",        "avx2",        "fma",        "f16c",         "bmi",
    "bmi2",       "lzcnt",       "movbe",      "popcnt",       "avx512f",
    "avx512cd",   "avx512bw",    "avx512dq",   "avx512vl",     "avx512ifma",
    "avx512vbmi", "avx512vbmi2", "avx512vnni", "avx512bitalg", "avx512vpopcntdq",
    "avx512bf16", "avx512fp16",  "gfni",       "amx-tile",     "amx-bf16",
    "amx-int8"};
constexpr llvm::StringLiteral armFeatures[] = {"neon", "fullfp16", "dotprod", "bf16", "i8mm",
                                               "lse",  "rdm",      "sve",     "sve2"};

const Machine *find(llvm::StringRef name) {
  for (const Machine &machine : machines)
    if (name == machine.name)
      return &machine;
  return nullptr;
}

int64_t hostCache(int name, int64_t kib) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : kib * 1024;
}

/// A machine of the host's kind: features as LLVM reads them, caches as the system reports them.
void readHost(TargetDescription &description, Machine &machine) {
  description.cpu = llvm::sys::getHostCPUName().str();
  std::vector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  std::sort(features.begin(), features.end());
  description.features = llvm::join(features, ",");
  if (description.triple.empty())
    description.triple = llvm::Triple::normalize(llvm::sys::getDefaultTargetTriple());
  machine.architecture = llvm::Triple(description.triple).isAArch64() ? "aarch64" : "x86_64";
  machine.l1 = hostCache(_SC_LEVEL1_DCACHE_SIZE, 32) / 1024;
  machine.l2 = hostCache(_SC_LEVEL2_CACHE_SIZE, 1024) / 1024;
  machine.l3 = hostCache(_SC_LEVEL3_CACHE_SIZE, 16384) / 1024;
}

bool isIntel(llvm::StringRef cpu) { return cpu.contains("lake") || cpu.contains("rapids"); }

/// Features that code may use although no passage of this target asks for them, and that no loader
/// looks for.
constexpr const char *unwanted = "-sse4a";

/// The same for every machine: whether LLVM says that it has a feature.
using Has = llvm::function_ref<bool(llvm::StringRef)>;

/// Intel's dot products take two slots of one port: widening into FMA is 1.6 times as fast. Its
/// prefetchers follow a stream of one row's weights at 0.85 of a plain read, with prefetches at
/// 0.98. On AMD's Zen 4 both are the other way round.
kernel::MachineAttr x86Machine(mlir::MLIRContext &context, const Machine &machine,
                               const TargetDescription &description, int64_t pageRows, Has has) {
  bool intel = isIntel(description.cpu);
  bool wide = has("avx512f") && has("avx512bw") && has("avx512vl") && has("avx512dq");
  bool tiles = wide && has("amx-tile") && has("amx-bf16") && has("amx-int8");
  llvm::StringRef matrix = machine.matrix;
  if (matrix != "amx-loops")
    matrix = tiles ? "amx" : "";
  return kernel::MachineAttr::get(
      &context, "cpu", /*vectorBytes=*/wide ? 64 : 32, /*registers=*/wide ? 32 : 16,
      machine.l1 * 1024, machine.l2 * 1024, machine.l3 * 1024,
      /*bf16Dot=*/wide && has("avx512bf16") && !intel, /*cacheLineRows=*/16, pageRows,
      /*prefetch=*/intel ? 8192 : 0, /*int8Dot=*/wide && has("avx512vnni"), matrix);
}

/// NEON, or SVE where it is wider: at 128 bits it has the same lanes and the same throughput.
kernel::MachineAttr armMachine(mlir::MLIRContext &context, const Machine &machine, int64_t pageRows,
                               Has has) {
  int64_t vectorBytes = machine.vectorBytes ? machine.vectorBytes : 16;
  bool mmla = vectorBytes == 16 && has("bf16") && has("i8mm");
  return kernel::MachineAttr::get(&context, "cpu", vectorBytes, /*registers=*/32, machine.l1 * 1024,
                                  machine.l2 * 1024, machine.l3 * 1024,
                                  /*bf16Dot=*/has("bf16"), /*cacheLineRows=*/16, pageRows,
                                  /*prefetch=*/0, /*int8Dot=*/has("dotprod"), mmla ? "mmla" : "");
}

std::string asJson(const TargetDescription &description) {
  llvm::json::Array features(description.requiredFeatures);
  kernel::MachineAttr machine = description.machine;
  llvm::json::Object object{{"name", description.name},
                            {"level", description.level},
                            {"cpu", description.cpu},
                            {"triple", description.triple},
                            {"required_features", std::move(features)},
                            {"vector_bytes", machine.getVectorBytes()},
                            {"registers", machine.getRegisters()},
                            {"l1", machine.getL1()},
                            {"l2", machine.getL2()},
                            {"l3", machine.getL3()},
                            {"bf16_dot", machine.getBf16Dot()},
                            {"page_rows", machine.getPageRows()},
                            {"int8_dot", machine.getInt8Dot()},
                            {"matrix", machine.getMatrix()}};
  return llvm::formatv("{0}", llvm::json::Value(std::move(object))).str();
}

} // namespace

std::vector<std::string> knownCpus() {
  std::vector<std::string> names{"native"};
  for (const Machine &machine : machines)
    names.push_back(machine.name);
  return names;
}

absl::StatusOr<TargetDescription> cpu::describeCpu(mlir::MLIRContext &context,
                                                   const TargetOptions &options) {
  if (!llvm::isPowerOf2_64(options.pageRows) || options.pageRows < 64)
    return absl::InvalidArgumentError("cache pages of " + std::to_string(options.pageRows) +
                                      " rows: expected a power of two from 64 on");
  TargetDescription description;
  description.name = "cpu";
  description.triple = options.triple;
  Machine machine{};
  if (options.cpu == "native") {
    readHost(description, machine);
  } else if (const Machine *known = find(options.cpu)) {
    machine = *known;
    description.cpu = machine.cpu ? machine.cpu : machine.name;
    description.features = machine.features;
    if (description.triple.empty())
      description.triple = std::string(machine.architecture) + "-unknown-linux-gnu";
  } else {
    return absl::InvalidArgumentError("unknown cpu " + options.cpu + "; known are " +
                                      llvm::join(knownCpus(), ", "));
  }
  description.level = options.cpu == "native" ? description.cpu : options.cpu;
  auto addFeatures = [&](const std::string &features) {
    if (!features.empty())
      description.features += (description.features.empty() ? "" : ",") + features;
  };
  if (llvm::Triple(description.triple).isX86())
    addFeatures(unwanted);
  addFeatures(options.features);
  absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> llvmMachine =
      createTargetMachine(description);
  if (!llvmMachine.ok())
    return llvmMachine.status();
  const llvm::MCSubtargetInfo *subtarget = (*llvmMachine)->getMCSubtargetInfo();
  auto has = [&](llvm::StringRef name) { return subtarget->checkFeatures(("+" + name).str()); };
  bool x86 = (*llvmMachine)->getTargetTriple().isX86();
  if (x86 && (!has("avx2") || !has("fma")))
    return absl::InvalidArgumentError("cpu " + description.level +
                                      " lacks avx2 and fma, which generated code needs");
  for (llvm::StringRef feature : x86 ? llvm::ArrayRef(x86Features) : llvm::ArrayRef(armFeatures))
    if (has(feature))
      description.requiredFeatures.push_back(feature.str());
  if (machine.vectorBytes == 32)
    description.requiredFeatures.push_back("sve256");
  description.machine = x86 ? x86Machine(context, machine, description, options.pageRows, has)
                            : armMachine(context, machine, options.pageRows, has);
  description.json = asJson(description);
  return description;
}

} // namespace glm
