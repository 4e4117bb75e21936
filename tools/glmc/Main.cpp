// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glmc: from a checkpoint to an artifact. Everything happens in compiler/pipeline; here are the
// command line, the terminal and signals.
#include "compiler/diagnostics/Diagnostic.h"
#include "tools/glmc/Arguments.h"

#include <csignal>
#include <cstdio>
#include <unistd.h>

using namespace glm;

namespace {

/// A signal ends the tool with one line and without a half-written file. Only async-signal-safe
/// calls.
void endBySignal(int) {
  static const char line[] = "error[GLM0007]: glmc: interrupted; nothing was written\n";
  removeUnfinishedOutput();
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
  _exit(1);
}

/// Percent that stand on the terminal; -1: no unfinished line.
int shown = -1;

/// A line that is overwritten as weights are packed; only for people.
void showProgress(uint64_t done, uint64_t total) {
  int percent = total ? int(done * 100.0 / double(total)) : 100;
  if (percent == shown)
    return;
  shown = percent;
  std::fprintf(stderr, "\rpacking weights: %3d %% of %.2f GiB%s", percent,
               double(total) / (1 << 30), done == total ? "\n" : "");
  std::fflush(stderr);
}

} // namespace

int main(int argc, char **argv) {
  absl::StatusOr<glmc::Arguments> arguments = glmc::parse(argc, argv);
  if (!arguments.ok())
    return report(arguments.status());
  if (arguments->answered)
    return 0;
  if (!arguments->explain.empty()) {
    std::optional<std::string> page = explain(arguments->explain);
    if (!page)
      return report(codedError(Code::UnknownCode, arguments->explain, "is not in the catalogue",
                               "give a code such as GLM0300"));
    std::fputs(page->c_str(), stdout);
    return 0;
  }
  std::signal(SIGINT, endBySignal);
  std::signal(SIGTERM, endBySignal);
  if (isatty(STDERR_FILENO))
    arguments->compile.progress = showProgress;
  absl::Status status = compile(arguments->compile);
  if (!status.ok() && shown >= 0)
    std::fputc('\n', stderr);
  return report(status);
}
