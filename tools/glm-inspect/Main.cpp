// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm-inspect: shows what an artifact holds, without running it.
#include "tools/engine/Failure.h"
#include "tools/glm-inspect/Report.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace {

using namespace glm;

struct Arguments {
  std::string artifact, other, check;
  bool json = false, disassemble = false;
};

/// False when --help or --version has said all.
bool parse(int argc, char **argv, Arguments &arguments) {
  CLI::App app("Shows what an artifact holds, without running it.", "glm-inspect");
  app.set_version_flag("--version", "glm-inspect " GLM_VERSION);
  app.add_option("artifact", arguments.artifact, "the .glm file")
      ->required()
      ->type_name("MODEL.glm");
  app.add_flag("--json", arguments.json, "everything, as JSON");
  app.add_option("--check", arguments.check, "host: say whether this machine can run it")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"host"}));
  app.add_option("--diff", arguments.other, "what differs in another artifact")
      ->type_name("OTHER.glm");
  app.add_flag("--disassemble", arguments.disassemble,
               "the machine code of the kernels (through llvm-objdump)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &told) {
    app.exit(told);
    return false;
  } catch (const CLI::ParseError &error) {
    throw tool::Failure(tool::Code::BadArguments, "glm-inspect", error.what(),
                        "--help lists the flags");
  }
  return true;
}

int inspectArtifact(int argc, char **argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments))
    return 0;
  runtime::Artifact artifact;
  inspect::openArtifact(arguments.artifact, artifact);
  if (!arguments.check.empty()) {
    std::string level = inspect::checkHost(artifact, arguments.artifact);
    std::printf("this machine can run %s, with code for %s\n", arguments.artifact.c_str(),
                level.c_str());
  } else if (!arguments.other.empty()) {
    runtime::Artifact other;
    inspect::openArtifact(arguments.other, other);
    if (inspect::printDifferences(inspect::report(artifact), inspect::report(other)) == 0)
      std::printf("no difference\n");
  } else if (arguments.disassemble) {
    inspect::disassemble(artifact);
  } else if (arguments.json) {
    std::printf("%s\n", inspect::report(artifact)
                            .dump(2, ' ', false, inspect::Json::error_handler_t::replace)
                            .c_str());
  } else {
    inspect::print(inspect::report(artifact));
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  return tool::guarded("glm-inspect", [&] { return inspectArtifact(argc, argv); });
}
