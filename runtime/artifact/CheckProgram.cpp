// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of SCHEMA.md about tables that stand by themselves; CheckEntries.cpp has those about
// execution.
#include "runtime/artifact/Checker.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace glm::runtime {

bool Checker::broken(const char *kind, const char *name, const char *format, ...) {
  char rule[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(rule, sizeof(rule), format, arguments);
  va_end(arguments);
  return fail(status, GLM_MALFORMED, "%s: %s %s: %s; compile it again", path, kind, name, rule);
}

bool Checker::expression(const schema::Expr *expression, const char *kind, const char *name) {
  const char *wrong = checkExpression(*expression, dimCount);
  return !wrong || broken(kind, name, "an expression %s", wrong);
}

bool Checker::devices() {
  if (program.devices()->size() == 0)
    return broken("program", "", "names no device");
  for (const schema::Device *device : *program.devices())
    if (device->kind() > schema::DeviceKind::MAX)
      return broken("device", device->name()->c_str(), "is of the unknown kind %d",
                    int(device->kind()));
  return true;
}

bool Checker::dims() {
  const auto &dims = *program.dims();
  if (dims.size() > maxDims)
    return broken("program", "", "has %u dims, at most %zu", dims.size(), maxDims);
  for (uint32_t i = 0; i < dims.size(); ++i) {
    const schema::Dim *dim = dims.Get(i);
    const char *name = dim->name()->c_str();
    if (dim->kind() > schema::DimKind::MAX || dim->max() < 1)
      return broken("dim", name, "kind %d, max %" PRId64 ": kinds are 0 to 2 and max is at least 1",
                    int(dim->kind()), dim->max());
    bool chosen = dim->kind() == schema::DimKind::session;
    int64_t preset = dim->preset() == -1 ? dim->max() : dim->preset();
    if (dim->min() < 0 || preset < dim->min() || preset > dim->max() ||
        (!chosen && (dim->preset() != -1 || dim->min() != 1)))
      return broken("dim", name,
                    "min %" PRId64 ", preset %" PRId64 ", max %" PRId64
                    ": must ascend from 0, and only a session chooses",
                    dim->min(), dim->preset(), dim->max());
    if (dim->kind() == schema::DimKind::step) {
      bool known = uint64_t(dim->bound()) < dims.size();
      if (!known || dims.Get(uint32_t(dim->bound()))->kind() == schema::DimKind::step)
        return broken("dim", name, "is bounded by %d, which is no dim of a session", dim->bound());
    }
    for (uint32_t j = 0; j < i; ++j)
      if (strcmp(dims.Get(j)->name()->c_str(), name) == 0)
        return broken("dim", name, "stands there twice");
  }
  return true;
}

bool Checker::segmentPlace(const schema::Segment &segment) {
  const char *name = segment.name()->c_str();
  uint64_t end;
  bool overflow = __builtin_add_overflow(segment.offset(), segment.size(), &end);
  if (segment.external()) // its file is checked when it is opened
    return !overflow || broken("segment", name, "offset and size overflow");
  uint64_t least = segment.kind() == schema::SegmentKind::weights ? GLM_CONTAINER_WEIGHTS_ALIGNMENT
                                                                  : GLM_CONTAINER_SEGMENT_ALIGNMENT;
  uint64_t alignment = segment.alignment();
  if ((alignment & (alignment - 1)) != 0 || alignment < least || segment.offset() % alignment != 0)
    return broken("segment", name,
                  "offset %" PRIu64 " with alignment %" PRIu64 ", at least %" PRIu64,
                  segment.offset(), alignment, least);
  if (overflow || end > header.file_size ||
      segment.offset() < header.program_offset + header.program_size)
    return broken("segment", name,
                  "bytes %" PRIu64 " to %" PRIu64
                  " do not lie between the program and the file's end at %" PRIu64,
                  segment.offset(), end, header.file_size);
  return true;
}

bool Checker::segments() {
  const auto &segments = *program.segments();
  if (segments.size() > 1024)
    return broken("program", "", "has %u segments, at most 1024", segments.size());
  for (uint32_t i = 0; i < segments.size(); ++i) {
    const schema::Segment *segment = segments.Get(i);
    const char *name = segment->name()->c_str();
    if (segment->kind() > schema::SegmentKind::MAX ||
        segment->device() >= program.devices()->size())
      return broken("segment", name, "kind %d on device %u is out of range", int(segment->kind()),
                    segment->device());
    if (segment->external() && segment->kind() != schema::SegmentKind::weights)
      return broken("segment", name, "lies in another file, which only weights may");
    if (!segmentPlace(*segment))
      return false;
    for (uint32_t j = 0; j < i && !segment->external(); ++j) {
      const schema::Segment *other = segments.Get(j);
      bool apart = other->external() || segment->offset() >= other->offset() + other->size() ||
                   other->offset() >= segment->offset() + segment->size();
      if (!apart)
        return broken("segment", name, "overlaps segment %s", other->name()->c_str());
    }
  }
  return true;
}

bool Checker::holds(uint32_t segment, schema::SegmentKind kind) const {
  return segment < program.segments()->size() && program.segments()->Get(segment)->kind() == kind;
}

bool Checker::inSegment(const char *kind, const char *name, uint32_t segment, uint64_t offset,
                        uint64_t size) {
  if (!holds(segment, schema::SegmentKind::weights))
    return broken(kind, name, "segment %u is no segment of weights", segment);
  const schema::Segment *place = program.segments()->Get(segment);
  uint64_t start = offset + (place->external() ? place->offset() : 0);
  if (offset > place->size() || size > place->size() - offset)
    return broken(kind, name,
                  "offset %" PRIu64 " and size %" PRIu64 " exceed the %" PRIu64
                  " bytes of segment %s",
                  offset, size, place->size(), place->name()->c_str());
  return start % GLM_CONTAINER_WEIGHT_ALIGNMENT == 0 ||
         broken(kind, name, "starts at %" PRIu64 ", not at a multiple of 64", start);
}

bool Checker::dtype(const char *kind, const char *name, schema::Dtype dtype) {
  return dtype <= schema::Dtype::MAX || broken(kind, name, "is of the unknown type %d", int(dtype));
}

bool Checker::weights() {
  for (size_t i = 0; i < countOf(program.weights()); ++i) {
    const schema::Weight *weight = program.weights()->Get(uint32_t(i));
    const char *name = weight->name()->c_str();
    if (!dtype("weight", name, weight->dtype()) ||
        !inSegment("weight", name, weight->segment(), weight->offset(), weight->size()))
      return false;
  }
  for (size_t i = 0; i < countOf(program.banks()); ++i) {
    const schema::Bank *bank = program.banks()->Get(uint32_t(i));
    const char *name = bank->name()->c_str();
    if (!dtype("bank", name, bank->dtype()))
      return false;
    for (uint64_t offset : *bank->offsets())
      if (!inSegment("bank", name, bank->segment(), offset, bank->slab_size()))
        return false;
  }
  for (size_t i = 0; i < countOf(program.groups()); ++i)
    for (size_t j = 0; j < countOf(program.groups()->Get(uint32_t(i))->entries()); ++j)
      if (program.groups()->Get(uint32_t(i))->entries()->Get(uint32_t(j)) >=
          program.entries()->size())
        return broken("group", program.groups()->Get(uint32_t(i))->name()->c_str(),
                      "names an entry that is not there");
  return true;
}

bool Checker::state(const schema::State &state) {
  const char *name = state.name()->c_str();
  if (state.dtype() > schema::Dtype::MAX || state.layout() > 1 ||
      state.device() >= program.devices()->size())
    return broken("state", name, "type %d, layout %d or device %u is out of range",
                  int(state.dtype()), state.layout(), state.device());
  if (state.page_rows() == 0 || state.page_rows() != program.page_rows() ||
      state.page_rows() > 1u << 20)
    return broken("state", name, "has pages of %u rows, the program's have %u", state.page_rows(),
                  program.page_rows());
  constexpr int64_t widest = int64_t(1) << 32;
  uint64_t bytes;
  if (state.width() < 1 || state.width() > widest || state.row_bytes() > widest ||
      !bytesOf(state.dtype(), uint64_t(state.width()), bytes) || state.row_bytes() < int64_t(bytes))
    return broken("state", name, "has rows of %" PRId64 " bytes for %" PRId64 " elements",
                  state.row_bytes(), state.width());
  if (state.row_bytes() * state.page_rows() % 64 != 0)
    return broken("state", name, "has pages of %" PRId64 " bytes, not a multiple of 64",
                  state.row_bytes() * state.page_rows());
  if (state.layout() == 1) {
    uint32_t bits = bitsOf(state.dtype());
    if (state.page_rows() % 16 != 0 || bits > 32 || bits < 8 || state.width() % (32 / bits) != 0)
      return broken("state", name,
                    "cannot lie in lines of 16 rows: %" PRId64
                    " elements of %u bits, %u rows a page",
                    state.width(), bits, state.page_rows());
  }
  return true;
}

bool Checker::named() {
  for (size_t i = 0; i < countOf(program.tokenizers()); ++i) {
    const schema::Tokenizer *tokenizer = program.tokenizers()->Get(uint32_t(i));
    if (!holds(tokenizer->segment(), schema::SegmentKind::tokenizer))
      return broken("tokenizer", tokenizer->name()->c_str(), "segment %u is no tokenizer's",
                    tokenizer->segment());
  }
  for (size_t i = 0; i < countOf(program.blobs()); ++i) {
    const schema::Blob *blob = program.blobs()->Get(uint32_t(i));
    if (blob->segment() >= program.segments()->size() ||
        program.segments()->Get(blob->segment())->external())
      return broken("blob", blob->name()->c_str(), "segment %u is not there", blob->segment());
  }
  return true;
}

bool Checker::all() {
  if (!devices() || !dims() || !segments() || !weights() || !named())
    return false;
  for (size_t i = 0; i < countOf(program.states()); ++i)
    if (!state(*program.states()->Get(uint32_t(i))))
      return false;
  return kernels() && entries();
}

bool checkProgram(const schema::Program &program, const glm_container_header &header,
                  const char *path, glm_status &status) {
  return Checker(program, header, path, status).all();
}

} // namespace glm::runtime
