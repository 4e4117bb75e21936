// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running an entry: everything is checked before anything changes.
#include "runtime/session/Session.h"

#include <cinttypes>
#include <cstring>

using namespace glm;
using namespace glm::runtime;

namespace {

/// One run of one entry, from the caller's arrays to committed caches.
class Attempt {
public:
  Attempt(glm_session &session, uint32_t entry, std::span<const glm_tensor> inputs,
          glm_status &status)
      : session(session), number(entry), plan(session.plans[entry]), inputs(inputs), status(status),
        appends(int(entry) == session.stepEntry) {}

  bool run() {
    return bindInputs() && checkBatch() && chooseForm() && decide() && reserve() && carryOut();
  }

private:
  const glm_tensor *find(const char *name) const;
  bool bindInputs();
  bool bindInput(const schema::Port &port, const glm_tensor &input);
  bool setDim(uint32_t dim, int64_t value, const char *port);
  bool checkShape(const schema::Port &port, const glm_tensor &input);
  bool checkBatch();
  bool checkLogitRows(const glm_tensor &wanted, size_t count);
  bool chooseForm();
  bool decide();
  bool reserve() { return rows.empty() || session.caches.reserve(status); }
  bool carryOut();
  void copyInputs();

  glm_session &session;
  uint32_t number;
  const EntryPlan &plan;
  std::span<const glm_tensor> inputs;
  glm_status &status;
  bool appends;
  std::span<const glm_row> rows; // of an input `rows`
  int64_t dims[maxDims];
  bool bound[maxDims] = {};
};

} // namespace

const glm_tensor *Attempt::find(const char *name) const {
  for (const glm_tensor &input : inputs)
    if (input.name && strcmp(input.name, name) == 0)
      return &input;
  return nullptr;
}

bool Attempt::setDim(uint32_t dim, int64_t value, const char *port) {
  const char *name = session.model->program().dims()->Get(dim)->name()->c_str();
  int64_t most = session.shape.bounds[dim];
  if (bound[dim] && dims[dim] != value)
    return fail(status, GLM_BAD_INPUT,
                "input %s: makes %s %" PRId64 ", another input made it %" PRId64, port, name, value,
                dims[dim]);
  if (value < 0 || value > most)
    return fail(status, GLM_TOO_MANY_ROWS,
                "input %s: %s is %" PRId64 ", this session allows %" PRId64
                "; give less, or create it with more",
                port, name, value, most);
  dims[dim] = value;
  bound[dim] = true;
  return true;
}

bool Attempt::bindInput(const schema::Port &port, const glm_tensor &input) {
  const char *name = port.name()->c_str();
  if (input.dtype != int32_t(port.dtype()) || input.rank != int32_t(port.shape()->size()))
    return fail(status, GLM_BAD_INPUT, "input %s: type %d and rank %d, must be type %d and rank %u",
                name, input.dtype, input.rank, int(port.dtype()), port.shape()->size());
  for (uint32_t i = 0; i < port.shape()->size(); ++i) {
    int dim = bareDim(*port.shape()->Get(i));
    bool changes = dim >= 0 && session.model->program().dims()->Get(uint32_t(dim))->kind() ==
                                   schema::DimKind::step;
    if (changes && !setDim(uint32_t(dim), input.shape[i], name))
      return false;
  }
  return true;
}

bool Attempt::checkShape(const schema::Port &port, const glm_tensor &input) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < port.shape()->size(); ++i) {
    int64_t expected = 0;
    const char *wrong = evaluateSize(*port.shape()->Get(i), dims, expected);
    if (wrong || input.shape[i] != expected)
      return fail(status, GLM_BAD_INPUT, "input %s: dimension %u is %" PRId64 ", must be %" PRId64,
                  port.name()->c_str(), i, input.shape[i], expected);
    count *= uint64_t(expected); // within the port's buffer at the bounds, so no overflow
  }
  return !count || input.data ||
         fail(status, GLM_BAD_INPUT, "input %s: has no data", port.name()->c_str());
}

