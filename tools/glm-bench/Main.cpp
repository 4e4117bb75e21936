// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-bench: how fast an artifact is, and how well it predicts a text.
#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"
#include "tools/glm-bench/Measure.h"

#include <CLI/CLI.hpp>

namespace {

using namespace glm;
using namespace glm::bench;

/// Without flags: a short prompt and decoding from an empty cache.
void chooseFigures(Arguments &arguments, bool decodes) {
  bool anything = !arguments.prefill.empty() || !arguments.contexts.empty() || decodes ||
                  !arguments.perplexity.empty() || arguments.kernels;
  if (!anything)
    arguments.prefill = {128};
  if (arguments.contexts.empty() && (!anything || decodes || arguments.kernels))
    arguments.contexts = {0};
}

CLI::Option *checked(CLI::Option *option, const char *letter, CLI::Validator rule) {
  return option->type_name(letter)->check(rule.description(""));
}

/// False when help or version was asked for and printed.
bool parse(int argc, char **argv, Arguments &arguments) {
  CLI::App app("Measures a compiled GLM artifact: prefill, decode, kernels, perplexity.",
               "glm-bench");
  std::string device = "cpu";
  app.set_version_flag("--version", "glm-bench " GLM_VERSION);
  app.footer("Figures are medians of several runs on a possibly shared machine. Without flags: "
             "--prefill 128 --decode 16 --context 0.");
  app.add_option("artifact", arguments.engine.artifact, "the compiled model")
      ->type_name("MODEL.glm");
  checked(
      app.add_option("--prefill", arguments.prefill, "prompt lengths, in tokens")->delimiter(','),
      "N,...", CLI::PositiveNumber)
      ->allow_extra_args(false);
  auto *decode =
      checked(app.add_option("--decode", arguments.decode, "steps of one token per figure"), "N",
              CLI::PositiveNumber)
          ->capture_default_str();
  checked(app.add_option("--context", arguments.contexts, "rows in the cache before decoding")
              ->delimiter(','),
          "N,...", CLI::NonNegativeNumber)
      ->allow_extra_args(false);
  checked(app.add_option("--slots", arguments.slots, "sequences that decode together"), "N",
          CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--device", device, "where to run")->type_name("NAME")->capture_default_str();
  checked(app.add_option("--repetitions", arguments.repetitions, "runs per figure"), "N",
          CLI::PositiveNumber)
      ->capture_default_str();
  checked(app.add_option("--threads", arguments.engine.threads,
                         "workers (default: as many as this process may use)"),
          "N", CLI::Range(1, 1024));
  app.add_flag("--kernels", arguments.kernels, "time every launch of the decode steps");
  checked(app.add_option("--seed", arguments.seed, "of tokens and cache rows"), "S", CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--perplexity", arguments.perplexity, "score a text")
      ->type_name("@FILE")
      ->transform(tool::fileName);
  checked(app.add_option("--window", arguments.window, "tokens that are scored together"), "N",
          CLI::Range(int64_t(2), INT64_MAX))
      ->capture_default_str();
  app.add_option("--json", arguments.json, "write the figures")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    app.exit(asked);
    return false;
  } catch (const CLI::ParseError &error) {
    throw tool::Failure(tool::Code::BadArguments, "glm-bench", error.what(), "see --help");
  }
  if (arguments.engine.artifact.empty())
    throw tool::Failure(tool::Code::BadArguments, "glm-bench", "no artifact is given",
                        "name the .glm file first; see --help");
  if (device != "cpu")
    throw tool::Failure(tool::Code::BadArguments, "--device",
                        "'" + device + "' is no device of this build", "use cpu");
  chooseFigures(arguments, decode->count() > 0);
  return true;
}

void print(const nlohmann::ordered_json &figures) {
  std::printf("load            %10.1f ms\n", figures["load_ms"].get<double>());
  for (const auto &row : figures.value("prefill", nlohmann::ordered_json::array()))
    std::printf("prefill %7lld %10.1f tokens/s\n",
                static_cast<long long>(row["tokens"].get<int64_t>()),
                row["tokens_per_s"].get<double>());
  for (const auto &row : figures.value("decode", nlohmann::ordered_json::array()))
    std::printf("decode @%7lld %9.1f tokens/s\n",
                static_cast<long long>(row["context"].get<int64_t>()),
                row["tokens_per_s"].get<double>());
  for (const auto &row : figures.value("kernels", nlohmann::ordered_json::array()))
    std::printf("%9.4f ms %5.1f %%  %-32s %s\n", row["ms"].get<double>(),
                100 * row["share"].get<double>(), row["name"].get<std::string>().c_str(),
                row["path"].get<std::string>().c_str());
  if (figures.contains("perplexity"))
    std::printf("perplexity %10.4f, %.6f nats/token over %lld tokens\n",
                figures["perplexity"]["perplexity"].get<double>(),
                figures["perplexity"]["nats_per_token"].get<double>(),
                static_cast<long long>(figures["perplexity"]["tokens"].get<int64_t>()));
}

int measure(int argc, char **argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments))
    return 0;
  tool::Engine engine(arguments.engine);
  nlohmann::ordered_json figures;
  figures["machine"] = {{"device", engine.info().device},
                        {"threads", engine.statistics().threads},
                        {"precision", engine.info().precision}};
  figures["load_ms"] = engine.loadMilliseconds();
  if (!arguments.contexts.empty())
    figures["decode"] = measureDecode(arguments, engine);
  if (!arguments.prefill.empty())
    figures["prefill"] = measurePrefill(arguments, engine);
  if (arguments.kernels)
    figures["kernels"] = measureKernels(arguments, engine);
  if (!arguments.perplexity.empty())
    figures["perplexity"] = measurePerplexity(arguments, engine);
  print(figures);
  if (!arguments.json.empty())
    tool::writeText(arguments.json, figures.dump(1) + "\n");
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  return glm::tool::guarded("glm-bench", [&] { return measure(argc, argv); });
}
