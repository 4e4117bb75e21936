// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-synthesize: a checkpoint of any `glm_moe_dsa` configuration with seeded weights, for tests
// and measurements; with --sparse a full-size one that takes no disk.
#include "Plan.h"
#include "Text.h"
#include "Write.h"

#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/FileText.h"

#include "CLI/CLI.hpp"

#include <csignal>
#include <thread>
#include <unistd.h>

namespace {

using namespace glm;
using namespace glm::synthesize;
namespace fs = std::filesystem;

struct Arguments {
  std::string input, output;
  uint64_t seed = 0;
  double shardGigabytes = 5;
  bool sparse = false;
};

/// The configuration file named by the first argument, or the one in the folder it names.
absl::StatusOr<fs::path> findConfig(const fs::path &input) {
  std::error_code error;
  if (!fs::exists(input, error))
    return codedError(Code::InputMissing, input.string(), "is not there", "name a config.json");
  if (!fs::is_directory(input, error))
    return input;
  if (fs::exists(input / "model_index.json", error))
    return codedError(Code::UnsupportedModel, input.string(),
                      "is a GLM-Image pipeline, glm_moe_dsa is supported");
  return input / "config.json";
}

/// Copies a file that stands beside the configuration, or takes the made one.
absl::Status addFile(std::map<std::string, std::string> &files, const fs::path &folder,
                     const std::string &name, std::string made) {
  std::error_code error;
  if (!fs::exists(folder / name, error)) {
    files[name] = std::move(made);
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> text = readWhole(folder / name, 1 << 30);
  if (text.ok())
    files[name] = std::move(*text);
  return text.status();
}

/// The files beside the weights. The text side comes from the configuration's folder as a whole or
/// not at all: a tokenizer of one model and a template of another do not fit together.
absl::StatusOr<std::map<std::string, std::string>> smallFiles(const fs::path &config,
                                                              const Glm5Config &model) {
  std::map<std::string, std::string> files;
  absl::StatusOr<std::string> text = readWhole(config, 64 << 20);
  if (!text.ok())
    return text.status();
  files["config.json"] = std::move(*text);
  fs::path folder = config.parent_path();
  absl::Status status =
      addFile(files, folder, "generation_config.json", generationConfigJson(model));
  std::error_code error;
  fs::path source =
      fs::exists(folder / "tokenizer.json", error) ? folder : fs::path("/nonexistent");
  status.Update(addFile(files, source, "tokenizer.json", tokenizerJson(model)));
  status.Update(addFile(files, source, "tokenizer_config.json", tokenizerConfigJson(model)));
  status.Update(addFile(files, source, "chat_template.jinja", chatTemplate()));
  if (!status.ok())
    return status;
  return files;
}

absl::Status run(const Arguments &arguments) {
  absl::StatusOr<fs::path> path = findConfig(arguments.input);
  if (!path.ok())
    return path.status();
  absl::StatusOr<Glm5Config> config = readGlm5Config(*path);
  if (!config.ok())
    return config.status();
  if (config->format != WeightFormat::Plain && config->format != WeightFormat::Fp8Blocks)
    return codedError(Code::UnsupportedFormat, path->string(),
                      "is quantised (" + config->quantMethod +
                          "), BF16 and FP8 blocks can be synthesised");
  absl::StatusOr<std::map<std::string, std::string>> files = smallFiles(*path, *config);
  if (!files.ok())
    return files.status();
  Plan plan = makePlan(*config, static_cast<uint64_t>(arguments.shardGigabytes * 1e9));
  if (!plan.index.empty())
    (*files)["model.safetensors.index.json"] = plan.index;

  // A trailing slash would name the folder's inside, where nothing can be put beside it.
  fs::path output = fs::path(arguments.output).lexically_normal();
  if (!output.has_filename())
    output = output.parent_path();
  WriteOptions options{arguments.seed, arguments.sparse,
                       std::max(1u, std::thread::hardware_concurrency()),
                       ::isatty(STDERR_FILENO) != 0};
  if (absl::Status status = writeCheckpoint(output, plan, *files, options); !status.ok())
    return status;
  std::printf("%s: %llu tensors in %zu file%s, %llu bytes, %s\n", output.c_str(),
              static_cast<unsigned long long>(plan.tensors), plan.shards.size(),
              plan.shards.size() == 1 ? "" : "s", static_cast<unsigned long long>(plan.bytes),
              arguments.sparse ? "sparse zeros"
                               : ("seed " + std::to_string(arguments.seed)).c_str());
  return absl::OkStatus();
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  CLI::App app("Writes a checkpoint of a glm_moe_dsa configuration with seeded weights.",
               "glm-synthesize");
  app.set_version_flag("--version", "glm-synthesize " GLM_VERSION);
  app.add_option("config", arguments.input, "config.json, or a folder that holds one")->required();
  app.add_option("-o,--output", arguments.output, "the folder to write; must not exist or be empty")
      ->required();
  app.add_option("--seed", arguments.seed, "seed of the weights (default 0)");
  app.add_option("--shard-size", arguments.shardGigabytes, "largest file in GB (default 5)")
      ->check(CLI::Range(1e-6, 1e6));
  app.add_flag("--sparse", arguments.sparse,
               "files of full size without data: zeros that take no disk");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    return report(codedError(Code::BadArguments, "command line", error.what(), "see --help"));
  }
  auto stop = [](int) { interrupted = true; };
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  return report(run(arguments));
}
