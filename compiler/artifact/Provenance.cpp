// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/Provenance.h"

#include "compiler/import/FileText.h"

using namespace mlir;

namespace glm::artifact {

namespace {

/// Files that decide what is compiled, beside weights.
constexpr const char *textFiles[] = {"config.json", "generation_config.json", "tokenizer.json",
                                     "tokenizer_config.json", "chat_template.jinja"};

absl::StatusOr<SourceFile> describeFile(const std::filesystem::path &path, std::string name,
                                        uint64_t hashedBytes) {
  absl::StatusOr<FileText> file = FileText::open(path);
  if (!file.ok())
    return file.status();
  absl::StatusOr<std::string> bytes = file->read(0, std::min(hashedBytes, file->size()));
  if (!bytes.ok())
    return bytes.status();
  return SourceFile{std::move(name), file->size(), hashOf(*bytes)};
}

} // namespace

std::string_view buildCommit() { return GLM_BUILD_COMMIT; }

absl::StatusOr<Provenance> describeOrigin(ModuleOp module, const Checkpoint *checkpoint,
                                          std::string compiler, std::vector<std::string> flags) {
  Provenance result;
  result.compiler = std::move(compiler);
  result.commit = buildCommit();
  result.flags = std::move(flags);
  result.schemaHash = GLM_SCHEMA_HASH;
  if (auto precision = module->getAttrOfType<StringAttr>("glm.precision"))
    result.precision = precision.str();
  if (auto recipe = module->getAttrOfType<StringAttr>("glm.recipe"))
    result.recipe = recipe.str();
  if (!checkpoint)
    return result;
  std::error_code error;
  for (const char *name : textFiles) {
    std::filesystem::path path = checkpoint->folder() / name;
    if (!std::filesystem::exists(path, error))
      continue;
    absl::StatusOr<SourceFile> file = describeFile(path, name, UINT64_MAX);
    if (!file.ok())
      return file.status();
    result.files.push_back(std::move(*file));
  }
  for (const WeightFile &weights : checkpoint->files()) {
    absl::StatusOr<SourceFile> file = describeFile(weights.path, weights.name, weights.dataBegin);
    if (!file.ok())
      return file.status();
    result.files.push_back(std::move(*file));
  }
  return result;
}

} // namespace glm::artifact
