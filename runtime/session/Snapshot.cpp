// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One slot as a file (snapshot.h). Both ways go through a mapping of the whole file: its hash is
// one call, and rows are copied once.
#include "runtime/schema/snapshot.h"

#include "runtime/session/Rows.h"

#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace glm;
using namespace glm::runtime;

namespace {

/// The file of one slot, as this session would write it.
class Snapshot {
public:
  Snapshot(const glm_session &session, int32_t slot, int64_t rows)
      : session(session), slot(slot), states(countOf(session.model->program().states())) {
    const glm_container_header &artifact = session.model->artifact.header();
    head.version = GLM_SNAPSHOT_VERSION;
    memcpy(head.magic, GLM_SNAPSHOT_MAGIC, sizeof(head.magic));
    head.file_size = sizeof(head) + states * sizeof(uint64_t) +
                     uint64_t(rows) * session.shape.sizes.bytes_per_position;
    head.rows = rows;
    head.program_hash_low = artifact.program_hash_low;
    head.program_hash_high = artifact.program_hash_high;
  }

  uint64_t size() const { return head.file_size; }
  void write(uint8_t *file);
  /// Whether header and layout ids of a file are this snapshot's.
  bool describes(const uint8_t *file) const;
  void read(const uint8_t *file) const { moveRows(const_cast<uint8_t *>(file), /*toFile=*/false); }

private:
  uint64_t layoutId(uint32_t state) const {
    return session.model->program().states()->Get(state)->layout_id();
  }
  void moveRows(uint8_t *data, bool toFile) const;

  const glm_session &session;
  int32_t slot;
  size_t states;
  glm_snapshot_header head = {};
};

} // namespace

static Hash hashOfFile(const uint8_t *file, uint64_t size) {
  return hashOf(file + GLM_SNAPSHOT_HASHED_FROM, size - GLM_SNAPSHOT_HASHED_FROM);
}

void Snapshot::moveRows(uint8_t *data, bool toFile) const {
  data += sizeof(head) + states * sizeof(uint64_t);
  for (uint32_t i = 0; i < states; ++i)
    for (int64_t position = 0; position < head.rows; ++position)
      eachPiece(session, i, slot, position, [&](uint8_t *piece, uint64_t size) {
        memcpy(toFile ? data : piece, toFile ? piece : data, size);
        data += size;
      });
}

void Snapshot::write(uint8_t *file) {
  for (uint32_t i = 0; i < states; ++i) {
    uint64_t id = layoutId(i);
    memcpy(file + sizeof(head) + i * sizeof(id), &id, sizeof(id));
  }
  moveRows(file, /*toFile=*/true);
  memcpy(file, &head, sizeof(head));
  Hash hash = hashOfFile(file, size());
  head.hash_low = hash.low;
  head.hash_high = hash.high;
  memcpy(file, &head, sizeof(head));
}

bool Snapshot::describes(const uint8_t *file) const {
  constexpr size_t from = GLM_SNAPSHOT_HASHED_FROM;
  bool same = memcmp(file + from, reinterpret_cast<const uint8_t *>(&head) + from,
                     sizeof(head) - from) == 0;
  for (uint32_t i = 0; same && i < states; ++i) {
    uint64_t id = layoutId(i);
    same = memcmp(file + sizeof(head) + i * sizeof(id), &id, sizeof(id)) == 0;
  }
  return same;
}

static bool checkSize(const FileMapping &file, uint64_t size, const char *path,
                      glm_status &status) {
  return file.size() == size ||
         fail(status, GLM_TRUNCATED, "%s: has %zu of %" PRIu64 " bytes; copy it again", path,
              file.size(), size);
}

static const glm_snapshot_header &headerOf(const FileMapping &file) {
  return *reinterpret_cast<const glm_snapshot_header *>(file.data());
}

// What a file says of itself; nothing of it is believed before.
static bool checkFile(const FileMapping &file, const char *path, glm_status &status) {
  const glm_snapshot_header &head = headerOf(file);
  if (memcmp(head.magic, GLM_SNAPSHOT_MAGIC, sizeof(head.magic)) != 0)
    return fail(status, GLM_NOT_SNAPSHOT, "%s: is no snapshot; name one", path);
  if (head.version != GLM_SNAPSHOT_VERSION)
    return fail(status, GLM_VERSION_UNKNOWN,
                "%s: is of the unknown version %" PRIu64 "; save again", path, head.version);
  if (!checkSize(file, head.file_size, path, status))
    return false;
  return hashOfFile(file.data(), file.size()) == Hash{head.hash_low, head.hash_high} ||
         fail(status, GLM_CORRUPT, "%s: its hash does not match; copy it again", path);
}

static bool restore(glm_session &session, int32_t slot, const char *path, glm_status &status) {
  Caches &caches = session.caches;
  FileMapping file;
  if (!caches.checkEmpty(slot, status) || !file.open(path, status))
    return false;
  if (file.size() < sizeof(glm_snapshot_header))
    return checkSize(file, sizeof(glm_snapshot_header), path, status);
  if (!file.map(path, status) || !checkFile(file, path, status))
    return false;
  int64_t rows = headerOf(file).rows;
  if (!caches.admitLength(slot, rows, status))
    return false;
  Snapshot snapshot(session, slot, rows);
  if (snapshot.size() != file.size() || !snapshot.describes(file.data()))
    return fail(status, GLM_OTHER_ARTIFACT,
                "%s: was saved with another artifact or layout than %s; use its own", path,
                session.model->path);
  if (!caches.reserve(status))
    return false;
  snapshot.read(file.data());
  caches.commit(true);
  return true;
}

static bool fillFile(int file, Snapshot &snapshot) {
  // Space first: writing to a mapping of a file on a full disk would be a signal.
  if ((errno = posix_fallocate(file, 0, off_t(snapshot.size()))) != 0)
    return false;
  void *memory = mmap(nullptr, snapshot.size(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED)
    return false;
  snapshot.write(static_cast<uint8_t *>(memory));
  munmap(memory, snapshot.size());
  return true;
}

static bool save(const glm_session &session, int32_t slot, const char *path, glm_status &status) {
  if (!session.caches.checkSlot(slot, status))
    return false;
  char aside[PATH_MAX];
  bool fits = snprintf(aside, sizeof(aside), "%s.XXXXXX", path) < int(sizeof(aside));
  errno = ENAMETOOLONG;
  int file = fits ? mkostemp(aside, O_CLOEXEC) : -1;
  Snapshot snapshot(session, slot, session.caches.length(slot));
  bool written = file >= 0 && fillFile(file, snapshot) && rename(aside, path) == 0;
  if (!written) {
    failWithReason(status, path, "cannot save a snapshot");
    if (file >= 0)
      unlink(aside);
  }
  if (file >= 0)
    close(file);
  return written;
}

glm_status glm_session_save(const glm_session *session, int32_t slot, const char *path) {
  if (!session || !path)
    return nullArgument("session");
  glm_status status = okStatus();
  save(*session, slot, path, status);
  return status;
}

glm_status glm_session_restore(glm_session *session, int32_t slot, const char *path) {
  if (!session || !path)
    return nullArgument("session");
  glm_status status = okStatus();
  restore(*session, slot, path, status);
  return status;
}
