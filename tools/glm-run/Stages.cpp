// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/glm-run/Stages.h"

#include "tools/engine/Failure.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace glm::run {
namespace {

const char *const prefixes[] = {"hidden.", "selection.", "experts.", "expert_weights."};

bool isStage(const std::string &name) {
  for (const char *prefix : prefixes)
    if (name.starts_with(prefix))
      return true;
  return name == "final";
}

/// The outputs of entry `step`.
std::vector<glm_tensor> outputsOfStep(const tool::Engine &engine) {
  std::vector<glm_tensor> result;
  for (size_t entry = 0; entry < engine.info().entries; ++entry) {
    glm_entry_info info = {};
    tool::check(glm_model_entry(engine.model().get(), entry, &info));
    if (std::string(info.name) != "step")
      continue;
    for (size_t port = info.inputs; port < info.inputs + info.outputs; ++port)
      tool::check(glm_model_port(engine.model().get(), entry, port, &result.emplace_back()));
  }
  return result;
}

int layerOf(const std::string &name) { return std::atoi(name.c_str() + name.find('.') + 1); }

std::string pathOf(const std::string &folder, const char *file) {
  return folder + "/" + file + ".npy";
}

} // namespace

Stages::Stages(const tool::Engine &engine, size_t tokens, bool wanted) : tokens(tokens) {
  if (!wanted)
    return;
  for (const glm_tensor &port : outputsOfStep(engine))
    if (isStage(port.name))
      outputs[port.name] = {port.dtype, port.shape[port.rank - 1], {}, {}};
  if (outputs.size() <= 1)
    throw tool::Failure(tool::Code::InputMissing, engine.info().path,
                        "keeps no intermediate values",
                        "compile with --keep=selections,experts,hidden");
}

void Stages::take(const Session &session, size_t count) {
  for (auto &[name, output] : outputs) {
    glm_tensor tensor = {};
    tool::check(glm_session_output(session.get(), name.c_str(), &tensor));
    size_t size = count * static_cast<size_t>(output.width);
    if (output.dtype == GLM_F32) {
      auto values = elements<float>(tensor, GLM_F32).first(size);
      output.reals.insert(output.reals.end(), values.begin(), values.end());
    } else {
      auto values = elements<int32_t>(tensor, GLM_I32).first(size);
      output.integers.insert(output.integers.end(), values.begin(), values.end());
    }
  }
}

template <typename T>
void Stages::writeStack(const std::string &folder, const char *file, const char *prefix,
                        std::vector<T> Output::*values) const {
  std::map<int, const Output *> layers;
  for (auto &[name, output] : outputs)
    if (name.starts_with(prefix))
      layers[layerOf(name)] = &output;
  if (layers.empty())
    return;
  std::vector<T> stack;
  for (auto &[layer, output] : layers)
    stack.insert(stack.end(), (output->*values).begin(), (output->*values).end());
  std::vector<int64_t> shape = {static_cast<int64_t>(layers.size()), static_cast<int64_t>(tokens),
                                layers.begin()->second->width};
  tool::check(npy::write<T>(pathOf(folder, file), shape, stack));
}

void Stages::writeMask(const std::string &folder) const {
  std::map<int, const Output *> layers;
  for (auto &[name, output] : outputs)
    if (name.starts_with("selection."))
      layers[layerOf(name)] = &output;
  if (layers.empty())
    return;
  std::vector<std::byte> mask(layers.size() * tokens * tokens);
  std::vector<int32_t> numbers;
  for (auto &[layer, output] : layers) {
    std::byte *rows = mask.data() + numbers.size() * tokens * tokens;
    numbers.push_back(layer);
    for (size_t i = 0; i < output->integers.size(); ++i)
      if (int32_t key = output->integers[i]; key >= 0)
        rows[i / static_cast<size_t>(output->width) * tokens + static_cast<size_t>(key)] =
            std::byte{1};
  }
  auto n = static_cast<int64_t>(tokens);
  auto k = static_cast<int64_t>(numbers.size());
  tool::check(npy::write(pathOf(folder, "index_mask"), npy::Element::Bool,
                         std::vector<int64_t>{k, n, n}, mask));
  tool::check(
      npy::write<int32_t>(pathOf(folder, "index_layers"), std::vector<int64_t>{k}, numbers));
}

void Stages::write(const std::string &folder) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw tool::Failure(tool::Code::OutputUnwritable, folder,
                        "cannot be created: " + error.message());
  writeStack<float>(folder, "hidden", "hidden.", &Output::reals);
  writeStack<int32_t>(folder, "expert_ids", "experts.", &Output::integers);
  writeStack<float>(folder, "expert_weights", "expert_weights.", &Output::reals);
  writeMask(folder);
  if (auto found = outputs.find("final"); found != outputs.end())
    tool::check(
        npy::write<float>(pathOf(folder, "final"),
                          std::vector<int64_t>{static_cast<int64_t>(tokens), found->second.width},
                          found->second.reals));
  std::vector<int32_t> layers;
  for (auto &[name, output] : outputs)
    if (name.starts_with("experts."))
      layers.push_back(layerOf(name));
  std::sort(layers.begin(), layers.end());
  if (!layers.empty())
    tool::check(npy::write<int32_t>(pathOf(folder, "moe_layers"),
                                    std::vector<int64_t>{static_cast<int64_t>(layers.size())},
                                    layers));
}

} // namespace glm::run
