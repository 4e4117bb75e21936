// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/FileText.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace glm {
namespace {

absl::Status systemError(const std::filesystem::path &path, const char *action) {
  return codedError(Code::FileUnreadable, path.string(),
                    std::string(action) + " failed: " + std::strerror(errno),
                    "check the path and its permissions");
}

} // namespace

absl::StatusOr<FileText> FileText::open(const std::filesystem::path &path) {
  // Non-blocking so that a pipe does not hang before it can be refused.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return systemError(path, "opening");
  struct stat info;
  if (::fstat(descriptor, &info) != 0) {
    absl::Status status = systemError(path, "sizing");
    ::close(descriptor);
    return status;
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return codedError(Code::FileUnreadable, path.string(), "is no regular file", "check the path");
  }
  return FileText(path, descriptor, static_cast<uint64_t>(info.st_size));
}

FileText::FileText(FileText &&other) noexcept
    : path(std::move(other.path)), descriptor(std::exchange(other.descriptor, -1)),
      bytes(other.bytes) {}

FileText &FileText::operator=(FileText &&other) noexcept {
  std::swap(path, other.path);
  std::swap(descriptor, other.descriptor);
  std::swap(bytes, other.bytes);
  return *this;
}

FileText::~FileText() {
  if (descriptor >= 0)
    ::close(descriptor);
}

absl::StatusOr<std::string> FileText::read(uint64_t offset, uint64_t length) const {
  std::string text(length, '\0');
  for (uint64_t done = 0; done < length;) {
    ssize_t got =
        ::pread(descriptor, text.data() + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError(path, "reading");
    if (got == 0)
      return codedError(Code::FileTruncated, path.string(),
                        "ends at byte " + std::to_string(offset + done) + ", " +
                            std::to_string(offset + length) + " are needed",
                        "fetch the file again");
    done += static_cast<uint64_t>(got);
  }
  return text;
}

absl::StatusOr<std::string> readWhole(const std::filesystem::path &path, uint64_t bound) {
  absl::StatusOr<FileText> file = FileText::open(path);
  if (!file.ok())
    return file.status();
  if (file->size() > bound)
    return codedError(Code::FileUnreadable, path.string(),
                      "holds " + std::to_string(file->size()) + " bytes, at most " +
                          std::to_string(bound) + " are expected",
                      "check that it is the right file");
  return file->read(0, file->size());
}

} // namespace glm
