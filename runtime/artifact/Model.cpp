// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/artifact/Model.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

using namespace glm;
using namespace glm::runtime;

namespace {

/// What progress callbacks need to know.
struct Work {
  const glm_runtime *runtime;
  const char *what;
  uint64_t before; // done by earlier segments
  uint64_t total;
};

/// The steps of loading, in order; each returns false after it has filled the status.
class Loader {
public:
  Loader(glm_model &model, const glm_model_options &options, glm_status &status)
      : model(model), program(model.program()), options(options), status(status) {}

  bool load() {
    return findDims() && placeSegments() && copyWeights() && verifyWeights() && loadCode() &&
           fillBanks();
  }

private:
  bool findDims();
  bool placeSegments();
  bool mapExternal(const schema::Segment &segment, SegmentMemory &memory);
  bool copyWeights();
  bool copySegment(const schema::Segment &segment, SegmentMemory &memory, Work &work);
  bool verifyWeights();
  bool loadCode();
  bool fillBanks();
  uint64_t weightBytes() const;
  bool cancelled() { return fail(status, GLM_CANCELLED, "%s: loading was cancelled", model.path); }

  glm_model &model;
  const schema::Program &program;
  const glm_model_options &options;
  glm_status &status;
};

} // namespace

bool Loader::findDims() {
  KnownDims &dims = model.dims;
  const struct {
    const char *name;
    int &place;
  } known[] = {{"rows", dims.rows},
               {"logit_rows", dims.logitRows},
               {"keys", dims.keys}, // so far the step's
               {"max_rows", dims.maxRows},
               {"slots", dims.slots},
               {"context", dims.context},
               {"expanded_keys", dims.expandedKeys},
               {"expanded_rows", dims.expandedRows},
               {"full_rows", dims.fullRows},
               {"unmasked_keys", dims.unmaskedKeys}};
  for (uint32_t i = 0; i < program.dims()->size(); ++i)
    for (size_t j = 0; j < std::size(known); ++j)
      if (strcmp(program.dims()->Get(i)->name()->c_str(), known[j].name) == 0) {
        bool step = program.dims()->Get(i)->kind() == schema::DimKind::step;
        if (step != (j < 3))
          return fail(status, GLM_MALFORMED,
                      "%s: dim %s: is of kind %d, which it must not be; compile it again",
                      model.path, known[j].name, int(program.dims()->Get(i)->kind()));
        known[j].place = int(i);
      }
  if (countOf(program.states()) && (model.dims.slots < 0 || model.dims.context < 0))
    return fail(status, GLM_MALFORMED,
                "%s: has caches but no dims slots and context; compile it again", model.path);
  return true;
}

bool Loader::mapExternal(const schema::Segment &segment, SegmentMemory &memory) {
  char path[4096];
  const char *slash = strrchr(model.path, '/');
  const char *name = segment.external()->c_str();
  int folder = name[0] == '/' || !slash ? 0 : int(slash + 1 - model.path);
  if (size_t(snprintf(path, sizeof(path), "%.*s%s", folder, model.path, name)) >= sizeof(path))
    return fail(status, GLM_MALFORMED, "%s: segment %s: the path of its file is too long",
                model.path, segment.name()->c_str());
  if (!memory.external.open(path, status))
    return false;
  if (segment.offset() + segment.size() > memory.external.size())
    return fail(status, GLM_TRUNCATED,
                "%s: is cut off or another file, %zu bytes of %" PRIu64
                " that %s uses; compile again with --weights=pack",
                path, memory.external.size(), segment.offset() + segment.size(), model.path);
  if (!memory.external.map(path, status))
    return false;
  memory.data = memory.external.data() + segment.offset();
  model.runtime->mapped.fetch_add(memory.external.size(), std::memory_order_relaxed);
  return true;
}

bool Loader::placeSegments() {
  for (uint32_t i = 0; i < model.segments.size(); ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    SegmentMemory &memory = model.segments[i];
    if (segment.external()) {
      if (!mapExternal(segment, memory))
        return false;
      continue;
    }
    memory.data = model.artifact.segmentData(i);
    if (segment.kind() == schema::SegmentKind::weights) // a wish, as everywhere: glm_model_describe
                                                        // tells what came of it
      madvise(const_cast<uint8_t *>(memory.data), alignUp(segment.size(), 4096), MADV_HUGEPAGE);
  }
  return true;
}

