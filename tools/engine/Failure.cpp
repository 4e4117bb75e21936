// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Failure.h"

#include <cstdio>

namespace glm::tool {
namespace {

std::string line(int code, const std::string &text) {
  char head[32];
  std::snprintf(head, sizeof head, "error[GLM%04d]: ", code);
  std::string result = head + text;
  for (char &c : result)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  return result;
}

} // namespace

Failure::Failure(Code code, const std::string &thing, const std::string &what,
                 const std::string &remedy, int exitCode)
    : Failure(
          line(static_cast<int>(code), thing + ": " + what + (remedy.empty() ? "" : "; " + remedy)),
          exitCode) {}

void check(const glm_status &status) {
  if (status.code == GLM_CANCELLED)
    throw Failure(line(status.code, status.message), 130);
  if (status.code != GLM_OK)
    throw Failure(line(status.code, status.message));
}

void check(const std::optional<npy::Error> &error) {
  if (error)
    throw Failure(error->line());
}

int guarded(const char *tool, const std::function<int()> &work) {
  try {
    int exitCode = work();
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw Failure(Code::OutputUnwritable, "standard output", "cannot be written");
    return exitCode;
  } catch (const Failure &failure) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", failure.what());
    return failure.exitCode;
  } catch (const std::exception &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n",
                 line(static_cast<int>(Code::BadArguments), std::string(tool) + ": " + error.what())
                     .c_str());
    return 1;
  }
}

} // namespace glm::tool
