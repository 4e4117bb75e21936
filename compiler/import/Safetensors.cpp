// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the weight files of a folder, reads each header once, and checks what concerns a whole file
// or the whole folder: overlaps, duplicates, and that index and files agree.
#include "compiler/import/Safetensors.h"

#include "compiler/import/FileText.h"
#include "compiler/import/Header.h"

#include <algorithm>
#include <unordered_set>

namespace glm {
namespace {

namespace fs = std::filesystem;

constexpr const char *fetchAgain = "fetch the file again";

/// "model-00002-of-00005.safetensors" → {2, 5}.
bool parseSetName(const std::string &name, unsigned &part, unsigned &parts) {
  int used = 0;
  return std::sscanf(name.c_str(), "model-%5u-of-%5u.safetensors%n", &part, &parts, &used) == 2 &&
         static_cast<size_t>(used) == name.size() && part >= 1 && part <= parts;
}

/// The names of a complete set model-0000k-of-0000n.safetensors in `folder`, in order; empty if
/// there is none.
absl::StatusOr<std::vector<std::string>> findSet(const fs::path &folder) {
  std::vector<std::pair<unsigned, std::string>> found;
  unsigned total = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    unsigned part = 0, parts = 0;
    if (!parseSetName(name, part, parts))
      continue;
    if (total != 0 && parts != total)
      return codedError(Code::AmbiguousWeights, folder.string(),
                        "holds files of a set of " + std::to_string(total) + " and of a set of " +
                            std::to_string(parts),
                        "remove the set that is not meant");
    total = parts;
    found.emplace_back(part, name);
  }
  std::ranges::sort(found);
  for (unsigned k = 1; k <= total; ++k)
    if (k > found.size() || found[k - 1].first != k)
      return codedError(
          Code::ShardMissing, folder.string(),
          "part " + std::to_string(k) + " of " + std::to_string(total) + " is missing", "fetch it");
  std::vector<std::string> names;
  for (auto &[part, name] : found)
    names.push_back(std::move(name));
  return names;
}

/// After sorting by offset: no two ranges overlap. Notes bytes that belong to no tensor.
absl::Status checkRanges(const WeightFile &file, std::span<const Tensor> sorted,
                         std::vector<Diagnostic> &notes) {
  uint64_t end = 0, unused = 0;
  const Tensor *previous = nullptr;
  for (const Tensor &tensor : sorted) {
    if (tensor.bytes == 0)
      continue;
    if (tensor.offset < end)
      return codedError(Code::TensorsOverlap, file.path.string() + ": " + std::string(tensor.name),
                        "begins at byte " + std::to_string(tensor.offset) +
                            " of the data, inside " + std::string(previous->name) +
                            ", which ends at " + std::to_string(end),
                        fetchAgain);
    unused += tensor.offset - end;
    end = tensor.offset + tensor.bytes;
    previous = &tensor;
  }
  unused += file.bytes - file.dataBegin - end;
  if (unused != 0)
    notes.push_back({Code::UnusedBytes, file.path.string(),
                     std::to_string(unused) + " bytes belong to no tensor", ""});
  return absl::OkStatus();
}

} // namespace

bool staysInside(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos)
    return false;
  for (size_t begin = 0; begin <= name.size();) {
    size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..")
      return false;
    begin = end + 1;
  }
  return true;
}

std::string shapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string Checkpoint::elementAt(uint32_t file, uint64_t offset) const {
  for (const Tensor &tensor : list) {
    if (tensor.file != file || offset < tensor.offset || offset - tensor.offset >= tensor.bytes)
      continue;
    auto element = int64_t((offset - tensor.offset) * 8 / bitsOf(tensor.dtype));
    std::vector<int64_t> indices(tensor.shape.size());
    for (size_t i = indices.size(); i-- > 0; element /= tensor.shape[i])
      indices[i] = element % tensor.shape[i];
    return std::string(tensor.name) + " " + shapeText(indices);
  }
  return weightFiles[file].path.string();
}

absl::Status Checkpoint::readFile(const std::string &name) {
  WeightFile file;
  file.name = name;
  file.path = root / name;
  absl::StatusOr<FileText> opened = FileText::open(file.path);
  if (!opened.ok())
    return opened.status();
  file.bytes = opened->size();
  std::string thing = file.path.string();
  if (file.bytes < 8)
    return codedError(Code::FileTruncated, thing,
                      "holds " + std::to_string(file.bytes) + " bytes, the header length needs 8",
                      fetchAgain);
  absl::StatusOr<std::string> prefix = opened->read(0, 8);
  if (!prefix.ok())
    return prefix.status();
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | static_cast<unsigned char>((*prefix)[i]);
  if (length > maxHeaderBytes)
    return codedError(Code::HeaderTooLarge, thing,
                      "announces a header of " + std::to_string(length) + " bytes, the bound is " +
                          std::to_string(maxHeaderBytes),
                      "check that it is a safetensors file");
  if (length > file.bytes - 8)
    return codedError(Code::FileTruncated, thing,
                      "holds " + std::to_string(file.bytes) + " bytes, its header ends at " +
                          std::to_string(length + 8),
                      fetchAgain);
  absl::StatusOr<std::string> header = opened->read(8, length);
  if (!header.ok())
    return header.status();
  file.dataBegin = 8 + length;

  size_t first = list.size();
  if (absl::Status status = parseHeader(*header, thing, static_cast<uint32_t>(weightFiles.size()),
                                        file.bytes - file.dataBegin, *arena, list);
      !status.ok())
    return status;
  std::span<Tensor> added(list.begin() + first, list.end());
  std::ranges::sort(added, {}, [](const Tensor &t) { return std::pair(t.offset, t.bytes); });
  // Names before ranges: a name given twice usually repeats its range as well.
  weightFiles.push_back(std::move(file));
  if (absl::Status status = addNames(first); !status.ok())
    return status;
  if (absl::Status status = checkRanges(weightFiles.back(), added, notes); !status.ok())
    return status;
  for (Tensor &tensor : added)
    tensor.offset += weightFiles.back().dataBegin;
  return absl::OkStatus();
}