uint64_t Loader::weightBytes() const {
  uint64_t total = 0;
  for (const schema::Segment *segment : *program.segments())
    total += segment->kind() == schema::SegmentKind::weights ? segment->size() : 0;
  return total;
}

bool Loader::copySegment(const schema::Segment &segment, SegmentMemory &memory, Work &work) {
  memory.copy = model.runtime->memory.allocate(segment.size(), hugePage);
  if (!memory.copy)
    return fail(status, GLM_OUT_OF_MEMORY,
                "%s: segment %s: no memory for a copy of %" PRIu64 " bytes; use them mapped",
                model.path, segment.name()->c_str(), segment.size());
  int file = segment.external() ? memory.external.descriptor() : model.artifact.descriptor();
  constexpr size_t piece = size_t(64) << 20;
  for (uint64_t done = 0; done < segment.size();) {
    size_t step = segment.size() - done < piece ? segment.size() - done : piece;
    ssize_t got = pread(file, static_cast<uint8_t *>(memory.copy) + done, step,
                        off_t(segment.offset() + done));
    if (got <= 0)
      return failWithReason(status, model.path,
                            got ? "cannot read weights" : "the file became shorter");
    done += uint64_t(got);
    if (!work.runtime->proceed(work.what, work.before + done, work.total))
      return cancelled();
  }
  work.before += segment.size();
  memory.data = static_cast<const uint8_t *>(memory.copy);
  return true;
}

bool Loader::copyWeights() {
  Work work = {model.runtime, "weights", 0, weightBytes()};
  for (uint32_t i = 0; i < model.segments.size() && options.weights_memory == GLM_WEIGHTS_COPY;
       ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    if (segment.kind() == schema::SegmentKind::weights && segment.size() &&
        !copySegment(segment, model.segments[i], work))
      return false;
  }
  return true;
}

bool Loader::verifyWeights() {
  Work work = {model.runtime, "verify", 0, weightBytes()};
  for (uint32_t i = 0; i < model.segments.size() && options.verify_weights == 1; ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    bool known = !segment.external() || segment.hash_low() || segment.hash_high();
    if (segment.kind() != schema::SegmentKind::weights || !known)
      continue;
    if (!checkHash(segment, model.segments[i].data, model.path, status))
      return false;
    work.before += segment.size();
    if (!work.runtime->proceed(work.what, work.before, work.total))
      return cancelled();
  }
  return true;
}

bool Loader::loadCode() {
  bool throughLinker = model.runtime->options.debug_code == 1;
  for (uint32_t i = 0; i < model.kernels.size(); ++i) {
    const schema::Kernel &kernel = *model.code()->Get(i);
    const schema::Segment &segment = *program.segments()->Get(kernel.segment());
    SegmentMemory &memory = model.segments[kernel.segment()];
    // Segments of other levels stay what they are: bytes of a file.
    if (!memory.code.isLoaded() &&
        !memory.code.load(memory.data, segment.size(), segment.name()->c_str(), throughLinker,
                          status))
      return false;
    const void *entry = memory.code.entry(kernel.offset());
    if (!entry)
      return fail(status, GLM_MALFORMED,
                  "%s: kernel %s: offset %" PRIu64
                  " is not in the executable part of segment %s; compile it again",
                  model.path, kernel.name()->c_str(), kernel.offset(), segment.name()->c_str());
    model.kernels[i] = reinterpret_cast<glm_kernel>(reinterpret_cast<uintptr_t>(entry));
  }
  return true;
}

bool Loader::fillBanks() {
  for (uint32_t i = 0; i < model.banks.size(); ++i) {
    const schema::Bank &bank = *program.banks()->Get(i);
    auto *table = const_cast<uint64_t *>(model.banks[i]);
    for (uint64_t offset : *bank.offsets())
      *table++ = reinterpret_cast<uintptr_t>(model.segments[bank.segment()].data) + offset;
  }
  return true;
}

