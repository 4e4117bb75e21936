// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-inspect/Report.h"

#include "runtime/devices/cpu/CodeImage.h"
#include "tools/engine/Failure.h"

#include <cinttypes>
#include <map>

namespace glm::inspect {

using runtime::countOf;

void openArtifact(const std::string &path, runtime::Artifact &artifact) {
  glm_status status = runtime::okStatus();
  artifact.open(path.c_str(), status);
  tool::check(status);
}

std::string checkHost(const runtime::Artifact &artifact, const std::string &path) {
  const schema::Program &program = artifact.program();
  glm_status status = runtime::okStatus();
  const schema::Level *level = nullptr;
  runtime::chooseLevel(program, nullptr, path.c_str(), level, status);
  tool::check(status);
  const auto *kernels = level ? level->kernels() : program.kernels();
  for (uint32_t i = 0; i < program.segments()->size(); ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    runtime::CodeImage image;
    bool runs = false;
    for (uint32_t kernel = 0; kernel < countOf(kernels); ++kernel)
      runs |= kernels->Get(kernel)->segment() == i;
    if (runs)
      image.load(artifact.segmentData(i), segment.size(), segment.name()->c_str(), false, status);
    tool::check(status);
  }
  return (level ? level->device() : program.devices()->Get(0))->name()->str();
}

std::string hashText(uint64_t low, uint64_t high) {
  char text[33];
  std::snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, high, low);
  return text;
}

static Json shapeOf(const flatbuffers::Vector<int64_t> *shape) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(shape); ++i)
    result.push_back(shape->Get(uint32_t(i)));
  return result;
}

static Json modelOf(const schema::Model &model) {
  Json result = {{"family", model.family()->str()},  {"name", runtime::textOf(model.name())},
                 {"parameters", model.parameters()}, {"vocabulary", model.vocabulary()},
                 {"hidden", model.hidden()},         {"layers", model.layers()},
                 {"context", model.context()},       {"index_topk", model.index_topk()}};
  if (const schema::Generation *generation = model.generation()) {
    Json eos = Json::array();
    for (size_t i = 0; i < countOf(generation->eos()); ++i)
      eos.push_back(generation->eos()->Get(uint32_t(i)));
    result["generation"] = {{"eos", eos},
                            {"pad", generation->pad()},
                            {"bos", generation->bos()},
                            {"do_sample", generation->do_sample()},
                            {"temperature", generation->temperature()},
                            {"top_p", generation->top_p()},
                            {"top_k", generation->top_k()},
                            {"min_p", generation->min_p()},
                            {"repetition_penalty", generation->repetition_penalty()}};
  }
  Json attributes = Json::object();
  for (size_t i = 0; i < countOf(model.attributes()); ++i)
    attributes[model.attributes()->Get(uint32_t(i))->key()->str()] =
        model.attributes()->Get(uint32_t(i))->value()->str();
  result["attributes"] = attributes;
  return result;
}

static Json provenanceOf(const schema::Provenance &provenance) {
  Json flags = Json::array(), files = Json::array();
  for (size_t i = 0; i < countOf(provenance.flags()); ++i)
    flags.push_back(provenance.flags()->Get(uint32_t(i))->str());
  for (size_t i = 0; i < countOf(provenance.files()); ++i) {
    const schema::SourceFile &file = *provenance.files()->Get(uint32_t(i));
    files.push_back({{"name", file.name()->str()},
                     {"bytes", file.size()},
                     {"hash", hashText(file.hash_low(), file.hash_high())}});
  }
  return {{"compiler", provenance.compiler()->str()},
          {"commit", runtime::textOf(provenance.commit())},
          {"flags", flags},
          {"precision", runtime::textOf(provenance.precision())},
          {"recipe", runtime::textOf(provenance.recipe())},
          {"schema_hash", provenance.schema_hash()},
          {"files", files}};
}

static Json deviceOf(const schema::Device &device) {
  Json features = Json::array();
  for (size_t i = 0; i < countOf(device.required_features()); ++i)
    features.push_back(device.required_features()->Get(uint32_t(i))->str());
  Json result = {{"name", device.name()->str()},
                 {"kind", schema::EnumNameDeviceKind(device.kind())},
                 {"required_features", features}};
  std::string description = runtime::textOf(device.description());
  if (!description.empty()) {
    Json parsed = Json::parse(description, nullptr, false);
    result["description"] = parsed.is_discarded() ? Json(description) : parsed;
  }
  return result;
}

static Json devicesOf(const schema::Program &program) {
  Json result = Json::array();
  for (const schema::Device *device : *program.devices())
    result.push_back(deviceOf(*device));
  return result;
}

/// What a loader chooses from, best first; the device stands last. Of one level there is no choice.
static Json levelsOf(const schema::Program &program) {
  Json result = Json::array();
  auto add = [&](const schema::Device &device,
                 const flatbuffers::Vector<flatbuffers::Offset<schema::Kernel>> *kernels) {
    Json level = deviceOf(device);
    if (countOf(kernels) > 0) {
      const schema::Segment &code = *program.segments()->Get(kernels->Get(0)->segment());
      level["segment"] = code.name()->str();
      level["code_bytes"] = code.size();
    }
    result.push_back(level);
  };
  for (size_t i = 0; i < countOf(program.levels()); ++i)
    add(*program.levels()->Get(uint32_t(i))->device(),
        program.levels()->Get(uint32_t(i))->kernels());
  if (!result.empty())
    add(*program.devices()->Get(0), program.kernels());
  return result;
}

