// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-run/Arguments.h"

#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"

#include <CLI/CLI.hpp>

#include <random>

namespace glm::run {
namespace {

using tool::Code;
using tool::Failure;

constexpr const char *footer = R"(Examples:
  glm-run model.glm --prompt "It was"                    continue a text
  glm-run model.glm --chat                               talk
  glm-run model.glm --messages=@chat.json                answer a conversation
  glm-run model.glm --tokens=@ids.npy --logits=@out.npy  logits of every position

A TEXT may be @FILE, or - for standard input. Sampling defaults come from the checkpoint's generation_config.json.)";

/// Help shows the letter of the value; what it must be shows when it is not.
CLI::Option *checked(CLI::Option *option, const char *letter, CLI::Validator rule) {
  return option->type_name(letter)->check(rule.description(""));
}

CLI::Option *addFile(CLI::App &app, const char *flag, std::string &file, const char *what,
                     const char *group) {
  return app.add_option(flag, file, what)
      ->type_name("@FILE")
      ->transform(tool::fileName)
      ->group(group);
}

void addText(CLI::App &app, Arguments &arguments) {
  const char *group = "Text";
  app.add_option("--prompt", arguments.prompt, "continue this text; with --chat: answer it")
      ->type_name("TEXT")
      ->group(group);
  app.add_flag("--chat", arguments.chat,
               "converse in the model's chat format; without --prompt interactively")
      ->group(group);
  addFile(app, "--messages", arguments.messages,
          R"(answer {"messages": […], "tools": […], options of the template})", group);
  app.add_flag("--render", arguments.render, "print the prompt that --messages makes and stop")
      ->group(group);
  addFile(app, "--tokenize", arguments.tokenize, "print the ids of a text", group);
  addFile(app, "--detokenize", arguments.detokenize, "print the text of ids (.npy)", group);
  app.add_flag("--skip-special", arguments.skipSpecial, "leave special tokens out of --detokenize")
      ->group(group);
}

void addNumbers(CLI::App &app, Arguments &arguments) {
  const char *group = "Numbers";
  addFile(app, "--tokens", arguments.tokens, "prompt as ids, int64 or int32 [n]", group);
  addFile(app, "--logits", arguments.logits,
          "write the logits of every position, f32 [n, vocabulary]", group);
  addFile(app, "--draft-logits", arguments.draftLogits,
          "write the draft layer's logits, f32 [n, vocabulary]", group);
  addFile(app, "--output-tokens", arguments.outputTokens, "write the continuation, int64 [count]",
          group);
  app.add_option("--stages-to", arguments.stagesTo, "write what glmc --keep kept, one .npy each")
      ->type_name("DIR")
      ->group(group);
}

void addSampling(CLI::App &app, Arguments &arguments) {
  const char *group = "Sampling";
  checked(
      app.add_option("--max-tokens", arguments.maxTokens, "most tokens to generate (default 256)"),
      "N", CLI::NonNegativeNumber)
      ->group(group);
  checked(
      app.add_option("--temperature", arguments.temperature, "0: the most likely token, always"),
      "T", CLI::NonNegativeNumber)
      ->group(group);
  checked(app.add_option("--top-p", arguments.topP, "fewest tokens whose probabilities reach P"),
          "P", CLI::Range(0.0, 1.0))
      ->group(group);
  checked(app.add_option("--top-k", arguments.topK, "the K most likely tokens; 0: all"), "K",
          CLI::NonNegativeNumber)
      ->group(group);
  checked(
      app.add_option("--min-p", arguments.minP, "tokens at least P times as likely as the best"),
      "P", CLI::Range(0.0, 1.0))
      ->group(group);
  checked(app.add_option("--repetition-penalty", arguments.repetitionPenalty,
                         "above 1: fewer repetitions"),
          "R", CLI::PositiveNumber)
      ->group(group);
  checked(
      app.add_option("--seed", arguments.seed, "same seed, same text (default: random, printed)"),
      "S", CLI::NonNegativeNumber)
      ->group(group);
  app.add_option("--stop", arguments.stop, "end before this text (repeatable)")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  app.add_flag("--ignore-stop", arguments.ignoreStop, "go on after stop tokens")->group(group);
  app.add_flag("--logprobs{1}", arguments.logProbabilities,
               "print each token with its log-probability; =N: and those of the N - 1 best")
      ->group(group);
  app.add_option("--draft", arguments.draft,
                 "tokens that the draft layer guesses per step: auto or 0 to 8")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
}

void addExecution(CLI::App &app, Arguments &arguments) {
  const char *group = "Execution";
  checked(app.add_option("--threads", arguments.engine.threads,
                         "workers (default: as many as this process may use)"),
          "N", CLI::Range(1, 1024))
      ->group(group);
  checked(app.add_option("--context", arguments.context,
                         "positions to make room for (default: prompt and --max-tokens)"),
          "N", CLI::PositiveNumber)
      ->group(group);
  checked(
      app.add_option("--chunk", arguments.chunk, "rows of a step over the prompt (default 512)"),
      "N", CLI::PositiveNumber)
      ->group(group);
  app.add_option_function<std::string>(
         "--weights-memory",
         [&](const std::string &kind) { arguments.engine.copyWeights = kind == "copy"; },
         "map or copy: how weights are read (default map)")
      ->type_name("KIND")
      ->check(CLI::IsMember({"map", "copy"}).description(""))
      ->group(group);
  app.add_option("--level", arguments.engine.level,
                 "which of the artifact's levels of code to run (default: the best this processor "
                 "can); glm-inspect lists them")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--device", arguments.device, "where to run")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--stats{-}", arguments.statsFile, "print statistics as JSON; =@FILE: write them")
      ->group(group);
}

/// Exactly one of the flags that say what to do.
void checkMode(const Arguments &arguments) {
  int modes = arguments.prompt.has_value() + !arguments.messages.empty() +
              !arguments.tokens.empty() + !arguments.tokenize.empty() +
              !arguments.detokenize.empty() + (arguments.chat && !arguments.prompt);
  if (modes == 1)
    return;
  throw Failure(modes == 0 ? Code::BadArguments : Code::FlagsConflict, "glm-run",
                modes == 0 ? "nothing to run" : "more than one prompt is given",
                "give one of --prompt, --chat, --messages, --tokens, --tokenize, --detokenize");
}

/// Flags that mean nothing beside others are refused rather than ignored.
void checkFlags(const Arguments &arguments) {
  bool evaluates =
      !arguments.logits.empty() || !arguments.stagesTo.empty() || !arguments.draftLogits.empty();
  struct Rule {
    bool broken;
    const char *flag, *why, *remedy;
  };
  const Rule rules[] = {
      {arguments.render && arguments.messages.empty(), "--render",
       "prints the prompt of a conversation", "give --messages"},
      {arguments.skipSpecial && arguments.detokenize.empty(), "--skip-special",
       "is about the text of ids", "give --detokenize"},
      {(evaluates || !arguments.outputTokens.empty()) && arguments.tokens.empty(), "glm-run",
       "--logits, --draft-logits, --output-tokens and --stages-to start from ids", "give --tokens"},
      {evaluates && !arguments.outputTokens.empty(), "--output-tokens",
       "generates, --logits, --draft-logits and --stages-to do not", "run twice"},
      {arguments.logProbabilities > 0 && !arguments.outputTokens.empty(), "--logprobs",
       "prints tokens, --output-tokens writes them", "drop one of them"},
  };
  for (const Rule &rule : rules)
    if (rule.broken)
      throw Failure(Code::FlagsConflict, rule.flag, rule.why, rule.remedy);
}

bool isDigitUpTo8(const std::string &text) {
  return text.size() == 1 && text[0] >= '0' && text[0] <= '8';
}

void checkValues(const Arguments &arguments) {
  if (arguments.device != "cpu")
    throw Failure(Code::BadArguments, "--device",
                  "'" + arguments.device + "' is no device of this build", "use cpu");
  if (arguments.draft != "auto" && !isDigitUpTo8(arguments.draft))
    throw Failure(Code::BadArguments, "--draft", "'" + arguments.draft + "' is no number of tokens",
                  "use auto or 0 to 8");
  if (arguments.logProbabilities < 0 || arguments.logProbabilities > 100)
    throw Failure(Code::BadArguments, "--logprobs",
                  std::to_string(arguments.logProbabilities) + " is not in 1 to 100");
  for (const std::string &stop : arguments.stop)
    if (stop.empty())
      throw Failure(Code::BadArguments, "--stop", "is empty", "give the text to end before");
}

} // namespace

