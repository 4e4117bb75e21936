// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-bench: how fast an artifact is, and how well it predicts a text.
#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"
#include "tools/glm-bench/Measure.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

namespace {

using namespace glm;
using namespace glm::bench;

/// Without flags: a short prompt and decoding from an empty cache.
void chooseFigures(Arguments &arguments, bool decodes) {
  bool steps = decodes || arguments.neighbour || !arguments.trace.empty();
  bool anything = !arguments.prefill.empty() || !arguments.contexts.empty() || steps ||
                  !arguments.perplexity.empty() || arguments.kernels;
  if (!anything)
    arguments.prefill = {128};
  bool onlyKernels = arguments.kernels && arguments.prefill.empty();
  if (arguments.contexts.empty() && (!anything || steps || onlyKernels))
    arguments.contexts = {0};
  if (arguments.threads.empty())
    arguments.threads = {0};
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
  app.footer(
      "Figures are medians of several runs on a possibly shared machine. Loops that only read "
      "memory or only multiply run before and after every table, with the same threads and "
      "kind of pages; shares are of the mean of both. Bytes are those of weights and cached "
      "rows that a step needs, operations those of its products. Without flags: --prefill 128 "
      "--decode 16 --context 0.");
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
  app.add_option("--level", arguments.engine.level,
                 "which of the artifact's levels of code to run (default: the best this processor "
                 "can); glm-inspect lists them")
      ->type_name("NAME");
  app.add_option("--device", device, "where to run")->type_name("NAME")->capture_default_str();
  std::string attention = "auto";
  app.add_option(
         "--attention", attention,
         "force one form of attention over many rows of a sequence: gathered, masked (all "
         "keys expanded, a mask hides what is not selected) or expanded (nothing is hidden: "
         "beyond index_topk not the model)")
      ->type_name("FORM")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(tool::attentionNames),
                                                     std::end(tool::attentionNames)))
                  .description(""))
      ->capture_default_str();
  checked(app.add_option("--repetitions", arguments.repetitions, "runs per figure"), "N",
          CLI::PositiveNumber)
      ->capture_default_str();
  checked(app.add_option("--threads", arguments.threads,
                         "workers, one run for each number (default: as many as this process may "
                         "use)")
              ->delimiter(','),
          "N,...", CLI::Range(1, 1024))
      ->allow_extra_args(false);
  app.add_flag("--kernels", arguments.kernels,
               "time every launch, of a step at each context and of each prefill");
  app.add_flag("!--no-limits", arguments.limits, "without the loops before and after: no shares");
  app.add_flag("--neighbour", arguments.neighbour,
               "decode at the first context again, beside a process that never rests");
  app.add_option("--trace", arguments.trace,
                 "write a step at the first context as Chrome trace events")
      ->type_name("FILE");
  checked(app.add_option("--seed", arguments.seed, "of tokens and cache rows"), "S",
          CLI::NonNegativeNumber)
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
  arguments.engine.attention = tool::Attention(
      std::find(std::begin(tool::attentionNames), std::end(tool::attentionNames), attention) -
      tool::attentionNames);
  if (device != "cpu")
    throw tool::Failure(tool::Code::BadArguments, "--device",
                        "'" + device + "' is no device of this build", "use cpu");
  chooseFigures(arguments, decode->count() > 0);
  return true;
}

/// From nothing to the logits of one token, in the mode of all figures.
struct Start {
  std::unique_ptr<tool::Engine> engine;
  double firstTokenMilliseconds;

  explicit Start(const tool::EngineOptions &options) {
    auto begin = std::chrono::steady_clock::now();
    engine = std::make_unique<tool::Engine>(options);
    Session session = engine->openSession(1, 1);
    glm_row row = {};
    int32_t wanted = 0;
    tool::check(glm_session_step(session.get(), &row, 1, &wanted, 1));
    firstTokenMilliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }
};

/// Processes that wanted to run in the last minute, these threads included.
double loadOfMachine() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