static Json segmentsOf(const schema::Program &program) {
  Json result = Json::array();
  for (const schema::Segment *segment : *program.segments()) {
    result.push_back({{"name", segment->name()->str()},
                      {"kind", schema::EnumNameSegmentKind(segment->kind())},
                      {"offset", segment->offset()},
                      {"bytes", segment->size()},
                      {"alignment", segment->alignment()},
                      {"hash", hashText(segment->hash_low(), segment->hash_high())}});
    if (segment->external())
      result.back()["external"] = segment->external()->str();
  }
  return result;
}

static Json weightsOf(const schema::Program &program) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(program.weights()); ++i) {
    const schema::Weight &weight = *program.weights()->Get(uint32_t(i));
    result.push_back({{"name", weight.name()->str()},
                      {"dtype", schema::EnumNameDtype(weight.dtype())},
                      {"shape", shapeOf(weight.shape())},
                      {"layout", runtime::textOf(weight.layout())},
                      {"bytes", weight.size()},
                      {"segment", program.segments()->Get(weight.segment())->name()->str()},
                      {"offset", weight.offset()}});
  }
  return result;
}

static Json banksOf(const schema::Program &program) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(program.banks()); ++i) {
    const schema::Bank &bank = *program.banks()->Get(uint32_t(i));
    result.push_back({{"name", bank.name()->str()},
                      {"experts", bank.offsets()->size()},
                      {"dtype", schema::EnumNameDtype(bank.dtype())},
                      {"shape", shapeOf(bank.shape())},
                      {"layout", runtime::textOf(bank.layout())},
                      {"slab_bytes", bank.slab_size()},
                      {"bytes", bank.slab_size() * bank.offsets()->size()}});
  }
  return result;
}

// The ledger: how many tensors of the checkpoint met which fate.
static Json ledgerOf(const runtime::Artifact &artifact) {
  const auto &segments = *artifact.program().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->kind() != schema::SegmentKind::ledger)
      continue;
    const char *begin = reinterpret_cast<const char *>(artifact.segmentData(i));
    Json ledger = Json::parse(begin, begin + segments.Get(i)->size(), nullptr, false);
    if (!ledger.is_object() || !ledger.contains("tensors") || !ledger["tensors"].is_array())
      return {{"bytes", segments.Get(i)->size()}, {"readable", false}};
    std::map<std::string, size_t> fates;
    for (const Json &row : ledger["tensors"])
      ++fates[row.is_object() && row.contains("fate") && row["fate"].is_string()
                  ? row["fate"].get<std::string>()
                  : "unknown"];
    return {{"bytes", segments.Get(i)->size()},
            {"tensors", ledger["tensors"].size()},
            {"fates", fates}};
  }
  return nullptr;
}

template <typename Items> static Json namesOf(const Items *items, const schema::Program &program) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(items); ++i) {
    const auto *item = items->Get(uint32_t(i));
    result.push_back({{"name", item->name()->str()},
                      {"bytes", program.segments()->Get(item->segment())->size()}});
  }
  return result;
}

static Json dimsOf(const schema::Program &program) {
  Json result = Json::array();
  for (const schema::Dim *dim : *program.dims()) {
    result.push_back({{"name", dim->name()->str()},
                      {"kind", schema::EnumNameDimKind(dim->kind())},
                      {"max", dim->max()}});
    if (dim->kind() == schema::DimKind::session)
      result.back().update(
          {{"min", dim->min()}, {"preset", dim->preset() < 0 ? dim->max() : dim->preset()}});
    if (dim->bound() >= 0)
      result.back()["bound"] = program.dims()->Get(uint32_t(dim->bound()))->name()->str();
  }
  return result;
}

/// Which form of attention a session takes that does not choose; null where there is one form only.
static Json attentionOf(const schema::Program &program) {
  auto preset = [&](std::string_view name) -> Json {
    for (const schema::Dim *dim : *program.dims())
      if (dim->name()->string_view() == name)
        return dim->preset() < 0 ? dim->max() : dim->preset();
    return nullptr;
  };
  if (preset("keys").is_null())
    return nullptr;
  Json result;
  for (const char *name : {"expanded_keys", "expanded_rows", "full_rows", "unmasked_keys"})
    result[name] = preset(name);
  return result;
}

Json report(const runtime::Artifact &artifact) {
  const schema::Program &program = artifact.program();
  Json result;
  result["format"] = {{"version", artifact.header().version},
                      {"features", program.features()},
                      {"file_bytes", artifact.size()},
                      {"program_bytes", artifact.header().program_size},
                      {"program_hash", hashText(artifact.header().program_hash_low,
                                                artifact.header().program_hash_high)}};
  result["model"] = modelOf(*program.model());
  result["provenance"] = provenanceOf(*program.provenance());
  result["devices"] = devicesOf(program);
  result["levels"] = levelsOf(program);
  result["dims"] = dimsOf(program);
  result["attention"] = attentionOf(program);
  result["segments"] = segmentsOf(program);
  reportExecution(program, result);
  result["weights"] = weightsOf(program);
  result["banks"] = banksOf(program);
  result["tokenizers"] = namesOf(program.tokenizers(), program);
  result["blobs"] = namesOf(program.blobs(), program);
  result["ledger"] = ledgerOf(artifact);
  return result;
}

} // namespace glm::inspect
