// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code segment is an ordinary ELF object, so an ordinary disassembler reads it; this tool has
// none of its own.
#include "tools/engine/Failure.h"
#include "tools/glm-inspect/Report.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace glm::inspect {

namespace {

/// The bytes of a segment in a file, for as long as the object lives.
class TemporaryFile {
public:
  TemporaryFile(const uint8_t *bytes, size_t size) {
    const char *folder = std::getenv("TMPDIR");
    name = std::string(folder && *folder ? folder : P_tmpdir) + "/glm-inspect-XXXXXX";
    int file = mkstemp(name.data());
    bool written = file >= 0 && write(file, bytes, size) == ssize_t(size);
    if (file >= 0)
      close(file);
    if (!written)
      throw tool::Failure(tool::Code::OutputUnwritable, name,
                          "the code cannot be written for the disassembler",
                          "set TMPDIR to a folder with space");
  }
  ~TemporaryFile() { unlink(name.c_str()); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  std::string name;
};

} // namespace

static bool runObjdump(const std::string &program, const std::string &file) {
  const char *arguments[] = {program.c_str(), "--disassemble", "--no-show-raw-insn", file.c_str(),
                             nullptr};
  pid_t child;
  if (posix_spawnp(&child, program.c_str(), nullptr, nullptr, const_cast<char *const *>(arguments),
                   environ) != 0)
    return false;
  int outcome = 0;
  if (waitpid(child, &outcome, 0) != child || !WIFEXITED(outcome))
    return false;
  if (WEXITSTATUS(outcome) == 127) // what some systems report instead of failing to spawn
    return false;
  if (WEXITSTATUS(outcome) != 0)
    throw tool::Failure(tool::Code::InputMissing, program,
                        "ended with exit code " + std::to_string(WEXITSTATUS(outcome)));
  return true;
}

void disassemble(const runtime::Artifact &artifact) {
  const auto &segments = *artifact.program().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->kind() != schema::SegmentKind::code)
      continue;
    std::printf("segment %s\n", segments.Get(i)->name()->c_str());
    std::fflush(stdout);
    TemporaryFile file(artifact.segmentData(i), segments.Get(i)->size());
    bool done = false;
    for (const char *program : {"llvm-objdump-22", "llvm-objdump", "objdump"})
      done = done || runObjdump(program, file.name);
    if (!done)
      throw tool::Failure(tool::Code::InputMissing, "llvm-objdump",
                          "is not on the PATH and --disassemble needs it",
                          "install LLVM's or GNU's binary tools");
  }
}

} // namespace glm::inspect