absl::Status Checkpoint::addNames(size_t first) {
  for (size_t i = first; i < list.size(); ++i) {
    auto [it, fresh] = lookup.try_emplace(list[i].name, static_cast<uint32_t>(i));
    if (fresh)
      continue;
    const WeightFile &here = weightFiles[list[i].file], &there = weightFiles[list[it->second].file];
    return codedError(Code::DuplicateTensor, std::string(list[i].name),
                      &here == &there ? "occurs twice in " + here.name
                                      : "occurs in " + there.name + " and in " + here.name,
                      fetchAgain);
  }
  return absl::OkStatus();
}

absl::Status Checkpoint::openSet(const std::vector<std::string> &names) {
  for (const std::string &name : names)
    if (absl::Status status = readFile(name); !status.ok())
      return status;
  return absl::OkStatus();
}

absl::Status Checkpoint::openIndexed(const fs::path &index) {
  std::string thing = index.string();
  absl::StatusOr<std::string> text = readWhole(index, maxHeaderBytes);
  if (!text.ok())
    return text.status();
  std::vector<std::pair<std::string, std::string>> map;
  if (absl::Status status = parseIndex(*text, thing, map); !status.ok())
    return status;

  // Files in the order of their first tensor would depend on the writer; by name does not.
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  for (const auto &[tensor, file] : map) {
    if (!seen.insert(file).second)
      continue;
    if (!staysInside(file))
      return codedError(Code::PathEscapes, thing,
                        "sends " + tensor + " to '" + file + "', outside the folder", fetchAgain);
    std::error_code error;
    if (!fs::exists(root / file, error))
      return codedError(Code::ShardMissing, (root / file).string(),
                        "is named by " + index.filename().string() + " and not there", "fetch it");
    names.push_back(file);
  }
  if (names.empty())
    return codedError(Code::IndexMalformed, thing, "weight_map is empty", fetchAgain);
  std::ranges::sort(names);
  if (absl::Status status = openSet(names); !status.ok())
    return status;

  std::vector<bool> listed(list.size());
  for (const auto &[tensor, file] : map) {
    auto it = lookup.find(tensor);
    if (it == lookup.end() || weightFiles[list[it->second].file].name != file)
      return codedError(Code::TensorNotInShard, tensor,
                        "is not in " + file + ", where " + index.filename().string() + " sends it",
                        "fetch index and files of one version");
    if (listed[it->second])
      return codedError(Code::DuplicateTensor, tensor, "occurs twice in " + thing, fetchAgain);
    listed[it->second] = true;
  }
  for (size_t i = 0; i < list.size(); ++i)
    if (!listed[i])
      return codedError(Code::TensorNotInIndex, std::string(list[i].name),
                        "is in " + weightFiles[list[i].file].name + " but not in " +
                            index.filename().string(),
                        "fetch index and files of one version");
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> Checkpoint::open(const fs::path &folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return codedError(Code::InputMissing, folder.string(), "is no folder",
                      "name the folder of a checkpoint");
  Checkpoint checkpoint;
  checkpoint.root = folder;
  checkpoint.arena = std::make_unique<std::pmr::monotonic_buffer_resource>(1 << 16);

  bool single = fs::exists(folder / "model.safetensors", error);
  for (const char *name :
       {"model.safetensors.index.json", "quant_model_weights.safetensors.index.json"}) {
    fs::path index = folder / name;
    if (!fs::exists(index, error))
      continue;
    if (absl::Status status = checkpoint.openIndexed(index); !status.ok())
      return status;
    auto isSingle = [](const WeightFile &file) { return file.name == "model.safetensors"; };
    if (single && std::ranges::none_of(checkpoint.weightFiles, isSingle))
      return codedError(Code::AmbiguousWeights, folder.string(),
                        std::string("holds model.safetensors and ") + name +
                            ", which does not name it",
                        "remove the one that is not meant");
    return checkpoint;
  }
  std::vector<std::string> names;
  if (single) {
    names = {"model.safetensors"};
  } else {
    absl::StatusOr<std::vector<std::string>> set = findSet(folder);
    if (!set.ok())
      return set.status();
    names = std::move(*set);
  }
  if (names.empty())
    return codedError(Code::NoWeights, folder.string(), "holds no safetensors file",
                      "name the folder of a checkpoint");
  if (absl::Status status = checkpoint.openSet(names); !status.ok())
    return status;
  return checkpoint;
}

const Tensor *Checkpoint::find(std::string_view name) const {
  auto it = lookup.find(name);
  return it == lookup.end() ? nullptr : &list[it->second];
}

} // namespace glm
