// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/artifact/Artifact.h"

#include "runtime/artifact/Structure.h"
#include "runtime/devices/cpu/Processor.h"

#include <cinttypes>
#include <cstring>
#include <unistd.h>

namespace glm::runtime {

uint32_t bitsOf(schema::Dtype dtype) {
  static constexpr uint8_t bits[] = {32, 16, 16, 64, 32, 16, 8, 8, 8, 4, 8, 64};
  static_assert(sizeof(bits) == size_t(schema::Dtype::MAX) + 1);
  return bits[size_t(dtype)];
}

bool Artifact::open(const char *path, glm_status &status) {
  return file.open(path, status) && readHeader(path, status) && file.map(path, status) &&
         verifyProgram(path, status) && checkProgram(*root, head, path, status) &&
         verifyHashes(path, status);
}

bool Artifact::readHeader(const char *path, glm_status &status) {
  ssize_t got = pread(file.descriptor(), &head, sizeof(head), 0);
  size_t compared = got < 0                            ? 0
                    : size_t(got) < sizeof(head.magic) ? size_t(got)
                                                       : sizeof(head.magic);
  if (compared == 0 || memcmp(head.magic, GLM_CONTAINER_MAGIC, compared) != 0)
    return fail(status, GLM_NOT_ARTIFACT,
                "%s: is not an artifact; glmc makes one from a checkpoint", path);
  if (size_t(got) < sizeof(head))
    return fail(status, GLM_TRUNCATED, "%s: is cut off, %zd bytes of a header of 64; copy it again",
                path, got);
  if (head.version != GLM_CONTAINER_VERSION)
    return fail(status, GLM_VERSION_UNKNOWN,
                "%s: has format version %" PRIu32 ", this runtime (%s) reads version %d; %s", path,
                head.version, glm_version(), GLM_CONTAINER_VERSION,
                head.version > GLM_CONTAINER_VERSION ? "use a newer runtime" : "compile it again");
  if (head.flags != 0)
    return fail(status, GLM_FEATURE_UNKNOWN,
                "%s: has header flags 0x%" PRIx64
                " that this runtime (%s) does not know; use a newer runtime",
                path, head.flags, glm_version());
  if (head.header_size != GLM_CONTAINER_HEADER_SIZE ||
      head.program_offset != GLM_CONTAINER_HEADER_SIZE)
    return fail(status, GLM_MALFORMED,
                "%s: header of %" PRIu32 " bytes and program at %" PRIu64
                ", both must be 64; compile it again",
                path, head.header_size, head.program_offset);
  if (head.file_size != file.size())
    return fail(status, GLM_TRUNCATED, "%s: is %s, %zu bytes of %" PRIu64 "; copy it again", path,
                file.size() < head.file_size ? "cut off" : "too long", file.size(), head.file_size);
  if (head.program_size > head.file_size - head.program_offset)
    return fail(status, GLM_MALFORMED,
                "%s: program of %" PRIu64 " bytes in a file of %" PRIu64 "; compile it again", path,
                head.program_size, head.file_size);
  return true;
}

bool Artifact::verifyProgram(const char *path, glm_status &status) {
  const uint8_t *bytes = file.data() + head.program_offset;
  if (hashOf(bytes, head.program_size) != Hash{head.program_hash_low, head.program_hash_high})
    return fail(status, GLM_CORRUPT,
                "%s: the program's hash does not match its %" PRIu64 " bytes; copy it again", path,
                head.program_size);
  if (head.program_size > INT32_MAX || !isProgram(bytes, head.program_size))
    return fail(status, GLM_MALFORMED,
                "%s: the program is no flatbuffer of this schema; compile it again", path);
  root = schema::GetProgram(bytes);
  if (root->features() != 0)
    return fail(status, GLM_FEATURE_UNKNOWN,
                "%s: needs features 0x%" PRIx64
                " that this runtime (%s) does not know; use a newer runtime",
                path, root->features(), glm_version());
  return true;
}

bool Artifact::verifyHashes(const char *path, glm_status &status) const {
  for (uint32_t i = 0; i < root->segments()->size(); ++i) {
    const schema::Segment *segment = root->segments()->Get(i);
    bool always = segment->kind() == schema::SegmentKind::code ||
                  segment->kind() == schema::SegmentKind::tokenizer;
    if (always && !checkHash(*segment, segmentData(i), path, status))
      return false;
  }
  return true;
}

bool checkHash(const schema::Segment &segment, const uint8_t *data, const char *path,
               glm_status &status) {
  return hashOf(data, segment.size()) == Hash{segment.hash_low(), segment.hash_high()} ||
         fail(status, GLM_CORRUPT,
              "%s: segment %s: its hash does not match its %" PRIu64 " bytes; copy it again", path,
              segment.name()->c_str(), segment.size());
}

// The first feature that a level needs and this processor does not offer; null: it runs.
static const char *missingFeature(const schema::Device &device, Feature &feature) {
  for (size_t i = 0; i < countOf(device.required_features()); ++i) {
    const char *name = device.required_features()->Get(i)->c_str();
    feature = processorFeature(name);
    if (feature != Feature::present)
      return name;
  }
  return nullptr;
}

bool chooseLevel(const schema::Program &program, const char *wanted, const char *path,
                 const schema::Level *&level, glm_status &status) {
  for (const schema::Device *device : *program.devices())
    if (device->kind() != schema::DeviceKind::cpu)
      return fail(status, GLM_UNSUPPORTED,
                  "%s: is compiled for the device %s, this runtime executes processors only; "
                  "compile it with --target=cpu",
                  path, device->name()->c_str());
  size_t levels = countOf(program.levels());
  const schema::Device *refused = nullptr;
  const char *missing = nullptr;
  Feature feature = Feature::absent;
  for (size_t i = 0; i <= levels; ++i) {
    level = i < levels ? program.levels()->Get(uint32_t(i)) : nullptr;
    const schema::Device *device = level ? level->device() : program.devices()->Get(0);
    if (wanted && strcmp(wanted, device->name()->c_str()) != 0)
      continue;
    refused = device;
    missing = missingFeature(*device, feature);
    if (!missing)
      return true;
  }
  if (!refused)
    return fail(status, GLM_NOT_FOUND,
                "%s: has no code for %s; glm-inspect lists the levels that it has", path, wanted);
  return fail(status, GLM_WRONG_PROCESSOR,
              "%s: is compiled for %s and needs %s, which %s; compile it with "
              "--target-cpu=native on this machine",
              path, refused->name()->c_str(), missing,
              feature == Feature::absent ? "this processor does not have"
                                         : "this runtime cannot look for");
}

} // namespace glm::runtime
