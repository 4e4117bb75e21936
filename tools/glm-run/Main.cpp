// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-run: runs an artifact.
#include "tools/engine/Failure.h"
#include "tools/glm-run/Modes.h"

namespace {

using namespace glm::run;

int runArtifact(int argc, char **argv) {
  std::optional<Arguments> arguments = parse(argc, argv);
  if (!arguments)
    return 0;
  glm::tool::Engine engine(arguments->engine);
  if (!arguments->tokenize.empty())
    return tokenize(*arguments, engine);
  if (!arguments->detokenize.empty())
    return detokenize(*arguments, engine);
  if (!arguments->logits.empty() || !arguments->stagesTo.empty() || !arguments->draftLogits.empty())
    return evaluate(*arguments, engine);
  if (arguments->chat && !arguments->prompt)
    return converse(*arguments, engine);
  return generateOnce(*arguments, engine);
}

} // namespace

int main(int argc, char **argv) {
  return glm::tool::guarded("glm-run", [&] { return runArtifact(argc, argv); });
}
