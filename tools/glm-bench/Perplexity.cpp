// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"
#include "tools/glm-bench/Measure.h"

#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace glm::bench {
namespace {

/// -log softmax(logits)[token], in f64.
double negativeLogLikelihood(std::span<const float> logits, int32_t token) {
  double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(static_cast<double>(logit) - highest);
  return highest + std::log(sum) - static_cast<double>(logits[static_cast<size_t>(token)]);
}

} // namespace

Json measurePerplexity(const Arguments &arguments, const tool::Engine &engine) {
  std::vector<int32_t> tokens =
      engine.encode(tool::readText(arguments.perplexity), GLM_TEXT_WITHOUT_AFFIXES);
  auto vocabulary = static_cast<size_t>(engine.info().vocabulary);
  auto window = static_cast<size_t>(arguments.window);
  engine.requireContext("--window", arguments.window);
  int64_t chunk = engine.rowsFor(arguments.window);
  Session session = engine.openSession(arguments.window, chunk, /*slots=*/1, /*profile=*/false,
                                       /*allLogits=*/true);
  double sum = 0;
  size_t scored = 0;
  for (size_t begin = 0; begin < tokens.size(); begin += window) {
    std::vector<int32_t> part(tokens.begin() + static_cast<ptrdiff_t>(begin),
                              tokens.begin() +
                                  static_cast<ptrdiff_t>(std::min(begin + window, tokens.size())));
    tool::check(glm_session_release(session.get(), 0));
    tool::prefill(session, part, chunk, true, [&](size_t first, size_t count) {
      std::span<const float> logits = tool::floats(session, "logits");
      for (size_t row = first; row < std::min(first + count, part.size() - 1); ++row, ++scored)
        sum += negativeLogLikelihood(logits.subspan((row - first) * vocabulary, vocabulary),
                                     part[row + 1]);
    });
    if (isatty(STDERR_FILENO))
      std::fprintf(stderr, "\rscored %zu/%zu tokens\033[K", scored, tokens.size());
  }
  if (isatty(STDERR_FILENO))
    std::fputs("\r\033[K", stderr);
  if (scored == 0)
    throw tool::Failure(tool::Code::BadArguments, arguments.perplexity,
                        "has " + std::to_string(tokens.size()) +
                            " tokens, at least two are needed");
  double nats = sum / static_cast<double>(scored);
  return {{"tokens", scored}, {"nats_per_token", nats}, {"perplexity", std::exp(nats)}};
}

} // namespace glm::bench