glm_model::~glm_model() {
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments[i].external.data())
      runtime->mapped.fetch_sub(segments[i].external.size(), std::memory_order_relaxed);
    if (segments[i].copy)
      runtime->memory.release(segments[i].copy, program().segments()->Get(i)->size());
    segments[i].~SegmentMemory();
  }
  runtime->mapped.fetch_sub(artifact.size(), std::memory_order_relaxed);
}

const uint8_t *glm_model::weight(uint32_t index) const {
  const schema::Weight *weight = program().weights()->Get(index);
  return segments[weight->segment()].data + weight->offset();
}

int glm_model::findEntry(const char *name) const {
  for (uint32_t i = 0; name && i < program().entries()->size(); ++i)
    if (strcmp(program().entries()->Get(i)->name()->c_str(), name) == 0)
      return int(i);
  return -1;
}

// One block: the model, its tables, the path.
static glm_model *allocateModel(glm_runtime *runtime, Artifact &artifact, const char *path,
                                glm_status &status) {
  const schema::Program &program = artifact.program();
  size_t segments = program.segments()->size(), kernels = countOf(program.kernels()),
         banks = countOf(program.banks());
  Layout layout;
  layout.take(sizeof(glm_model), 64);
  uint64_t segmentsAt = layout.take(segments, sizeof(SegmentMemory), 64);
  uint64_t kernelsAt = layout.take(kernels, sizeof(glm_kernel), 64);
  uint64_t banksAt = layout.take(banks, sizeof(uint64_t *), 64);
  uint64_t pathAt = layout.take(strlen(path) + 1, 1);
  uint64_t tablesAt = layout.take(0, 64);
  for (size_t i = 0; i < banks; ++i)
    layout.take(program.banks()->Get(uint32_t(i))->offsets()->size(), sizeof(uint64_t), 64);

  auto *block = static_cast<uint8_t *>(runtime->memory.allocate(layout.size(), 64));
  if (!block) {
    fail(status, GLM_OUT_OF_MEMORY, "%s: no memory for %" PRIu64 " bytes of tables", path,
         layout.size());
    return nullptr;
  }
  auto *model = new (block) glm_model(runtime);
  model->blockSize = layout.size();
  model->artifact = std::move(artifact);
  runtime->mapped.fetch_add(model->artifact.size(), std::memory_order_relaxed);
  model->segments = {reinterpret_cast<SegmentMemory *>(block + segmentsAt), segments};
  for (SegmentMemory &segment : model->segments)
    new (&segment) SegmentMemory;
  model->kernels = {reinterpret_cast<glm_kernel *>(block + kernelsAt), kernels};
  model->banks = {reinterpret_cast<const uint64_t **>(block + banksAt), banks};
  for (size_t i = 0; i < banks; ++i) {
    model->banks[i] = reinterpret_cast<const uint64_t *>(block + tablesAt);
    tablesAt +=
        alignUp(program.banks()->Get(uint32_t(i))->offsets()->size() * sizeof(uint64_t), 64);
  }
  memcpy(block + pathAt, path, strlen(path) + 1);
  model->path = reinterpret_cast<const char *>(block + pathAt);
  return model;
}

glm_status glm_model_load(glm_runtime *runtime, const char *path, const glm_model_options *options,
                          glm_model **result) {
  if (!runtime || !path || !result)
    return nullArgument("model");
  glm_status status = okStatus();
  *result = nullptr;
  Artifact artifact;
  glm_model_options chosen = options ? *options : glm_model_options{};
  const schema::Level *level = nullptr;
  if (!artifact.open(path, status) ||
      !chooseLevel(artifact.program(), chosen.level, path, level, status))
    return status;
  glm_model *model = allocateModel(runtime, artifact, path, status);
  if (!model)
    return status;
  model->level = level;
  if (Loader(*model, chosen, status).load())
    *result = model;
  else
    glm_model_destroy(model);
  return status;
}

void glm_model_destroy(glm_model *model) {
  if (!model)
    return;
  glm_runtime *runtime = model->runtime;
  size_t size = model->blockSize;
  model->~glm_model();
  runtime->memory.release(model, size);
}
