// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/session/Shape.h"

#include "runtime/session/Plan.h"
#include "runtime/session/Session.h"

#include <cinttypes>
#include <cstring>

namespace glm::runtime {

bool sizeAtBounds(const schema::Expr &expression, const int64_t *bounds, const char *kind,
                  const char *name, uint64_t &size, glm_status &status) {
  int64_t value = 0;
  if (const char *wrong = evaluateSize(expression, bounds, value))
    return fail(status, GLM_MALFORMED,
                "%s %s: a size comes to an %s with these options; choose smaller ones", kind, name,
                wrong);
  size = uint64_t(value);
  return true;
}

void PlanSize::add(const schema::Program &program,
                   const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands) {
  for (size_t i = 0; i < countOf(commands); ++i) {
    const schema::Command &command = *commands->Get(uint32_t(i));
    switch (command.body_type()) {
    case schema::Body::Launch:
      ++instructions;
      ++launches;
      words += command.body_as_Launch()->args()->size();
      for (const schema::Arg *argument : *command.body_as_Launch()->args())
        if (argument->kind() == schema::ArgKind::dim)
          patches += program.dims()->Get(argument->index())->kind() == schema::DimKind::step;
      break;
    case schema::Body::Branch:
      instructions += 2; // branch, and a jump over `otherwise`
      ++decisions;
      add(program, command.body_as_Branch()->less());
      add(program, command.body_as_Branch()->otherwise());
      break;
    case schema::Body::Copy:
    case schema::Body::Collective:
      ++decisions;
      ++instructions;
      break;
    case schema::Body::Barrier:
    case schema::Body::Wait:
      ++instructions;
      break;
    default:
      break;
    }
  }
}

bool SessionShape::setDim(const glm_model &model, int dim, const char *name, int64_t value,
                          glm_status &status) {
  if (dim < 0)
    return fail(status, GLM_INVALID_ARGUMENT, "%s: has no dim %s that a session can choose",
                model.path, name);
  const schema::Dim &known = *model.program().dims()->Get(uint32_t(dim));
  int64_t least = known.kind() == schema::DimKind::session ? known.min() : known.max();
  if (value < least || value > known.max())
    return fail(status, GLM_INVALID_ARGUMENT,
                "session: %s is %" PRId64 ", this artifact allows %" PRId64 " to %" PRId64
                "; choose less, or compile it with a larger bound",
                name, value, least, known.max());
  bounds[dim] = value;
  return true;
}

static int findSessionDim(const glm_model &model, const char *name) {
  const auto &dims = *model.program().dims();
  for (uint32_t i = 0; name && i < dims.size(); ++i)
    if (dims.Get(i)->kind() == schema::DimKind::session &&
        strcmp(dims.Get(i)->name()->c_str(), name) == 0)
      return int(i);
  return -1;
}

bool SessionShape::chooseDims(const glm_model &model, const glm_session_options &options,
                              glm_status &status) {
  const auto &dims = *model.program().dims();
  for (uint32_t i = 0; i < dims.size(); ++i)
    bounds[i] = dims.Get(i)->preset() < 0 ? dims.Get(i)->max() : dims.Get(i)->preset();
  if (model.dims.slots >= 0 &&
      dims.Get(uint32_t(model.dims.slots))->kind() == schema::DimKind::session)
    bounds[model.dims.slots] = 1;
  if ((options.max_rows &&
       !setDim(model, model.dims.maxRows, "max_rows", options.max_rows, status)) ||
      (options.slots && !setDim(model, model.dims.slots, "slots", options.slots, status)) ||
      (options.context && !setDim(model, model.dims.context, "context", options.context, status)))
    return false;
  if (options.dim_count && !options.dims)
    return fail(status, GLM_INVALID_ARGUMENT, "session: %zu dims are announced, none are given",
                options.dim_count);
  for (size_t i = 0; i < options.dim_count; ++i)
    if (!setDim(model, findSessionDim(model, options.dims[i].name),
                options.dims[i].name ? options.dims[i].name : "(NULL)", options.dims[i].value,
                status))
      return false;
  if (model.dims.expandedKeys >= 0) {
    int64_t &keys = bounds[model.dims.expandedKeys];
    if (model.dims.context >= 0 && keys > bounds[model.dims.context])
      keys = bounds[model.dims.context];
    keys = int64_t(alignUp(uint64_t(keys), 64));
  }
  // Room for the logits of more rows than there are would be room for nothing.
  if (model.dims.logitRows >= 0 && model.dims.maxRows >= 0) {
    int64_t &logitRows = bounds[dims.Get(uint32_t(model.dims.logitRows))->bound()];
    if (logitRows > bounds[model.dims.maxRows])
      logitRows = bounds[model.dims.maxRows];
  }
  for (uint32_t i = 0; i < dims.size(); ++i)
    if (dims.Get(i)->kind() == schema::DimKind::step)
      bounds[i] = bounds[dims.Get(i)->bound()];
  return true;
}

bool SessionShape::chooseCaches(const glm_model &model, const glm_session_options &options,
                                glm_status &status) {
  caches.slots = model.dims.slots < 0 ? 1 : bounds[model.dims.slots];
  caches.context = model.dims.context < 0 ? INT32_MAX : bounds[model.dims.context];
  caches.pageRows = model.program().page_rows() ? model.program().page_rows() : 1;
  if (countOf(model.program().states()) ==
      0) { // nothing to keep: lengths are counted, pages are not
    caches.pageRows = INT64_MAX / 2;
    caches.context = caches.context < INT32_MAX ? caches.context : INT32_MAX;
  }
  caches.pagesPerSlot = caches.context / caches.pageRows + (caches.context % caches.pageRows != 0);
  if (__builtin_mul_overflow(caches.slots, caches.pagesPerSlot, &caches.pages) ||
      caches.pages > INT32_MAX)
    return fail(status, GLM_INVALID_ARGUMENT,
                "session: %" PRId64 " slots of %" PRId64
                " rows are too many pages; choose fewer or shorter ones",
                caches.slots, caches.context);
  if (options.pages < 0 || options.pages > caches.pages)
    return fail(status, GLM_INVALID_ARGUMENT,
                "session: %" PRId64 " pages, but %" PRId64 " hold everything; choose at most that",
                options.pages, caches.pages);
  caches.pages = options.pages ? options.pages : caches.pages;
  return true;
}

bool SessionShape::measureEntries(const glm_model &model, glm_status &status) {
  const schema::Program &program = model.program();
  uint64_t scratch = 0;
  Layout handoffs;
  for (const schema::Entry *entry : *program.entries()) {
    uint64_t arena, own;
    const char *name = entry->name()->c_str();
    if (!sizeAtBounds(*entry->arena(), bounds, "entry", name, arena, status) ||
        !sizeAtBounds(*entry->scratch(), bounds, "entry", name, own, status))
      return false;
    arenaBytes = arena > arenaBytes ? arena : arenaBytes;
    scratch = own > scratch ? own : scratch;
    plans.add(program, entry->commands());
    buffers += entry->buffers()->size();
  }
  for (size_t i = 0; i < countOf(program.handoffs()); ++i) {
    uint64_t size;
    const schema::Handoff *handoff = program.handoffs()->Get(uint32_t(i));
    if (!sizeAtBounds(*handoff->size(), bounds, "hand-off", handoff->name()->c_str(), size, status))
      return false;
    handoffs.take(alignUp(size, 64), 64);
  }
  handoffBytes = handoffs.size();
  if (!handoffs.valid() || arenaBytes > uint64_t(1) << 48 || scratch > uint64_t(1) << 40)
    return fail(status, GLM_OUT_OF_MEMORY,
                "session: arena of %" PRIu64 ", hand-offs of %" PRIu64 " or scratch of %" PRIu64
                " bytes are too large; choose fewer rows",
                arenaBytes, handoffBytes, scratch);
  scratchStride = alignUp(scratch, 4096); // workers share no page, so each touches its own first
  return true;
}

bool SessionShape::layOut(const glm_model &model, glm_status &status) {
  const schema::Program &program = model.program();
  Layout layout;
  layout.take(sizeof(glm_session), 64);
  entriesAt = layout.take(program.entries()->size(), sizeof(EntryPlan), 64);
  instructionsAt = layout.take(plans.instructions, sizeof(Instruction), 64);
  wordsAt = layout.take(plans.words, sizeof(uint64_t), 64);
  patchesAt = layout.take(plans.patches, sizeof(Patch), 64);
  decisionsAt = layout.take(plans.decisions, sizeof(Decision), 64);
  valuesAt = layout.take(plans.decisions, sizeof(uint64_t), 64);
  buffersAt = layout.take(buffers, sizeof(PlacedBuffer), 64);
  viewsAt = layout.take(countOf(program.states()), sizeof(glm_cache_view), 64);
  handoffsAt = layout.take(countOf(program.handoffs()), sizeof(uint8_t *), 64);
  uint64_t timed = profile ? plans.launches + 1 : 0; // and the barriers
  timesAt = layout.take(timed, sizeof(glm_launch_times), 64);
  nanosecondsAt = layout.take(timed * timesStride(), sizeof(uint64_t), 64);
  tablesAt = Caches::plan(caches, layout);
  sizes.tables = layout.size();

  scratchAt = layout.take(scratchStride, workers, 4096);
  arenaAt = layout.take(arenaBytes, alignmentOf(layout.size() + arenaBytes));
  handoffMemoryAt = layout.take(handoffBytes, 64);
  uint64_t cacheBytes = 0, rowBytes = 0;
  bool overflow = false;
  for (size_t i = 0; i < countOf(program.states()); ++i) {
    uint64_t bytes;
    overflow |= __builtin_mul_overflow(pageBytes(*program.states()->Get(uint32_t(i))),
                                       uint64_t(caches.pages), &bytes);
    overflow |= __builtin_add_overflow(cacheBytes, bytes, &cacheBytes);
    rowBytes += uint64_t(program.states()->Get(uint32_t(i))->row_bytes());
  }
  cachesAt = layout.take(cacheBytes, alignmentOf(cacheBytes));
  if (overflow || !layout.valid())
    return fail(status, GLM_OUT_OF_MEMORY,
                "session: its size overflows; choose fewer slots or a smaller context");

  sizes.arena = arenaBytes + handoffBytes;
  sizes.scratch = scratchStride * workers;
  sizes.caches = cacheBytes;
  sizes.total = layout.size();
  sizes.bytes_per_position = rowBytes;
  for (const schema::Segment *segment : *program.segments())
    sizes.weights += segment->kind() == schema::SegmentKind::weights ? segment->size() : 0;
  return true;
}

bool SessionShape::plan(const glm_model &model, const glm_session_options &options,
                        glm_status &status) {
  workers = model.runtime->pool.size();
  profile = options.profile == 1;
  return chooseDims(model, options, status) && chooseCaches(model, options, status) &&
         measureEntries(model, status) && layOut(model, status);
}

} // namespace glm::runtime