/// Before anything is measured: what would be refused in the middle.
void requireRoom(const Arguments &arguments, const tool::Engine &engine) {
  for (int64_t length : arguments.prefill)
    engine.requireContext("--prefill", length);
  for (int64_t context : arguments.contexts)
    engine.requireContext("--context with --decode", context + arguments.decode);
  if (!arguments.perplexity.empty()) {
    engine.requireContext("--window", arguments.window);
  }
}

/// The form that was asked for, and up to which length the figures are the model's.
Json attentionOf(tool::Attention form, const glm_model_info &info) {
  Json result = {{"form", tool::attentionNames[size_t(form)]},
                 {"expanded_keys", info.expanded_keys}};
  if (form == tool::Attention::expanded && info.index_topk > 0)
    result["not_the_model_beyond"] = info.index_topk;
  return result;
}

/// Everything once, with one number of threads.
Json figuresFor(const Arguments &arguments, int threads, const ProgramCosts &costs) {
  tool::EngineOptions options = arguments.engine;
  options.threads = threads;
  Start(options).engine.reset(); // what it reads is in memory from then on
  Start start(options);
  const tool::Engine &engine = *start.engine;
  requireRoom(arguments, engine);
  bool takesLimits = arguments.limits && (!arguments.contexts.empty() ||
                                          !arguments.prefill.empty() || arguments.kernels);
  std::unique_ptr<LimitLoops> loops;
  if (takesLimits)
    loops = std::make_unique<LimitLoops>(LimitLoops::Options{
        engine.statistics().threads, engine.model().info().huge_bytes > 0, costs.usesBf16Dot()});
  LimitLog limits(loops.get());
  Run run = {arguments, engine, costs, limits};
  Json figures;
  figures["machine"] = {{"device", engine.info().device},
                        {"threads", engine.statistics().threads},
                        {"precision", engine.info().precision}};
  figures["attention"] = attentionOf(arguments.engine.attention, engine.info());
  if (takesLimits)
    figures["limits"] = nullptr; // here, once all are taken
  figures["load_ms"] = engine.loadMilliseconds();
  figures["first_token_ms"] = start.firstTokenMilliseconds;
  if (!arguments.contexts.empty()) {
    figures["decode"] = measureDecode(run);
    if (Json growth = growthOf(run, figures["decode"], limits.latestMean()); !growth.is_null())
      figures["growth"] = growth;
  }
  if (!arguments.prefill.empty())
    figures["prefill"] = measurePrefill(run);
  if (arguments.kernels) {
    KernelFigures kernels = measureKernels(run);
    figures["kernels"] = kernels.kernels;
    figures["kernel_tables"] = kernels.tables;
  }
  if (arguments.neighbour)
    figures["neighbour"] = measureNeighbour(run);
  if (!arguments.trace.empty())
    tool::writeText(arguments.trace, traceOf(run));
  if (!arguments.perplexity.empty() && threads == arguments.threads.back())
    figures["perplexity"] = measurePerplexity(arguments, engine);
  if (takesLimits)
    figures["limits"] = limits.toJson();
  glm_model_info info = engine.model().info();
  figures["machine"]["load"] = loadOfMachine();
  figures["machine"]["weight_bytes"] = info.weight_bytes;
  figures["machine"]["huge_bytes"] = info.huge_bytes;
  return figures;
}

int measure(int argc, char **argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments))
    return 0;
  ProgramCosts costs(arguments.engine.artifact, arguments.engine.level);
  auto runs = Json::array();
  for (int threads : arguments.threads) {
    if (!runs.empty())
      std::printf("\n");
    runs.push_back(figuresFor(arguments, threads, costs));
    print(runs.back());
    std::fflush(stdout);
  }
  Json figures = runs.back();
  if (runs.size() > 1) {
    figures["by_threads"] = runs;
    figures["scaling"] = scalingOf(runs.front(), runs.back());
    printScaling(figures["scaling"]);
  }
  if (!arguments.json.empty())
    tool::writeText(arguments.json, figures.dump(1) + "\n");
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  return glm::tool::guarded("glm-bench", [&] { return measure(argc, argv); });
}
