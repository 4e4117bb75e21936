// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/session/Rows.h"

#include <cinttypes>
#include <cstring>
#include <new>

using namespace glm;
using namespace glm::runtime;

namespace {

/// Turns a block of the planned size into a session.
class Assembly {
public:
  Assembly(glm_session &session, const SessionShape &shape)
      : session(session), program(session.model->program()),
        block(reinterpret_cast<uint8_t *>(&session)) {
    session.shape = shape;
  }

  bool assemble(glm_status &status) {
    placeMemory();
    return buildPlans(status);
  }

private:
  template <typename T> std::span<T> array(uint64_t at, size_t count) {
    return {reinterpret_cast<T *>(block + at), count};
  }
  void placeMemory();
  bool buildPlans(glm_status &status);
  void nameLaunches(const schema::Entry &entry,
                    const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands,
                    uint32_t &launch);
  void nameLaunch(uint32_t number, const char *entry, const char *kernel, const char *label);

  glm_session &session;
  const schema::Program &program;
  uint8_t *block;
};

} // namespace

// Rows of an unfinished line of 16 come along with the whole line.
static void copyPage(void *context, int32_t source, int32_t destination, int64_t rows) {
  const glm_session &session = *static_cast<glm_session *>(context);
  int64_t copied = int64_t(alignUp(uint64_t(rows), 16)), all = session.caches.form().pageRows;
  for (uint32_t i = 0; i < session.views.size(); ++i)
    memcpy(pageOf(session, i, destination), pageOf(session, i, source),
           uint64_t(copied < all ? copied : all) *
               uint64_t(session.model->program().states()->Get(i)->row_bytes()));
}

void Assembly::placeMemory() {
  const SessionShape &shape = session.shape;
  session.caches.place(shape.caches, block, shape.tablesAt, {copyPage, &session});
  session.scratch = block + shape.scratchAt;
  session.arena = block + shape.arenaAt;
  session.views = array<glm_cache_view>(shape.viewsAt, countOf(program.states()));
  uint8_t *memory = block + shape.cachesAt;
  for (uint32_t i = 0; i < session.views.size(); ++i) {
    session.views[i] = {memory, session.caches.pages(), shape.caches.pagesPerSlot};
    memory += pageBytes(*program.states()->Get(i)) * uint64_t(shape.caches.pages);
  }
  session.handoffs = array<uint8_t *>(shape.handoffsAt, countOf(program.handoffs()));
  memory = block + shape.handoffMemoryAt;
  for (uint32_t i = 0; i < session.handoffs.size(); ++i) {
    int64_t size = 0;
    evaluate(*program.handoffs()->Get(i)->size(), shape.bounds, size); // as when it was measured
    session.handoffs[i] = memory;
    memory += alignUp(uint64_t(size), 64);
  }
  session.times =
      array<glm_launch_times>(shape.timesAt, shape.profile ? shape.plans.launches + 1 : 0);
}

bool Assembly::buildPlans(glm_status &status) {
  const SessionShape &shape = session.shape;
  session.plans = array<EntryPlan>(shape.entriesAt, program.entries()->size());
  PlanSize used;
  uint64_t buffers = 0;
  Addresses addresses = {*session.model, shape.bounds, session.arena, session.views.data(),
                         session.handoffs.data()};
  for (uint32_t i = 0; i < session.plans.size(); ++i) {
    const schema::Entry *entry = program.entries()->Get(i);
    PlanSize own;
    own.add(program, entry->commands());
    EntryPlan &plan = session.plans[i];
    plan = {};
    plan.entry = entry;
    plan.instructions = array<Instruction>(
        shape.instructionsAt + used.instructions * sizeof(Instruction), own.instructions);
    plan.words = array<uint64_t>(shape.wordsAt + used.words * sizeof(uint64_t), own.words);
    plan.patches = array<Patch>(shape.patchesAt + used.patches * sizeof(Patch), own.patches);
    plan.decisions =
        array<Decision>(shape.decisionsAt + used.decisions * sizeof(Decision), own.decisions);
    plan.values =
        array<uint64_t>(shape.valuesAt + used.decisions * sizeof(uint64_t), own.decisions);
    plan.buffers = array<PlacedBuffer>(shape.buffersAt + buffers * sizeof(PlacedBuffer),
                                       entry->buffers()->size());
    plan.firstLaunch = uint32_t(used.launches);
    buffers += entry->buffers()->size();
    if (!placeBuffers(*session.model, *entry, shape.bounds, plan.buffers, status) ||
        !buildPlan(plan, addresses, status))
      return false;
    uint32_t launch = plan.firstLaunch;
    if (shape.profile)
      nameLaunches(*entry, entry->commands(), launch);
    used.add(program, entry->commands());
  }
  if (shape.profile)
    nameLaunch(uint32_t(shape.plans.launches), "", "barrier", "");
  session.stepEntry = session.model->findEntry("step");
  return true;
}

