// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Write.h"

#include "Values.h"

#include "compiler/diagnostics/Diagnostic.h"

#include "absl/status/statusor.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace glm::synthesize {

std::atomic<bool> interrupted = false;

namespace {

namespace fs = std::filesystem;

/// A piece of one tensor, as one thread makes and writes it. A multiple of 4 elements of every
/// dtype.
constexpr uint64_t pieceBytes = 4 << 20;

absl::Status systemError(const fs::path &path, const char *action, int error) {
  return codedError(Code::OutputUnwritable, path.string(),
                    std::string(action) + " failed: " + std::strerror(error),
                    "check folder, permissions and free space");
}

/// The folder beside the output; removed with all it holds unless it took the output's name.
class PartialFolder {
public:
  static absl::StatusOr<PartialFolder> create(const fs::path &output) {
    fs::path path = output;
    path += ".partial-" + std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0777) != 0)
      return systemError(path, "creating the folder", errno);
    return PartialFolder(std::move(path));
  }
  PartialFolder(PartialFolder &&other) noexcept : path(std::exchange(other.path, fs::path())) {}
  PartialFolder &operator=(PartialFolder &&) = delete;
  ~PartialFolder() {
    std::error_code error;
    if (!path.empty())
      fs::remove_all(path, error);
  }

  fs::path operator/(const std::string &name) const { return path / name; }

  absl::Status rename(const fs::path &output) {
    // rename(2) replaces an empty folder and refuses a filled one.
    if (::rename(path.c_str(), output.c_str()) != 0)
      return systemError(output, "renaming the finished folder", errno);
    path.clear();
    return absl::OkStatus();
  }

private:
  explicit PartialFolder(fs::path path) : path(std::move(path)) {}
  fs::path path;
};

class File {
public:
  explicit File(const fs::path &path)
      : path(path),
        descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {}
  ~File() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  absl::Status write(uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      ssize_t done = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return systemError(path, "writing", done < 0 ? errno : ENOSPC);
      bytes = bytes.subspan(static_cast<size_t>(done));
      offset += static_cast<uint64_t>(done);
    }
    return absl::OkStatus();
  }

  absl::Status open(uint64_t size) const {
    if (descriptor < 0)
      return systemError(path, "creating", errno);
    return ::ftruncate(descriptor, static_cast<off_t>(size)) == 0
               ? absl::OkStatus()
               : systemError(path, "growing", errno);
  }

private:
  fs::path path;
  int descriptor;
};

/// Bytes written so far, shown a few times a second.
class Progress {
public:
  Progress(uint64_t total, bool shown) : total(total), shown(shown) {}
  ~Progress() {
    if (shown)
      std::fputs("\r\033[K", stderr);
  }
  void add(uint64_t bytes) {
    uint64_t now = done += bytes;
    uint64_t percent = total ? now * 100 / total : 100;
    if (shown && percent != last.exchange(percent))
      std::fprintf(stderr, "\rglm-synthesize: %.1f of %.1f GB", now * 1e-9, total * 1e-9);
  }

private:
  uint64_t total;
  bool shown;
  std::atomic<uint64_t> done = 0, last = ~0ull;
};

struct Piece {
  const PlannedTensor *tensor;
  uint64_t begin, bytes;
};

/// Makes and writes the pieces of one shard with all threads; the first failure ends it.
absl::Status writeData(const Shard &shard, const File &file, const WriteOptions &options,
                       Progress &progress) {
  std::vector<Piece> pieces;
  for (const PlannedTensor &tensor : shard.tensors)
    for (uint64_t begin = 0; begin < tensor.bytes; begin += pieceBytes)
      pieces.push_back({&tensor, begin, std::min(pieceBytes, tensor.bytes - begin)});
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  absl::Status first = absl::OkStatus();
  auto work = [&] {
    std::vector<std::byte> buffer(pieceBytes);
    for (size_t i; (i = next++) < pieces.size() && !interrupted;) {
      const Piece &piece = pieces[i];
      uint64_t element = bitsOf(piece.tensor->dtype) / 8;
      std::span<std::byte> bytes(buffer.data(), piece.bytes);
      fill(*piece.tensor, options.seed, piece.begin / element, piece.bytes / element, bytes);
      absl::Status status =
          file.write(shard.head.size() + piece.tensor->offset + piece.begin, bytes);
      progress.add(piece.bytes);
      if (status.ok())
        continue;
      std::lock_guard lock(mutex);
      first.Update(status);
      next = pieces.size();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.threads; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  return first;
}

absl::Status writeBytes(const File &file, const std::string &text) {
  return file.write(0, std::as_bytes(std::span(text)));
}

absl::Status checkOutput(const fs::path &output) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(output, error)))
    return absl::OkStatus();
  if (fs::is_directory(output, error) && fs::is_empty(output, error))
    return absl::OkStatus();
  return codedError(Code::OutputExists, output.string(), "exists and is no empty folder",
                    "choose another name or remove it first");
}

} // namespace

absl::Status writeCheckpoint(const fs::path &output, const Plan &plan,
                             const std::map<std::string, std::string> &files,
                             const WriteOptions &options) {
  if (absl::Status status = checkOutput(output); !status.ok())
    return status;
  absl::StatusOr<PartialFolder> folder = PartialFolder::create(output);
  if (!folder.ok())
    return folder.status();
  Progress progress(plan.bytes, options.progress);
  for (const Shard &shard : plan.shards) {
    File file(*folder / shard.name);
    absl::Status status = file.open(shard.head.size() + shard.dataBytes);
    if (status.ok())
      status = writeBytes(file, shard.head);
    if (status.ok() && !options.sparse)
      status = writeData(shard, file, options, progress);
    if (status.ok() && interrupted)
      status = codedError(Code::Interrupted, output.string(), "was not written");
    if (!status.ok())
      return status;
  }
  for (const auto &[name, content] : files) {
    File file(*folder / name);
    absl::Status status = file.open(content.size());
    if (status.ok())
      status = writeBytes(file, content);
    if (!status.ok())
      return status;
  }
  return folder->rename(output);
}

} // namespace glm::synthesize
