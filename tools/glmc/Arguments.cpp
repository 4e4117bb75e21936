// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glmc/Arguments.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <sched.h>

namespace glm::glmc {

namespace {

constexpr const char *about =
    "Compiles a GLM checkpoint, as Hugging Face publishes it, to one deployable file.";

constexpr const char *examples = R"(Examples:
  glmc GLM-5 -o glm5.glm                              for this machine
  glmc GLM-5 -o glm5.glm --target-cpu=znver4 -j 16    for another
  glmc GLM-5 --compile-to=fuse -o fused.mlir          stop behind a phase and look
  glmc --compile-from=fused.mlir -o glm5.glm          go on from there
  glmc kernel.mlir -o kernel.glm                      kernels without a model

Phases: import, model, fuse, tile, place, target, artifact. `--explain GLM0300` says what an error means.)";

/// Flags of the design that this version does not have, with what there is instead.
struct Refused {
  const char *flag, *instead;
};
constexpr Refused refused[] = {
    {"--shard", "an artifact runs on one machine"},
    {"--machine", "there is no npu target to name a machine for"},
    {"--emit", "there is no npu target to emit text for"},
    {"--attach-kernels", "there is no npu target to attach kernels to"},
    {"--allow-fallback", "everything runs where it was asked to, or is an error"},
};

/// How many workers this process may use.
unsigned availableCores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 1 : unsigned(CPU_COUNT(&set));
}

void addInputs(CLI::App &app, Arguments &a) {
  CompileOptions &c = a.compile;
  app.add_option("input", c.input, "folder of a checkpoint, or a module of kernels")
      ->type_name("CHECKPOINT|KERNEL.mlir");
  app.add_option("-o,--output", c.output,
                 "what to write; standard output for a module when left out")
      ->type_name("FILE");
  app.add_option("--explain", a.explain, "print what an error code means")->type_name("CODE");
}

void addModel(CLI::App &app, CompileOptions &c) {
  const char *group = "Model";
  app.add_option("--precision", c.precision,
                 "bf16: products of bf16, sums in f32; f32: everything in f32")
      ->check(CLI::IsMember({"bf16", "f32"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--index-keys", c.indexKeys,
                 "bf16: indexers keep keys as they are; int8: codes with a scale, half the memory")
      ->check(CLI::IsMember({"bf16", "int8"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--recipe", c.recipe,
                 "w8a8: int8 weights and activations; w4a8: routed experts int4, -zeros: with zero "
                 "points; or rules as JSON")
      ->type_name("w8a8|w4a8|w4a8-zeros|FILE.json")
      ->group(group);
  app.add_option("--context", c.context, "most positions of a sequence (default: the model's)")
      ->type_name("TOKENS")
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_option("--slots", c.slots, "most sequences of a session")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->group(group);
  app.add_option("--expanded-keys", c.expandedKeys,
                 "most keys that attention of a prompt expands (default: as many as pays); 0: code "
                 "for one form of attention only")
      ->type_name("KEYS")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  app.add_flag("--no-mtp", c.noMtp, "leave the draft layer out")->group(group);
  app.add_option(
         "--latent-norm-eps", c.latentNormEps,
         "eps of the two latent norms (default: the model's rms_norm_eps, as the vendor's engines)")
      ->type_name("X")
      ->group(group);
  app.add_option_function<std::vector<std::string>>(
         "--keep",
         [&c](const std::vector<std::string> &kept) {
           for (const std::string &name : kept)
             (name == "selections" ? c.keepSelections
              : name == "experts"  ? c.keepExperts
                                   : c.keepHidden) = true;
         },
         "values that become outputs of a step: selections, experts, hidden")
      ->delimiter(',')
      ->type_name("NAME,…")
      ->check(CLI::IsMember({"selections", "experts", "hidden"}))
      ->allow_extra_args(false)
      ->group(group);
}

void addTarget(CLI::App &app, CompileOptions &c) {
  const char *group = "Target";
  app.add_option("--target", c.target, "what to compile for: cpu")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--target-cpu", c.targetCpu,
         "native, or a processor such as x86-64-v3, icelake-server, znver4; of several, the "
         "artifact has code for each and the best that runs is chosen when it is loaded")
      ->type_name("NAME,…")
      ->capture_default_str()
      ->group(group);
  app.add_option("--weights", "pack: weights are stored in the layout kernels read")
      ->check(CLI::IsMember({"pack"}))
      ->default_str("pack")
      ->group(group);
}

void addPhases(CLI::App &app, CompileOptions &c) {
  const char *group = "Phases";
  app.add_option_function<std::string>(
         "--compile-to", [&c](const std::string &name) { c.to = *parsePhase(name); },
         "stop behind this phase and write the module")
      ->type_name("PHASE")
      ->check(CLI::IsMember({"import", "model", "fuse", "tile", "place", "target", "artifact"}))
      ->group(group);
  app.add_option("--compile-from", c.resume, "go on from a module that an earlier run stopped with")
      ->type_name("FILE.mlir")
      ->group(group);
  app.add_option("--dump-phases-to", c.dumpTo, "write the module behind every phase")
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--verify-fusions", c.verifyFusions,
               "compare every fusion with the steps it replaces, on small random values")
      ->group(group);
  app.add_option("--report", c.report, "write what was decided and what it cost, as JSON")
      ->type_name("FILE.json")
      ->group(group);
  app.add_option("-j,--jobs", c.jobs, "workers (default: as many as this process may use)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->group(group);
}

/// Takes the flags it does not have out of the way of "unknown flag", to say something better.
void addRefused(CLI::App &app) {
  for (const Refused &flag : refused)
    app.add_option(flag.flag)->group("")->expected(0, 1);
}

absl::Status check(const CLI::App &app, const Arguments &a) {
  for (const Refused &flag : refused)
    if (app.get_option(flag.flag)->count())
      return codedError(Code::BadArguments, flag.flag,
                        std::string("is not available in this version: ") + flag.instead,
                        "leave it out");
  if (!a.explain.empty())
    return absl::OkStatus();
  const CompileOptions &c = a.compile;
  if (c.input.empty() && !c.resume)
    return codedError(Code::BadArguments, "glmc", "nothing to compile",
                      "name the folder of a checkpoint; --help shows examples");
  if (c.to == Phase::Artifact && c.output.empty())
    return codedError(Code::BadArguments, "glmc", "an artifact needs a name", "give -o model.glm");
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Arguments> parse(int argc, char **argv) {
  CLI::App app(about, "glmc");
  Arguments arguments;
  arguments.compile.jobs = availableCores();
  arguments.compile.compiler = "glmc " GLM_VERSION;
  app.set_version_flag("--version", "glmc " GLM_VERSION);
  app.footer(examples);
  app.get_formatter()->column_width(36);
  addInputs(app, arguments);
  addModel(app, arguments.compile);
  addTarget(app, arguments.compile);
  addPhases(app, arguments.compile);
  addRefused(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    app.exit(asked);
    arguments.answered = true;
    return arguments;
  } catch (const CLI::ParseError &error) {
    return codedError(Code::BadArguments, "glmc", error.what(), "see --help");
  }
  if (absl::Status status = check(app, arguments); !status.ok())
    return status;
  return arguments;
}

} // namespace glm::glmc
