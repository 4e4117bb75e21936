// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Files.h"
#include "tools/glm-run/Generation.h"

#include <nlohmann/json.hpp>

namespace glm::run {
namespace {

std::string questionOf(const std::string &text) {
  nlohmann::json message = {{"role", "user"}, {"content", text}};
  nlohmann::json request = {{"messages", nlohmann::json::array({message})},
                            {"add_generation_prompt", true}};
  return request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A request that says nothing about the generation prompt gets one: an answer is wanted. The rest
/// stays as it was written, since the order of fields and the form of numbers show in the prompt.
/// What is no JSON object is left for the renderer to refuse.
std::string withGenerationPrompt(std::string request) {
  nlohmann::json parsed = nlohmann::json::parse(request, nullptr, false);
  if (parsed.is_object() && !parsed.empty() && !parsed.contains("add_generation_prompt"))
    request.insert(request.find('{') + 1, R"("add_generation_prompt": true, )");
  return request;
}

} // namespace

std::vector<int32_t> promptOf(const Arguments &arguments, const tool::Engine &engine) {
  if (!arguments.tokens.empty())
    return tool::readTokens(arguments.tokens, engine.info().vocabulary);
  if (arguments.prompt && !arguments.chat)
    return engine.encode(tool::textOf(*arguments.prompt));
  std::string request = arguments.prompt ? questionOf(tool::textOf(*arguments.prompt))
                                         : tool::readText(arguments.messages);
  std::string rendered =
      engine.renderChat(arguments.render ? request : withGenerationPrompt(request));
  if (arguments.render)
    std::fwrite(rendered.data(), 1, rendered.size(), stdout);
  return engine.encode(rendered, GLM_TEXT_WITHOUT_AFFIXES);
}

} // namespace glm::run
