// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/session/Plan.h"

#include <cinttypes>

namespace glm::runtime {

const char *EntryPlan::decide(const int64_t *dims) const {
  for (size_t i = 0; i < decisions.size(); ++i) {
    const Decision &decision = decisions[i];
    int64_t left = 0, right = 0;
    if (const char *wrong = evaluate(*decision.left, dims, left))
      return wrong;
    if (decision.right) {
      if (const char *wrong = evaluate(*decision.right, dims, right))
        return wrong;
      values[i] = left < right;
      continue;
    }
    uint64_t bits;
    if (left < 0 || __builtin_mul_overflow(uint64_t(left), decision.unit, &bits) ||
        bits / 8 > decision.limit)
      return "copy beyond its buffer";
    values[i] = bits / 8;
  }
  return nullptr;
}

static bool checkPort(const schema::Port &port, const int64_t *bounds,
                      std::span<PlacedBuffer> buffers, glm_status &status) {
  uint64_t count = 1, bytes = 0, extent = 0;
  bool overflow = false;
  for (const schema::Expr *expression : *port.shape()) {
    if (!sizeAtBounds(*expression, bounds, "port", port.name()->c_str(), extent, status))
      return false;
    overflow |= __builtin_mul_overflow(count, extent, &count);
  }
  if (overflow || !bytesOf(port.dtype(), count, bytes) || bytes > buffers[port.buffer()].size)
    return fail(status, GLM_MALFORMED,
                "port %s: of %" PRIu64 " elements does not fit its buffer of %" PRIu64
                " bytes; compile it again",
                port.name()->c_str(), count, buffers[port.buffer()].size);
  return true;
}

bool placeBuffers(const glm_model &model, const schema::Entry &entry, const int64_t *bounds,
                  std::span<PlacedBuffer> buffers, glm_status &status) {
  const char *name = entry.name()->c_str();
  uint64_t arena;
  if (!sizeAtBounds(*entry.arena(), bounds, "entry", name, arena, status))
    return false;
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const schema::Buffer *buffer = entry.buffers()->Get(i);
    PlacedBuffer &placed = buffers[i];
    if (!sizeAtBounds(*buffer->offset(), bounds, "buffer", textOf(buffer->name()), placed.offset,
                      status) ||
        !sizeAtBounds(*buffer->size(), bounds, "buffer", textOf(buffer->name()), placed.size,
                      status))
      return false;
    if (placed.offset % 64 != 0 || placed.offset > arena || placed.size > arena - placed.offset)
      return fail(status, GLM_MALFORMED,
                  "entry %s: buffer %s: offset %" PRIu64 " and size %" PRIu64
                  " in an arena of %" PRIu64 "; compile it again",
                  name, textOf(buffer->name()), placed.offset, placed.size, arena);
  }
  for (const auto *ports : {entry.inputs(), entry.outputs()})
    for (const schema::Port *port : *ports)
      if (!checkPort(*port, bounds, buffers, status))
        return false;
  return true;
}

namespace {

class Builder {
public:
  Builder(EntryPlan &plan, const Addresses &addresses, glm_status &status)
      : plan(plan), addresses(addresses), program(addresses.model.program()), status(status) {}

  bool build() {
    if (!sizeAtBounds(*plan.entry->scratch(), addresses.bounds, "entry",
                      plan.entry->name()->c_str(), scratch, status))
      return false;
    return emit(plan.entry->commands());
  }

private:
  using Commands = flatbuffers::Vector<flatbuffers::Offset<schema::Command>>;

  bool emit(const Commands *commands);
  bool emit(const schema::Command &command);
  bool emitLaunch(const schema::Launch &launch);
  bool emitCopy(const schema::Arg &source, const schema::Arg &destination, const schema::Expr &size,
                uint64_t unit);
  bool emitBranch(const schema::Branch &branch);
  bool word(const schema::Arg &argument, uint64_t &value);
  bool place(const schema::Arg &argument, uint8_t *&address, uint64_t &rest);
  Instruction &next(Instruction::Kind kind) {
    Instruction &instruction = plan.instructions[count++];
    instruction = {};
    instruction.kind = kind;
    return instruction;
  }

  EntryPlan &plan;
  const Addresses &addresses;
  const schema::Program &program;
  glm_status &status;
  uint64_t scratch = 0;
  uint32_t count = 0, words = 0, patches = 0, decisions = 0, launches = 0;
};

} // namespace

// A buffer or a hand-off: the address, and the bytes from there to its end.
bool Builder::place(const schema::Arg &argument, uint8_t *&address, uint64_t &rest) {
  uint64_t size = 0;
  if (argument.kind() == schema::ArgKind::buffer) {
    const PlacedBuffer &buffer = plan.buffers[argument.index()];
    address = addresses.arena + buffer.offset;
    size = buffer.size;
  } else {
    const schema::Handoff *handoff = program.handoffs()->Get(argument.index());
    if (!sizeAtBounds(*handoff->size(), addresses.bounds, "hand-off", handoff->name()->c_str(),
                      size, status))
      return false;
    address = addresses.handoffs[argument.index()];
  }
  if (uint64_t(argument.value()) > size)
    return fail(status, GLM_MALFORMED,
                "entry %s: an argument has the offset %" PRId64 " in a buffer of %" PRIu64
                " bytes; compile it again",
                plan.entry->name()->c_str(), argument.value(), size);
  address += argument.value();
  rest = size - uint64_t(argument.value());
  return true;
}

