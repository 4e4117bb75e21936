// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A conversation on a terminal. The slot keeps what it has seen: of every new prompt only the part
// that differs from the rows in the slot is run.
#include "tools/engine/Failure.h"
#include "tools/glm-run/Generation.h"
#include "tools/glm-run/Modes.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace glm::run {
namespace {

constexpr const char *help =
    "/reset forgets the conversation, /exit or Ctrl-D ends it, Ctrl-C stops an answer.\n";
constexpr int64_t defaultAnswer = 1024;   ///< tokens
constexpr int64_t defaultContext = 32768; ///< positions, when the model has more

/// What the model said, as a message: thoughts, up to `</think>`, are a field of their own, which
/// the template shows or leaves out.
nlohmann::json messageOf(const std::string &spoken) {
  constexpr std::string_view opening = "<think>", closing = "</think>";
  size_t end = spoken.find(closing);
  if (end == std::string::npos)
    return {{"role", "assistant"}, {"content", spoken}};
  size_t begin = spoken.starts_with(opening) ? opening.size() : 0;
  return {{"role", "assistant"},
          {"reasoning_content", spoken.substr(begin, end - begin)},
          {"content", spoken.substr(end + closing.size())}};
}

/// False at the end of the input.
bool readLine(bool terminal, std::string &line) {
  if (terminal)
    std::fputs("> ", stderr);
  return static_cast<bool>(std::getline(std::cin, line));
}

class Conversation {
public:
  Conversation(const Arguments &arguments, const tool::Engine &engine, int64_t context)
      : arguments(arguments), engine(engine),
        generation(arguments, engine, context, engine.rowsFor(context, arguments.chunk), true) {}

  void reset() {
    messages = nlohmann::json::array();
    held.clear();
    tool::check(glm_session_release(generation.session().get(), 0));
  }

  void answer(const std::string &line) {
    messages.push_back({{"role", "user"}, {"content", line}});
    nlohmann::json request = {{"messages", messages}, {"add_generation_prompt", true}};
    std::string text = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::vector<int32_t> prompt = engine.encode(engine.renderChat(text), GLM_TEXT_WITHOUT_AFFIXES);
    if (static_cast<int64_t>(prompt.size()) >= generation.context()) {
      messages.erase(messages.end() - 1);
      std::fprintf(stderr,
                   "warning: the conversation needs %zu positions, the context has %lld; /reset or "
                   "start with a larger --context\n",
                   prompt.size(), static_cast<long long>(generation.context()));
      return;
    }
    int64_t kept = keepCommonStart(prompt);
    int64_t maxTokens = arguments.maxTokens > 0 ? arguments.maxTokens : defaultAnswer;
    glm_generation_statistics statistics =
        generation.run(prompt, static_cast<size_t>(maxTokens), kept);
    std::printf("\n");
    std::fflush(stdout);
    messages.push_back(messageOf(generation.text()));
    held = prompt;
    held.insert(held.end(), generation.tokens().begin(), generation.tokens().end());
    held.resize(static_cast<size_t>(generation.session().length(0)));
    report(arguments, engine, statistics);
  }

private:
  /// Truncates the slot to the tokens it shares with `prompt`, one of which is always run anew for
  /// its logits.
  int64_t keepCommonStart(const std::vector<int32_t> &prompt) {
    size_t most = std::min(held.size(), prompt.size() - 1);
    auto common =
        std::mismatch(held.begin(), held.begin() + static_cast<ptrdiff_t>(most), prompt.begin())
            .first -
        held.begin();
    tool::check(glm_session_truncate(generation.session().get(), 0, common));
    return common;
  }

  const Arguments &arguments;
  const tool::Engine &engine;
  Generation generation;
  nlohmann::json messages = nlohmann::json::array();
  std::vector<int32_t> held; ///< tokens whose rows the slot holds
};

} // namespace

int converse(const Arguments &arguments, const tool::Engine &engine) {
  int64_t bound = engine.info().max_context;
  engine.requireContext("--chat", 1, arguments.context);
  Conversation conversation(arguments, engine,
                            arguments.context > 0 ? arguments.context
                                                  : std::min(bound, defaultContext));
  bool terminal = isatty(STDIN_FILENO);
  if (terminal)
    std::fputs(help, stderr);
  std::string line;
  while (readLine(terminal, line)) {
    if (line == "/exit")
      break;
    if (line == "/reset")
      conversation.reset();
    else if (line == "/help")
      std::fputs(help, stderr);
    else if (!line.empty())
      conversation.answer(line);
  }
  return 0;
}

} // namespace glm::run
