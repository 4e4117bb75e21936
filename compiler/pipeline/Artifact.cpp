// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// artifact: the program, its code and its weights become one file.
#include "compiler/pipeline/Compilation.h"

#include "llvm/ADT/STLExtras.h"

#include <charconv>

namespace glm {

/// The shortest text that reads back as the same number.
static std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The flags that change what comes out; how many workers wrote it and where is nobody's business.
static std::vector<std::string> meaningfulFlags(const CompileOptions &o,
                                                const std::vector<TargetDescription> &levels) {
  std::string cpus;
  for (const TargetDescription &level : levels)
    cpus += (cpus.empty() ? "" : ",") + level.level;
  std::vector<std::string> flags = {"--target=" + o.target, "--target-cpu=" + cpus,
                                    "--precision=" + o.precision,
                                    "--slots=" + std::to_string(o.slots)};
  if (o.indexKeys != "bf16")
    flags.push_back("--index-keys=" + o.indexKeys);
  if (o.expandedKeys >= 0)
    flags.push_back("--expanded-keys=" + std::to_string(o.expandedKeys));
  if (o.context)
    flags.push_back("--context=" + std::to_string(o.context));
  if (o.noMtp)
    flags.push_back("--no-mtp");
  if (o.latentNormEps)
    flags.push_back("--latent-norm-eps=" + shortest(*o.latentNormEps));
  for (auto [kept, name] : {std::pair(o.keepSelections, "selections"),
                            std::pair(o.keepExperts, "experts"), std::pair(o.keepHidden, "hidden")})
    if (kept)
      flags.push_back(std::string("--keep=") + name);
  return flags;
}

absl::Status runArtifact(Compilation &c) {
  artifact::WriteOptions options;
  options.output = c.options.output;
  options.checkpoint = c.checkpoint;
  for (auto [number, image] : llvm::enumerate(c.code))
    options.code[segmentOf(c, number)] = std::move(image.bytes);
  options.workers = c.options.jobs;
  options.flags = meaningfulFlags(c.options, c.levels);
  options.compiler = c.options.compiler;
  options.progress = c.options.progress;
  auto summary = artifact::writeArtifact(*c.module, options);
  if (!summary.ok())
    return summary.status();
  c.written = *summary;
  return absl::OkStatus();
}

void removeUnfinishedOutput() { artifact::OutputFile::removeUnfinished(); }

} // namespace glm