bool Builder::word(const schema::Arg &argument, uint64_t &value) {
  switch (argument.kind()) {
  case schema::ArgKind::state:
    value = reinterpret_cast<uintptr_t>(&addresses.views[argument.index()]);
    return true;
  case schema::ArgKind::weight:
    value = reinterpret_cast<uintptr_t>(addresses.model.weight(argument.index())) +
            uint64_t(argument.value());
    return true;
  case schema::ArgKind::bank:
    value = reinterpret_cast<uintptr_t>(addresses.model.banks[argument.index()]);
    return true;
  case schema::ArgKind::constant:
    value = uint64_t(argument.value());
    return true;
  case schema::ArgKind::dim:
    value = uint64_t(addresses.bounds[argument.index()]);
    if (program.dims()->Get(argument.index())->kind() == schema::DimKind::step)
      plan.patches[patches++] = {argument.index(), words};
    return true;
  default: {
    uint8_t *address = nullptr;
    uint64_t rest;
    bool placed = place(argument, address, rest);
    value = reinterpret_cast<uintptr_t>(address);
    return placed;
  }
  }
}

bool Builder::emitLaunch(const schema::Launch &launch) {
  const schema::Kernel &kernel = *addresses.model.code()->Get(launch.kernel());
  uint64_t needed = 0;
  if (kernel.scratch() && !sizeAtBounds(*kernel.scratch(), addresses.bounds, "kernel",
                                        kernel.name()->c_str(), needed, status))
    return false;
  if (needed > scratch)
    return fail(status, GLM_MALFORMED,
                "kernel %s: needs %" PRIu64 " bytes of scratch, entry %s has %" PRIu64
                "; compile it again",
                kernel.name()->c_str(), needed, plan.entry->name()->c_str(), scratch);
  Instruction &instruction = next(Instruction::Kind::launch);
  instruction.kernel = addresses.model.kernels[launch.kernel()];
  instruction.arguments = plan.words.data() + words;
  instruction.target = plan.firstLaunch + launches++;
  for (const schema::Arg *argument : *launch.args()) {
    if (!word(*argument, plan.words[words]))
      return false;
    ++words;
  }
  return true;
}

bool Builder::emitCopy(const schema::Arg &source, const schema::Arg &destination,
                       const schema::Expr &size, uint64_t unit) {
  uint8_t *from = nullptr, *to = nullptr;
  uint64_t readable, writable;
  if (!place(source, from, readable) || !place(destination, to, writable))
    return false;
  Instruction &instruction = next(Instruction::Kind::copy);
  instruction.source = from;
  instruction.destination = to;
  instruction.value = decisions;
  plan.decisions[decisions++] = {&size, nullptr, unit, readable < writable ? readable : writable};
  return true;
}

bool Builder::emitBranch(const schema::Branch &branch) {
  Instruction &test = next(Instruction::Kind::branch);
  test.value = decisions;
  plan.decisions[decisions++] = {branch.left(), branch.right(), 8, 0};
  if (!emit(branch.less()))
    return false;
  Instruction &skip = next(Instruction::Kind::jump);
  test.target = count;
  if (!emit(branch.otherwise()))
    return false;
  skip.target = count;
  return true;
}

bool Builder::emit(const Commands *commands) {
  for (size_t i = 0; i < countOf(commands); ++i)
    if (!emit(*commands->Get(uint32_t(i))))
      return false;
  return true;
}

bool Builder::emit(const schema::Command &command) {
  switch (command.body_type()) {
  case schema::Body::Launch:
    return emitLaunch(*command.body_as_Launch());
  case schema::Body::Branch:
    return emitBranch(*command.body_as_Branch());
  case schema::Body::Copy: {
    const schema::Copy &copy = *command.body_as_Copy();
    return emitCopy(*copy.source(), *copy.destination(), *copy.bytes(), 8);
  }
  case schema::Body::Collective: { // of one rank
    const schema::Collective &collective = *command.body_as_Collective();
    return emitCopy(*collective.source(), *collective.destination(), *collective.count(),
                    bitsOf(collective.dtype()));
  }
  case schema::Body::Barrier:
  case schema::Body::Wait: // events order devices; the workers of one device meet
    next(Instruction::Kind::barrier);
    return true;
  default: // Signal, Require: nothing to do on one device with mapped weights
    return true;
  }
}

bool buildPlan(EntryPlan &plan, const Addresses &addresses, glm_status &status) {
  return Builder(plan, addresses, status).build();
}

} // namespace glm::runtime