std::optional<Arguments> parse(int argc, char **argv) {
  CLI::App app("Runs a compiled GLM artifact: continues text, chats, computes logits.", "glm-run");
  Arguments arguments;
  app.set_version_flag("--version", "glm-run " GLM_VERSION);
  app.footer(footer);
  app.get_formatter()->column_width(34);
  app.add_option("artifact", arguments.engine.artifact, "the compiled model")
      ->type_name("MODEL.glm");
  addText(app, arguments);
  addSampling(app, arguments);
  addNumbers(app, arguments);
  addExecution(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    app.exit(asked);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    throw Failure(Code::BadArguments, "glm-run", error.what(), "see --help");
  }
  if (arguments.engine.artifact.empty())
    throw Failure(Code::BadArguments, "glm-run", "no artifact is given",
                  "name the .glm file first; see --help");
  arguments.stats = app.get_option("--stats")->count() > 0;
  arguments.statsFile = arguments.statsFile == "-" ? "" : tool::fileName(arguments.statsFile);
  checkMode(arguments);
  checkFlags(arguments);
  checkValues(arguments);
  if (arguments.needsNoSteps())
    arguments.engine = {arguments.engine.artifact, /*threads=*/1};
  return arguments;
}

glm_sampling samplingOf(const Arguments &arguments, const glm_generation_defaults &defaults) {
  glm_sampling sampling = {};
  sampling.temperature =
      arguments.temperature.value_or(defaults.do_sample ? defaults.temperature : 0);
  sampling.top_k = arguments.topK.value_or(defaults.top_k);
  sampling.top_p = arguments.topP.value_or(defaults.top_p);
  sampling.min_p = arguments.minP.value_or(defaults.min_p);
  sampling.repetition_penalty = arguments.repetitionPenalty.value_or(defaults.repetition_penalty);
  if (sampling.temperature == 0)
    return sampling;
  sampling.seed = arguments.seed ? *arguments.seed : std::random_device{}();
  if (!arguments.seed)
    std::fprintf(stderr, "note: --seed %llu\n", static_cast<unsigned long long>(sampling.seed));
  return sampling;
}

} // namespace glm::run
