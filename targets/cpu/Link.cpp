// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One object to one shared object, by lld in this process. The image has no imports, no sections a
// loader does not need, and its dynamic symbols are the kernels.
#include "targets/cpu/Codegen.h"

#include "lld/Common/Driver.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace glm::cpu {

/// Files that vanish with their scope.
struct TemporaryFiles {
  SmallVector<std::string> paths;

  ~TemporaryFiles() {
    for (const std::string &path : paths)
      sys::fs::remove(path);
  }
  bool add(StringRef suffix, StringRef contents) {
    SmallString<128> path;
    int file = -1;
    if (sys::fs::createTemporaryFile("glm-kernels", suffix, file, path))
      return false;
    paths.push_back(path.str().str());
    raw_fd_ostream stream(file, /*shouldClose=*/true);
    stream << contents;
    stream.close();
    bool written = !stream.has_error();
    stream.clear_error();
    return written;
  }
};

static absl::StatusOr<std::string> runLinker(ArrayRef<std::string> objects) {
  TemporaryFiles files;
  bool written = files.add("so", "");
  for (const std::string &object : objects)
    written = written && files.add("o", object);
  if (!written)
    return absl::InternalError("the linker's temporary files cannot be written");
  const std::string &output = files.paths.front();
  SmallVector<const char *> arguments = {"ld.lld",
                                         "-shared",
                                         "-z",
                                         "defs",
                                         "-z",
                                         "norelro",
                                         "-z",
                                         "noexecstack",
                                         "-z",
                                         "separate-code",
                                         "--hash-style=sysv",
                                         "--build-id=none",
                                         "--strip-all",
                                         "--gc-sections",
                                         "--icf=none",
                                         "--no-rosegment",
                                         "--threads=1",
                                         "-o",
                                         output.c_str()};
  for (const std::string &object : ArrayRef(files.paths).drop_front())
    arguments.push_back(object.c_str());
  std::string messages;
  raw_string_ostream log(messages);
  // lld keeps global state: one link at a time.
  static std::mutex one;
  std::lock_guard<std::mutex> lock(one);
  lld::Result result = lld::lldMain(arguments, log, log, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return absl::InternalError("linking kernels failed: " + messages);
  ErrorOr<std::unique_ptr<MemoryBuffer>> linked =
      MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked)
    return absl::InternalError("the linker left no image");
  return (*linked)->getBuffer().str();
}

/// Addresses of the dynamic symbols.
static absl::StatusOr<StringMap<uint64_t>> symbolsOf(StringRef image) {
  auto binary = object::ObjectFile::createObjectFile(MemoryBufferRef(image, "kernels"));
  if (!binary) {
    return absl::InternalError(toString(binary.takeError()));
  }
  auto *elf = dyn_cast<object::ELFObjectFileBase>(binary->get());
  if (!elf)
    return absl::InternalError("the linker's output is not ELF");
  StringMap<uint64_t> symbols;
  for (const object::ELFSymbolRef &symbol : elf->getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    Expected<uint64_t> address = symbol.getAddress();
    if (!name || !address) {
      consumeError(name.takeError());
      consumeError(address.takeError());
      continue;
    }
    symbols[*name] = *address;
  }
  return symbols;
}

absl::StatusOr<CodeImage> linkImage(const ObjectCode &object, const TargetDescription &) {
  absl::StatusOr<std::string> bytes = runLinker(object.objects);
  if (!bytes.ok())
    return bytes.status();
  absl::StatusOr<StringMap<uint64_t>> symbols = symbolsOf(*bytes);
  if (!symbols.ok())
    return symbols.status();
  CodeImage image{std::move(*bytes), object.kernels};
  for (KernelEntry &entry : image.kernels) {
    auto found = symbols->find(entry.name);
    if (found == symbols->end())
      return absl::InternalError("kernel " + entry.name + " is missing from the image");
    entry.offset = found->second;
  }
  return image;
}

} // namespace glm::cpu
