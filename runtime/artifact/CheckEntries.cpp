// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of SCHEMA.md about kernels and entries.
#include "runtime/artifact/Checker.h"

#include <cinttypes>
#include <cstring>

namespace glm::runtime {

bool Checker::code(const flatbuffers::Vector<flatbuffers::Offset<schema::Kernel>> *kernels) {
  for (size_t i = 0; i < countOf(kernels); ++i) {
    const schema::Kernel *kernel = kernels->Get(uint32_t(i));
    const char *name = kernel->name()->c_str();
    if (!holds(kernel->segment(), schema::SegmentKind::code))
      return broken("kernel", name, "segment %u is no segment of code", kernel->segment());
    if (kernel->scratch() && !expression(kernel->scratch(), "kernel", name))
      return false;
  }
  return true;
}

bool Checker::kernels() {
  if (!code(program.kernels()))
    return false;
  for (size_t i = 0; i < countOf(program.levels()); ++i) {
    const schema::Level *level = program.levels()->Get(uint32_t(i));
    if (level->kernels()->size() != countOf(program.kernels()) ||
        level->device()->kind() != schema::DeviceKind::cpu)
      return broken("level", level->device()->name()->c_str(),
                    "is of kind %d and has %u kernels, the program has %zu",
                    int(level->device()->kind()), level->kernels()->size(),
                    countOf(program.kernels()));
    if (!code(level->kernels()))
      return false;
  }
  for (size_t i = 0; i < countOf(program.handoffs()); ++i) {
    const schema::Handoff *handoff = program.handoffs()->Get(uint32_t(i));
    if (!expression(handoff->size(), "hand-off", handoff->name()->c_str()))
      return false;
  }
  return true;
}

bool Checker::entries() {
  const auto &entries = *program.entries();
  for (uint32_t i = 0; i < entries.size(); ++i) {
    if (!entry(*entries.Get(i)))
      return false;
    for (uint32_t j = 0; j < i; ++j)
      if (strcmp(entries.Get(j)->name()->c_str(), entries.Get(i)->name()->c_str()) == 0)
        return broken("entry", entries.Get(i)->name()->c_str(), "stands there twice");
  }
  return true;
}

bool Checker::entry(const schema::Entry &entry) {
  const char *name = entryName = entry.name()->c_str();
  if (!expression(entry.arena(), "entry", name) || !expression(entry.scratch(), "entry", name))
    return false;
  for (const schema::Buffer *buffer : *entry.buffers())
    if (!expression(buffer->offset(), "entry", name) ||
        !expression(buffer->size(), "entry", name) || !device(buffer->device()))
      return false;
  return ports(entry, *entry.inputs()) && ports(entry, *entry.outputs()) &&
         commands(entry, entry.commands());
}

bool Checker::ports(const schema::Entry &entry, const Ports &ports) {
  for (const schema::Port *port : ports) {
    const char *name = port->name()->c_str();
    if (port->dtype() > schema::Dtype::MAX || port->shape()->size() > GLM_MAX_RANK ||
        port->buffer() >= entry.buffers()->size())
      return broken("port", name, "type %d, rank %u or buffer %u is out of range",
                    int(port->dtype()), port->shape()->size(), port->buffer());
    for (const schema::Expr *extent : *port->shape())
      if (!expression(extent, "port", name))
        return false;
  }
  return true;
}

bool Checker::device(uint32_t device) {
  return device < program.devices()->size() ||
         broken("entry", entryName, "device %u is not there", device);
}

bool Checker::argument(const schema::Entry &entry, const schema::Arg &argument) {
  size_t count = 0;
  switch (argument.kind()) {
  case schema::ArgKind::buffer:
    count = entry.buffers()->size();
    break;
  case schema::ArgKind::state:
    count = countOf(program.states());
    break;
  case schema::ArgKind::weight:
    count = countOf(program.weights());
    break;
  case schema::ArgKind::bank:
    count = countOf(program.banks());
    break;
  case schema::ArgKind::dim:
    count = dimCount;
    break;
  case schema::ArgKind::handoff:
    count = countOf(program.handoffs());
    break;
  case schema::ArgKind::constant:
    return true;
  }
  if (argument.index() >= count)
    return broken("entry", entryName, "an argument of kind %d names number %u of %zu",
                  int(argument.kind()), argument.index(), count);
  if (argument.kind() != schema::ArgKind::weight)
    return argument.value() >= 0 ||
           broken("entry", entryName, "an argument has the offset %" PRId64, argument.value());
  uint64_t size = program.weights()->Get(argument.index())->size();
  return uint64_t(argument.value()) <= size ||
         broken("entry", entryName,
                "an argument has the offset %" PRId64 " in a weight of %" PRIu64 " bytes",
                argument.value(), size);
}

bool Checker::launch(const schema::Entry &entry, const schema::Launch &launch) {
  if (launch.kernel() >= countOf(program.kernels()))
    return broken("entry", entryName, "launches kernel %u of %zu", launch.kernel(),
                  countOf(program.kernels()));
  for (const schema::Arg *item : *launch.args())
    if (!argument(entry, *item))
      return false;
  return device(launch.device());
}

bool Checker::copy(const schema::Entry &entry, const schema::Arg *source,
                   const schema::Arg *destination, const schema::Expr *size) {
  auto inMemory = [](const schema::Arg *place) {
    return place &&
           (place->kind() == schema::ArgKind::buffer || place->kind() == schema::ArgKind::handoff);
  };
  if (!inMemory(source) || !inMemory(destination))
    return broken("entry", entryName, "copies from or to something that is no buffer");
  return argument(entry, *source) && argument(entry, *destination) &&
         expression(size, "entry", entryName);
}

bool Checker::commands(const schema::Entry &entry, const Commands *commands) {
  for (size_t i = 0; i < countOf(commands); ++i)
    if (!command(entry, *commands->Get(uint32_t(i))))
      return false;
  return true;
}

bool Checker::command(const schema::Entry &entry, const schema::Command &command) {
  switch (command.body_type()) {
  case schema::Body::Launch:
    return launch(entry, *command.body_as_Launch());
  case schema::Body::Barrier:
    return device(command.body_as_Barrier()->device());
  case schema::Body::Signal:
    return device(command.body_as_Signal()->device());
  case schema::Body::Wait:
    return device(command.body_as_Wait()->device());
  case schema::Body::Require:
    return command.body_as_Require()->bank() < countOf(program.banks()) ||
           broken("entry", entryName, "requires a bank that is not there");
  case schema::Body::Copy: {
    const schema::Copy *body = command.body_as_Copy();
    return copy(entry, body->source(), body->destination(), body->bytes()) &&
           device(body->source_device()) && device(body->destination_device());
  }
  case schema::Body::Collective: {
    const schema::Collective *body = command.body_as_Collective();
    if (body->group() >= countOf(program.communication()) || body->dtype() > schema::Dtype::MAX)
      return broken("entry", entryName, "a collective names a group or type that is not there");
    if (program.communication()->Get(body->group())->ranks() > 1)
      return fail(
          status, GLM_UNSUPPORTED,
          "%s: entry %s: is made for %u ranks, this runtime has one; compile it without --shard",
          path, entryName, program.communication()->Get(body->group())->ranks());
    return copy(entry, body->source(), body->destination(), body->count());
  }
  case schema::Body::Branch: {
    const schema::Branch *body = command.body_as_Branch();
    return expression(body->left(), "entry", entryName) &&
           expression(body->right(), "entry", entryName) && commands(entry, body->less()) &&
           commands(entry, body->otherwise());
  }
  default:
    return broken("entry", entryName, "has a command of the unknown kind %d",
                  int(command.body_type()));
  }
}

} // namespace glm::runtime