void Assembly::nameLaunch(uint32_t number, const char *entry, const char *kernel,
                          const char *label) {
  auto *row = reinterpret_cast<uint64_t *>(block + session.shape.nanosecondsAt) +
              number * session.shape.timesStride();
  memset(row, 0, session.shape.timesStride() * sizeof(uint64_t));
  session.times[number] = {entry, kernel, label, 0, row};
}

void Assembly::nameLaunches(
    const schema::Entry &entry,
    const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands, uint32_t &launch) {
  for (size_t i = 0; i < countOf(commands); ++i) {
    const schema::Command &command = *commands->Get(uint32_t(i));
    if (const schema::Launch *body = command.body_as_Launch()) {
      nameLaunch(launch++, entry.name()->c_str(),
                 program.kernels()->Get(body->kernel())->name()->c_str(), textOf(body->label()));
    } else if (const schema::Branch *branch = command.body_as_Branch()) {
      nameLaunches(entry, branch->less(), launch);
      nameLaunches(entry, branch->otherwise(), launch);
    }
  }
}

glm_status glm_session_measure(const glm_model *model, const glm_session_options *options,
                               glm_memory_sizes *sizes) {
  if (!model || !sizes)
    return nullArgument("session");
  glm_status status = okStatus();
  SessionShape shape;
  if (shape.plan(*model, options ? *options : glm_session_options{}, status))
    *sizes = shape.sizes;
  return status;
}

glm_status glm_session_create(glm_model *model, const glm_session_options *options,
                              glm_session **result) {
  if (!model || !result)
    return nullArgument("session");
  glm_status status = okStatus();
  *result = nullptr;
  SessionShape shape;
  if (!shape.plan(*model, options ? *options : glm_session_options{}, status))
    return status;
  void *block = model->runtime->memory.allocate(shape.sizes.total, alignmentOf(shape.sizes.total));
  if (!block) {
    fail(status, GLM_OUT_OF_MEMORY,
         "session: no memory for %" PRIu64 " bytes, %" PRIu64
         " of them caches; choose a smaller context or fewer slots",
         shape.sizes.total, shape.sizes.caches);
    return status;
  }
  auto *session = new (block) glm_session(model);
  if (Assembly(*session, shape).assemble(status))
    *result = session;
  else
    model->runtime->memory.release(block, shape.sizes.total);
  return status;
}

void glm_session_destroy(glm_session *session) {
  if (session)
    session->model->runtime->memory.release(session, session->shape.sizes.total);
}

int64_t glm_session_length(const glm_session *session, int32_t slot) {
  return session && session->caches.hasSlot(slot) ? session->caches.length(slot) : -1;
}

glm_status glm_session_truncate(glm_session *session, int32_t slot, int64_t length) {
  if (!session)
    return nullArgument("session");
  glm_status status = okStatus();
  session->caches.truncate(slot, length, status);
  return status;
}

glm_status glm_session_branch(glm_session *session, int32_t from, int32_t to, int64_t length) {
  if (!session)
    return nullArgument("session");
  glm_status status = okStatus();
  session->caches.branch(from, to, length, status);
  return status;
}

glm_status glm_session_release(glm_session *session, int32_t slot) {
  return glm_session_truncate(session, slot, 0);
}

void glm_session_cancel(glm_session *session) {
  if (session)
    session->cancelled.store(1, std::memory_order_relaxed);
}

glm_status glm_session_profile(const glm_session *session, const glm_launch_times **launches,
                               size_t *count) {
  if (!session || !launches || !count)
    return nullArgument("session");
  *launches = session->times.data();
  *count = session->times.size();
  return okStatus();
}

void glm_session_reset_profile(glm_session *session) {
  for (uint32_t i = 0; session && i < session->times.size(); ++i) {
    session->times[i].calls = 0;
    memset(session->nanoseconds(i), 0, session->shape.timesStride() * sizeof(uint64_t));
  }
}
