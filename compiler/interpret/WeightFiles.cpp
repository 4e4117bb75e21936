// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/WeightFiles.h"

#include "compiler/diagnostics/Diagnostic.h"
#include "compiler/import/Safetensors.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace glm::interpret {

WeightFiles::~WeightFiles() {
  for (auto &[name, mapping] : mappings)
    if (mapping.bytes)
      munmap(const_cast<std::byte *>(mapping.begin), mapping.bytes);
}

absl::StatusOr<const std::byte *> WeightFiles::at(const std::string &file, uint64_t offset,
                                                  uint64_t bytes) {
  auto found = mappings.find(file);
  if (found == mappings.end()) {
    absl::StatusOr<Mapping> mapping = map(file);
    if (!mapping.ok())
      return mapping.status();
    found = mappings.emplace(file, *mapping).first;
  }
  const Mapping &mapping = found->second;
  if (offset > mapping.bytes || bytes > mapping.bytes - offset)
    return codedError(Code::FileTruncated, (folder / file).string(),
                      "has " + std::to_string(mapping.bytes) + " bytes, a weight needs " +
                          std::to_string(bytes) + " at " + std::to_string(offset),
                      "fetch the file again");
  return mapping.begin + offset;
}

absl::StatusOr<WeightFiles::Mapping> WeightFiles::map(const std::string &file) {
  std::string path = (folder / file).string();
  if (!staysInside(file))
    return codedError(Code::PathEscapes, file, "names a file outside the checkpoint's folder");
  auto unreadable = [&] { return codedError(Code::FileUnreadable, path, std::strerror(errno)); };
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return unreadable();
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    return codedError(Code::FileUnreadable, path, "is not a regular file");
  }
  Mapping mapping{nullptr, static_cast<uint64_t>(status.st_size)};
  void *begin =
      mapping.bytes ? mmap(nullptr, mapping.bytes, PROT_READ, MAP_PRIVATE, descriptor, 0) : nullptr;
  close(descriptor);
  if (begin == MAP_FAILED)
    return unreadable();
  mapping.begin = static_cast<const std::byte *>(begin);
  return mapping;
}

} // namespace glm::interpret
