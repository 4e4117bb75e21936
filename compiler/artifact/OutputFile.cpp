// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/OutputFile.h"

#include "compiler/diagnostics/Diagnostic.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace glm::artifact {

std::atomic<const char *> OutputFile::inProgress{nullptr};

OutputFile::OutputFile(std::filesystem::path final, std::string temporary, int descriptor)
    : final(std::move(final)), temporary(std::move(temporary)), descriptor(descriptor) {
  inProgress = this->temporary.c_str();
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : final(std::move(other.final)), temporary(std::move(other.temporary)),
      descriptor(std::exchange(other.descriptor, -1)) {
  other.temporary.clear();
  if (!temporary.empty())
    inProgress = temporary.c_str();
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (temporary.empty())
    return;
  inProgress = nullptr;
  unlink(temporary.c_str());
}

void OutputFile::removeUnfinished() {
  if (const char *path = inProgress)
    unlink(path);
}

absl::Status OutputFile::failed(std::string_view what) const {
  return codedError(Code::ArtifactUnwritable, final.string(),
                    std::string(what) + " failed: " + std::strerror(errno),
                    errno == ENOSPC ? "free some space" : "choose another path with -o");
}

absl::StatusOr<OutputFile> OutputFile::create(const std::filesystem::path &final) {
  std::error_code error;
  // Renaming over a device or a pipe would replace it.
  std::filesystem::file_status there = std::filesystem::status(final, error);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
    return codedError(Code::ArtifactUnwritable, final.string(),
                      std::filesystem::is_directory(there) ? "is a folder" : "is no regular file",
                      "name a file with -o");
  std::string name = final.string() + ".XXXXXX";
  int descriptor = mkstemp(name.data());
  OutputFile file(final, descriptor < 0 ? std::string() : name, descriptor);
  if (descriptor < 0)
    return file.failed("creating a file beside it");
  // mkstemp's files are private; an artifact is as readable as any other file.
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(descriptor, 0666 & ~mask))
    return file.failed("setting its permissions");
  return file;
}

absl::Status OutputFile::resize(uint64_t bytes) {
  return ftruncate(descriptor, off_t(bytes))
             ? failed("growing it to " + std::to_string(bytes) + " bytes")
             : absl::OkStatus();
}

absl::Status OutputFile::write(uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), off_t(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failed("writing");
    bytes.remove_prefix(size_t(written));
    offset += uint64_t(written);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::commit() {
  if (fsync(descriptor))
    return failed("writing");
  // Pages that were written lie in the page cache one by one and are never mapped as huge pages;
  // read again from the disk they are.
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  if (close(std::exchange(descriptor, -1)))
    return failed("writing");
  if (std::rename(temporary.c_str(), final.c_str()))
    return failed("renaming it into place");
  inProgress = nullptr;
  temporary.clear();
  return absl::OkStatus();
}

} // namespace glm::artifact
