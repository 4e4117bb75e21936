// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids in, ids or numbers out.
#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"
#include "tools/engine/Interrupt.h"
#include "tools/glm-run/Draft.h"
#include "tools/glm-run/Modes.h"
#include "tools/glm-run/Stages.h"

#include <algorithm>

namespace glm::run {

int tokenize(const Arguments &arguments, const tool::Engine &engine) {
  std::string text = tool::readText(arguments.tokenize);
  const char *separator = "";
  for (int32_t id : engine.encode(text)) {
    std::printf("%s%d", separator, id);
    separator = " ";
  }
  std::printf("\n");
  return 0;
}

int detokenize(const Arguments &arguments, const tool::Engine &engine) {
  std::vector<int64_t> ids;
  tool::check(npy::readIds(arguments.detokenize, ids));
  std::vector<int32_t> tokens;
  for (int64_t id : ids) {
    if (id < 0 || id > INT32_MAX)
      throw tool::Failure(tool::Code::BadArguments, arguments.detokenize,
                          "holds " + std::to_string(id) + ", which is no token of any model");
    tokens.push_back(static_cast<int32_t>(id));
  }
  std::string text = engine.decode(tokens, arguments.skipSpecial ? GLM_TEXT_SKIP_SPECIAL : 0);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

namespace {

/// The draft layer's logits of every row, teacher-forced: row p is given the token at p + 1, the
/// last row the most likely token after the prompt.
class DraftLogits {
public:
  DraftLogits(const Arguments &arguments, const tool::Engine &engine, Session &session,
              const std::vector<int32_t> &tokens)
      : vocabulary(static_cast<size_t>(engine.info().vocabulary)), session(session),
        tokens(tokens) {
    if (!arguments.draftLogits.empty())
      layer.emplace(engine, session);
  }

  /// After the step over rows [first, first + count), whose last row's logits are there if it was
  /// the last step.
  void take(size_t first, size_t count) {
    if (!layer)
      return;
    std::vector<int32_t> next(
        tokens.begin() + static_cast<ptrdiff_t>(first + 1),
        tokens.begin() + static_cast<ptrdiff_t>(std::min(first + count + 1, tokens.size())));
    if (next.size() < count) {
      auto last = tool::floats(session, "logits").last(vocabulary);
      next.push_back(
          static_cast<int32_t>(std::max_element(last.begin(), last.end()) - last.begin()));
    }
    const float *logits = nullptr;
    tool::check(layer->run(next, static_cast<int64_t>(first), true, true, &logits));
    values.insert(values.end(), logits, logits + count * vocabulary);
  }

  void write(const std::string &path) const {
    if (layer)
      tool::check(npy::write<float>(path,
                                    std::vector<int64_t>{static_cast<int64_t>(tokens.size()),
                                                         static_cast<int64_t>(vocabulary)},
                                    values));
  }

private:
  size_t vocabulary;
  Session &session;
  const std::vector<int32_t> &tokens;
  std::optional<Draft> layer;
  std::vector<float> values;
};

} // namespace

int evaluate(const Arguments &arguments, const tool::Engine &engine) {
  int64_t vocabulary = engine.info().vocabulary;
  std::vector<int32_t> tokens = tool::readTokens(arguments.tokens, vocabulary);
  int64_t count = static_cast<int64_t>(tokens.size());
  engine.requireContext(arguments.tokens.c_str(), count, arguments.context);
  int64_t chunk = engine.rowsFor(count, arguments.chunk);
  bool allLogits = !arguments.logits.empty() || !arguments.draftLogits.empty();
  Session session = engine.openSession(arguments.context > 0 ? arguments.context : count, chunk,
                                       /*slots=*/1, /*profile=*/false, allLogits);
  std::vector<float> logits;
  DraftLogits draftLogits(arguments, engine, session, tokens);
  Stages stages(engine, tokens.size(), !arguments.stagesTo.empty());
  tool::Interrupt interrupt(session.get());
  tool::prefill(session, tokens, chunk, !arguments.logits.empty(), [&](size_t first, size_t rows) {
    interrupt.check();
    if (!arguments.logits.empty()) {
      std::span<const float> step = tool::floats(session, "logits");
      logits.insert(logits.end(), step.begin(), step.end());
    }
    stages.take(session, rows);
    draftLogits.take(first, rows);
  });
  if (!arguments.logits.empty())
    tool::check(
        npy::write<float>(arguments.logits, std::vector<int64_t>{count, vocabulary}, logits));
  draftLogits.write(arguments.draftLogits);
  if (!arguments.stagesTo.empty())
    stages.write(arguments.stagesTo);
  return 0;
}

} // namespace glm::run