bool Attempt::bindInputs() {
  const schema::Program &program = session.model->program();
  for (uint32_t i = 0; i < program.dims()->size(); ++i)
    dims[i] = program.dims()->Get(i)->kind() == schema::DimKind::step ? 0 : session.shape.bounds[i];
  const auto &ports = *plan.entry->inputs();
  if (inputs.size() != ports.size())
    return fail(status, GLM_BAD_INPUT, "entry %s: %zu inputs are given, it takes %u",
                plan.entry->name()->c_str(), inputs.size(), ports.size());
  for (const schema::Port *port : ports) {
    const glm_tensor *input = find(port->name()->c_str());
    if (!input)
      return fail(status, GLM_BAD_INPUT, "entry %s: its input %s is not given",
                  plan.entry->name()->c_str(), port->name()->c_str());
    if (!bindInput(*port, *input))
      return false;
  }
  for (const schema::Port *port : ports)
    if (!checkShape(*port, *find(port->name()->c_str())))
      return false;
  return true;
}

bool Attempt::checkLogitRows(const glm_tensor &wanted, size_t count) {
  const auto *indices = static_cast<const int32_t *>(wanted.data);
  for (int64_t i = 0; i < wanted.shape[0]; ++i)
    if (indices[i] < 0 || size_t(indices[i]) >= count)
      return fail(status, GLM_BAD_LOGIT_ROW, "logit row %" PRId64 ": is row %d of a step of %zu", i,
                  indices[i], count);
  return true;
}

bool Attempt::checkBatch() {
  const glm_tensor *batch = find("rows");
  if (!batch || batch->dtype != GLM_I32 || batch->rank != 2 || batch->shape[1] != 4)
    return true;
  if (batch->shape[0] < 1)
    return fail(status, GLM_BAD_INPUT, "input rows: has no row, at least 1");
  rows = {static_cast<const glm_row *>(batch->data), size_t(batch->shape[0])};
  if (!session.caches.admit(rows, session.model->program().model()->vocabulary(), appends, status))
    return false;
  const glm_tensor *wanted = find("logit_rows");
  bool indices = wanted && wanted->dtype == GLM_I32 && wanted->rank == 1;
  return !indices || checkLogitRows(*wanted, rows.size());
}

// Fewest rows for which expanding so many keys pays: more where a selection must be read, in
// proportion.
static double leastRows(const KnownDims &known, const int64_t *bounds, int64_t keys) {
  if (known.expandedRows < 0)
    return 1;
  auto least = double(bounds[known.expandedRows]);
  if (known.fullRows < 0 || known.unmaskedKeys < 0 || keys <= bounds[known.unmaskedKeys])
    return least;
  auto unmasked = double(bounds[known.unmaskedKeys]);
  double share = (double(keys) - unmasked) / (double(bounds[known.keys]) - unmasked);
  return least + (double(bounds[known.fullRows]) - least) * share;
}

// Sets `keys` when expanding them pays for these rows; it is 0 until then.
bool Attempt::chooseForm() {
  const KnownDims &known = session.model->dims;
  if (known.keys < 0 || bound[known.keys] || rows.empty())
    return true;
  const int64_t *bounds = session.shape.bounds;
  int64_t first = rows[0].position, keys = first + int64_t(rows.size());
  bool pays = keys <= bounds[known.keys] && double(rows.size()) >= leastRows(known, bounds, keys);
  for (size_t i = 0; pays && i < rows.size(); ++i)
    pays = rows[i].slot == rows[0].slot && rows[i].position == first + int64_t(i);
  dims[known.keys] = pays ? keys : 0;
  return true;
}

bool Attempt::decide() {
  if (const char *wrong = plan.decide(dims))
    return fail(status, GLM_MALFORMED,
                "entry %s: a size of this step comes to an %s; compile it again",
                plan.entry->name()->c_str(), wrong);
  return true;
}

void Attempt::copyInputs() {
  for (const schema::Port *port : *plan.entry->inputs()) {
    const glm_tensor *input = find(port->name()->c_str());
    uint64_t count = 1, bytes = 0;
    for (int32_t i = 0; i < input->rank; ++i)
      count *= uint64_t(input->shape[i]);
    const PlacedBuffer &buffer = plan.buffers[port->buffer()];
    if (bytesOf(port->dtype(), count, bytes) && bytes && bytes <= buffer.size)
      memcpy(session.arena + buffer.offset, input->data, bytes);
  }
}

