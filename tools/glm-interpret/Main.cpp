// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-interpret: a checkpoint run by the reference interpreter, with the flags of glm-run that ask
// for numbers. Slow and exact; what the compiler makes is compared with it.
#include "tools/glm-interpret/Run.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <CLI/CLI.hpp>

namespace {

/// `@file` or `file`.
CLI::Option *addFile(CLI::App &app, const char *flag, std::string &file, const char *what) {
  return app.add_option(flag, file, what)->type_name("@FILE")->transform([](std::string name) {
    return name.starts_with('@') ? name.substr(1) : name;
  });
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Runs a checkpoint with the reference interpreter.", "glm-interpret");
  InterpretArguments arguments;
  double temperature = 0;
  app.set_version_flag("--version", "glm-interpret " GLM_VERSION);
  app.add_option("checkpoint", arguments.checkpoint, "folder of the checkpoint")
      ->type_name("DIR")
      ->required();
  addFile(app, "--tokens", arguments.tokens, "ids of the prompt, int64 or int32 [n]")->required();
  addFile(app, "--logits", arguments.logits, "write the logits, f32 [n, vocab]");
  addFile(app, "--draft-logits", arguments.draftLogits,
          "write the draft layer's logits, teacher-forced, f32 [n, vocab]");
  addFile(app, "--output-tokens", arguments.outputTokens, "write the continuation, int64 [count]");
  app.add_option("--max-tokens", arguments.maxTokens, "length of the continuation")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--temperature", temperature, "0: the most likely token; nothing else is offered");
  app.add_flag("--ignore-stop", arguments.ignoreStop, "continue after a stop token");
  app.add_option("--stages-to", arguments.stagesTo, "write the values in between, one .npy each")
      ->type_name("DIR");
  app.add_flag("--perplexity", arguments.perplexity, "print the likelihood of the tokens");
  app.add_option("--window", arguments.window, "tokens of a window that is scored by itself")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--latent-norm-eps", arguments.latentNormEps,
                 "eps of the two latent norms; default rms_norm_eps");
  app.add_flag("--f64", arguments.f64, "compute everything in f64");
  app.add_option("--chunk", arguments.chunk, "rows of a prompt that are run at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--module", arguments.module,
                 "interpret this module of the checkpoint instead of importing it")
      ->type_name("FILE.mlir");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError &error) {
    return glm::report(
        glm::codedError(glm::Code::BadArguments, "glm-interpret", error.what(), "see --help"));
  }
  if (temperature != 0)
    return glm::report(glm::codedError(glm::Code::BadArguments, "--temperature",
                                       "the interpreter does not sample", "use 0"));
  return glm::report(interpretCheckpoint(arguments));
}
