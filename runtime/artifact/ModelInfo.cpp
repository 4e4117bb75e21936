// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calls that tell about a model.
#include "runtime/artifact/Model.h"

#include <cstring>

using namespace glm;
using namespace glm::runtime;

static glm_status notFound(const char *thing, const char *what) {
  glm_status status;
  fail(status, GLM_NOT_FOUND, "%s: has no %s of this number", thing, what);
  return status;
}

static int64_t boundOf(const glm_model &model, int dim, int64_t otherwise) {
  return dim < 0 ? otherwise : model.program().dims()->Get(uint32_t(dim))->max();
}

static void describeGeneration(const schema::Generation *from, glm_generation_defaults &to) {
  to = {nullptr, 0, -1, -1, 0, 1.0, 1.0, 0, 0.0, 1.0};
  if (!from)
    return;
  to.eos = from->eos() ? from->eos()->data() : nullptr;
  to.eos_count = countOf(from->eos());
  to.pad = from->pad();
  to.bos = from->bos();
  to.do_sample = from->do_sample();
  to.temperature = from->temperature();
  to.top_p = from->top_p();
  to.top_k = from->top_k();
  to.min_p = from->min_p();
  to.repetition_penalty = from->repetition_penalty();
}

static void describeWeights(const glm_model &model, glm_model_info &info) {
  for (uint32_t i = 0; i < model.segments.size(); ++i) {
    const schema::Segment *segment = model.program().segments()->Get(i);
    if (segment->kind() != schema::SegmentKind::weights)
      continue;
    uint64_t huge = hugeBytesIn(model.segments[i].data, segment->size());
    info.weight_bytes += segment->size();
    info.huge_bytes += huge < segment->size() ? huge : segment->size();
  }
}

glm_status glm_model_describe(const glm_model *model, glm_model_info *info) {
  if (!model || !info)
    return nullArgument("model");
  const schema::Program &program = model->program();
  const schema::Model &facts = *program.model();
  const schema::Provenance &provenance = *program.provenance();
  *info = {};
  info->path = model->path;
  info->family = facts.family()->c_str();
  info->name = textOf(facts.name());
  info->parameters = facts.parameters();
  info->vocabulary = facts.vocabulary();
  info->hidden = facts.hidden();
  info->layers = facts.layers();
  info->context = facts.context();
  info->index_topk = facts.index_topk();
  describeGeneration(facts.generation(), info->generation);
  info->max_rows = boundOf(*model, model->dims.maxRows, 0);
  info->max_slots = boundOf(*model, model->dims.slots, 0);
  info->max_context = boundOf(*model, model->dims.context, 0);
  info->page_rows = program.page_rows();
  info->max_expanded_keys = boundOf(*model, model->dims.expandedKeys, 0);
  info->expanded_keys = info->max_expanded_keys;
  if (int dim = model->dims.expandedKeys;
      dim >= 0 && program.dims()->Get(uint32_t(dim))->preset() >= 0)
    info->expanded_keys = program.dims()->Get(uint32_t(dim))->preset();
  info->compiler = provenance.compiler()->c_str();
  info->commit = textOf(provenance.commit());
  info->precision = textOf(provenance.precision());
  info->recipe = textOf(provenance.recipe());
  const schema::Device *device = model->level ? model->level->device() : program.devices()->Get(0);
  info->device = device->name()->c_str();
  info->entries = program.entries()->size();
  info->blobs = countOf(program.blobs());
  info->tokenizers = countOf(program.tokenizers());
  info->file_bytes = model->artifact.size();
  describeWeights(*model, *info);
  return okStatus();
}

const char *glm_model_attribute(const glm_model *model, const char *key) {
  if (!model || !key)
    return nullptr;
  const auto *attributes = model->program().model()->attributes();
  for (size_t i = 0; i < countOf(attributes); ++i)
    if (strcmp(attributes->Get(uint32_t(i))->key()->c_str(), key) == 0)
      return attributes->Get(uint32_t(i))->value()->c_str();
  return nullptr;
}

glm_status glm_model_entry(const glm_model *model, size_t index, glm_entry_info *info) {
  if (!model || !info)
    return nullArgument("model");
  if (index >= model->program().entries()->size())
    return notFound(model->path, "entry");
  const schema::Entry *entry = model->program().entries()->Get(uint32_t(index));
  *info = {entry->name()->c_str(), entry->inputs()->size(), entry->outputs()->size()};
  return okStatus();
}

glm_status glm_model_port(const glm_model *model, size_t entryIndex, size_t index,
                          glm_tensor *port) {
  if (!model || !port)
    return nullArgument("model");
  if (entryIndex >= model->program().entries()->size())
    return notFound(model->path, "entry");
  const schema::Entry *entry = model->program().entries()->Get(uint32_t(entryIndex));
  size_t inputs = entry->inputs()->size();
  if (index >= inputs + entry->outputs()->size())
    return notFound(entry->name()->c_str(), "port");
  const schema::Port *from = index < inputs ? entry->inputs()->Get(uint32_t(index))
                                            : entry->outputs()->Get(uint32_t(index - inputs));
  *port = {};
  port->name = from->name()->c_str();
  port->dtype = int32_t(from->dtype());
  port->rank = int32_t(from->shape()->size());
  for (int32_t i = 0; i < port->rank; ++i) {
    const auto &terms = *from->shape()->Get(uint32_t(i))->terms();
    bool fixed = terms.size() == 1 && terms.Get(0)->op() == schema::ExprOp::constant;
    port->shape[i] = fixed ? terms.Get(0)->value() : -1;
  }
  return okStatus();
}

// A tokenizer is told like a blob: a name and a segment.
using NamedSegments = flatbuffers::Vector<flatbuffers::Offset<schema::Blob>>;
static_assert(int(schema::Tokenizer::VT_NAME) == int(schema::Blob::VT_NAME) &&
              int(schema::Tokenizer::VT_SEGMENT) == int(schema::Blob::VT_SEGMENT));

static glm_status findBytes(const glm_model *model, bool tokenizer, const char *name, size_t index,
                            glm_bytes *bytes) {
  if (!model || !bytes)
    return nullArgument("model");
  const schema::Program &program = model->program();
  const NamedSegments *items =
      tokenizer ? reinterpret_cast<const NamedSegments *>(program.tokenizers()) : program.blobs();
  size_t count = countOf(items);
  for (index = name ? 0 : index; index < count; ++index) {
    const schema::Blob *item = items->Get(uint32_t(index));
    if (name && strcmp(item->name()->c_str(), name) != 0)
      continue;
    *bytes = {item->name()->c_str(), model->segments[item->segment()].data,
              program.segments()->Get(item->segment())->size()};
    return okStatus();
  }
  glm_status status = okStatus();
  fail(status, GLM_NOT_FOUND, "%s: has no %s '%s' among %zu", model->path,
       tokenizer ? "tokenizer" : "blob", name ? name : "(by number)", count);
  return status;
}

glm_status glm_model_tokenizer(const glm_model *model, const char *name, size_t index,
                               glm_bytes *bytes) {
  return findBytes(model, true, name, index, bytes);
}

glm_status glm_model_blob(const glm_model *model, const char *name, size_t index,
                          glm_bytes *bytes) {
  return findBytes(model, false, name, index, bytes);
}