bool Attempt::carryOut() {
  memcpy(session.dims, dims, sizeof(dims));
  session.latest = int(number);
  session.cancelled.store(0, std::memory_order_relaxed);
  plan.patch(dims);
  copyInputs();
  execute(session, number);
  if (session.cancelled.load(std::memory_order_relaxed)) {
    session.latest = -1;
    if (!rows.empty())
      session.caches.rollBack();
    return fail(status, GLM_CANCELLED, "entry %s: was cancelled; no slot has changed",
                plan.entry->name()->c_str());
  }
  if (!rows.empty())
    session.caches.commit(appends);
  return true;
}

glm_status glm_session_step(glm_session *session, const glm_row *rows, size_t count,
                            const int32_t *logitRows, size_t logitCount) {
  if (!session || (count && !rows) || (logitCount && !logitRows))
    return nullArgument("step");
  glm_status status = okStatus();
  if (session->stepEntry < 0) {
    fail(status, GLM_NOT_FOUND, "%s: has no entry step; run its entries by name",
         session->model->path);
    return status;
  }
  const glm_tensor inputs[] = {{"rows", GLM_I32, 2, {int64_t(count), 4}, rows},
                               {"logit_rows", GLM_I32, 1, {int64_t(logitCount)}, logitRows}};
  size_t given =
      session->plans[size_t(session->stepEntry)].entry->inputs()->size() == 1 && logitCount == 0
          ? 1
          : 2;
  Attempt(*session, uint32_t(session->stepEntry), {inputs, given}, status).run();
  return status;
}

glm_status glm_session_run(glm_session *session, const char *entry, const glm_tensor *inputs,
                           size_t count) {
  if (!session || !entry || (count && !inputs))
    return nullArgument("run");
  glm_status status = okStatus();
  int number = session->model->findEntry(entry);
  if (number < 0)
    fail(status, GLM_NOT_FOUND, "%s: has no entry %s; glm-inspect lists them", session->model->path,
         entry);
  else
    Attempt(*session, uint32_t(number), {inputs, count}, status).run();
  return status;
}

static bool fillOutput(const glm_session &session, const schema::Port &port, glm_tensor &output,
                       glm_status &status) {
  const EntryPlan &plan = session.plans[size_t(session.latest)];
  output = {};
  output.name = port.name()->c_str();
  output.dtype = int32_t(port.dtype());
  output.rank = int32_t(port.shape()->size());
  uint64_t count = 1, bytes = 0;
  for (int32_t i = 0; i < output.rank; ++i) {
    if (const char *wrong =
            evaluateSize(*port.shape()->Get(uint32_t(i)), session.dims, output.shape[i]))
      return fail(status, GLM_MALFORMED, "output %s: its shape comes to an %s", output.name, wrong);
    count *= uint64_t(output.shape[i]);
  }
  if (!bytesOf(port.dtype(), count, bytes) || bytes > plan.buffers[port.buffer()].size)
    return fail(status, GLM_MALFORMED,
                "output %s: of %" PRIu64 " bytes exceeds its buffer; compile it again", output.name,
                bytes);
  output.data = session.arena + plan.buffers[port.buffer()].offset;
  return true;
}

glm_status glm_session_output(const glm_session *session, const char *name, glm_tensor *output) {
  if (!session || !name || !output)
    return nullArgument("output");
  glm_status status = okStatus();
  if (session->latest < 0) {
    fail(status, GLM_NOT_FOUND, "output %s: nothing has run yet, or it was cancelled", name);
    return status;
  }
  const schema::Entry &entry = *session->plans[size_t(session->latest)].entry;
  for (const schema::Port *port : *entry.outputs())
    if (strcmp(port->name()->c_str(), name) == 0) {
      fillOutput(*session, *port, *output, status);
      return status;
    }
  fail(status, GLM_NOT_FOUND, "output %s: entry %s has none of that name; glm-inspect lists them",
       name, entry.name()->c_str());
  return status;
}
