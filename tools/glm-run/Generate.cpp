// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Failure.h"
#include "tools/engine/Files.h"
#include "tools/engine/Interrupt.h"
#include "tools/glm-run/Generation.h"
#include "tools/glm-run/Modes.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unistd.h>

namespace glm::run {
namespace {

constexpr size_t progressFrom = 1024;     ///< shorter prompts are over before one reads it
constexpr size_t mostAutomaticDrafts = 5; ///< the layers are trained for 3 and used with up to 5

/// Tokens to draft per step; of an automatic number the most.
size_t draftsOf(const Arguments &arguments, const tool::Engine &engine) {
  if (arguments.draftsAutomatic())
    return Draft::available(engine) ? mostAutomaticDrafts : 0;
  return static_cast<size_t>(arguments.draft[0] - '0');
}

} // namespace

Generation::Generation(const Arguments &arguments, const tool::Engine &engine, int64_t context,
                       int64_t rows, bool stream)
    : arguments(arguments), engine(engine), positions(context), stream(stream),
      drafts(draftsOf(arguments, engine)),
      maxRows(std::min(std::max(rows, static_cast<int64_t>(drafts + 1)), engine.info().max_rows)),
      slot(engine.openSession(context, maxRows)),
      sampling(samplingOf(arguments, engine.info().generation)) {
  if (drafts > 0)
    draftLayer.emplace(engine, slot);
}

glm_status Generation::draft(void *self, const int32_t *nextTokens, size_t count, int64_t position,
                             size_t wanted, int32_t *drafts) {
  return static_cast<Generation *>(self)->draftLayer->propose({nextTokens, count}, position,
                                                              {drafts, wanted});
}

glm_status Generation::truncate(void *self, int64_t length) {
  return glm_session_truncate(static_cast<Generation *>(self)->slot.get(), 0, length);
}

glm_status Generation::step(void *self, const glm_row *rows, size_t count, const int32_t *logitRows,
                            size_t logitCount, const float **logits) {
  auto &generation = *static_cast<Generation *>(self);
  glm_status status = glm_session_step(generation.slot.get(), rows, count, logitRows, logitCount);
  if (status.code != GLM_OK)
    return status;
  generation.showProgress(count);
  glm_tensor output = {};
  if (logitCount > 0)
    status = glm_session_output(generation.slot.get(), "logits", &output);
  *logits = static_cast<const float *>(output.data);
  return status;
}

void Generation::showProgress(size_t rows) {
  if (promptDone >= promptRows || promptRows < progressFrom || !isatty(STDERR_FILENO))
    return;
  promptDone += rows;
  std::fprintf(stderr, "\rprompt %zu/%zu tokens%s", promptDone, promptRows,
               promptDone >= promptRows ? "\r\033[K" : "");
  std::fflush(stderr);
}

int32_t Generation::event(void *self, const glm_generation_event *event) {
  auto &generation = *static_cast<Generation *>(self);
  if (event->token >= 0)
    generation.generated.push_back(event->token);
  generation.spoken.append(event->text, event->text_size);
  if (generation.stream)
    generation.print(*event);
  return 0;
}

void Generation::print(const glm_generation_event &event) {
  if (arguments.logProbabilities == 0) {
    std::fwrite(event.text, 1, event.text_size, stdout);
    std::fflush(stdout);
    return;
  }
  if (event.token < 0)
    return;
  std::printf("%d %.6f %s", event.token, static_cast<double>(event.log_probability),
              nlohmann::json(engine.decode({event.token})).dump().c_str());
  for (size_t i = 0; i < event.best_count; ++i)
    std::printf(" %d:%.6f", event.best[i].token,
                static_cast<double>(event.best[i].log_probability));
  std::printf("\n");
  std::fflush(stdout);
}

glm_generation_statistics Generation::run(const std::vector<int32_t> &prompt, size_t maxTokens,
                                          int64_t position) {
  const glm_generation_defaults &defaults = engine.info().generation;
  std::vector<const char *> stops;
  for (const std::string &stop : arguments.stop)
    stops.push_back(stop.c_str());
  glm_generation_model model = {};
  model.context = this;
  model.max_rows = static_cast<size_t>(maxRows);
  model.max_positions = positions;
  model.vocabulary = static_cast<size_t>(engine.info().vocabulary);
  model.step = step;
  if (draftLayer) {
    model.draft = draft;
    model.truncate = truncate;
  }
  glm_generation_options options = {};
  options.sampling = sampling;
  options.max_tokens = maxTokens;
  options.stop_ids = defaults.eos;
  options.stop_id_count = defaults.eos_count;
  options.stop_texts = stops.data();
  options.stop_text_count = stops.size();
  options.ignore_stop = arguments.ignoreStop;
  options.log_probabilities = arguments.logProbabilities;
  options.drafts = drafts;
  options.drafts_automatic = arguments.draftsAutomatic();
  options.chunk_rows = static_cast<size_t>(maxRows);
  options.position = position;
  tool::Interrupt interrupt(slot.get());
  options.cancel = interrupt.flag();
  options.user = this;
  options.on_token = event;
  generated.clear();
  spoken.clear();
  promptRows = prompt.size() - static_cast<size_t>(position);
  promptDone = 0;
  glm_generation_statistics statistics = {};
  glm_status status = glm_generate(&model, engine.tokenizerOrNull(), prompt.data() + position,
                                   promptRows, &options, &statistics);
  if (status.code == GLM_CANCELLED && interrupt.happened())
    statistics.finish = GLM_FINISH_CANCELLED; // the step that ran gave up
  else
    tool::check(status);
  return statistics;
}

namespace {

/// Of positions as far as drafts came.
nlohmann::json countsOf(const size_t (&counts)[GLM_DRAFT_POSITIONS],
                        const glm_generation_statistics &statistics) {
  nlohmann::json list = nlohmann::json::array();
  for (size_t i = 0; i < GLM_DRAFT_POSITIONS && statistics.draft_tried[i] > 0; ++i)
    list.push_back(counts[i]);
  return list;
}

} // namespace

void report(const Arguments &arguments, const tool::Engine &engine,
            const glm_generation_statistics &statistics) {
  if (!arguments.stats)
    return;
  nlohmann::ordered_json json = {
      {"prompt_tokens", statistics.prompt_tokens},
      {"generated_tokens", statistics.generated_tokens},
      {"steps", statistics.steps},
      {"drafted", statistics.drafted},
      {"accepted", statistics.accepted},
      {"load_ms", engine.loadMilliseconds()},
      {"prefill_ms", statistics.prefill_ms},
      {"decode_ms", statistics.decode_ms},
      {"peak_bytes", engine.statistics().peak_bytes},
      {"level", engine.info().device},
      {"draft_tried", countsOf(statistics.draft_tried, statistics)},
      {"draft_accepted", countsOf(statistics.draft_accepted, statistics)}};
  if (arguments.statsFile.empty())
    std::fprintf(stderr, "%s\n", json.dump().c_str());
  else
    tool::writeText(arguments.statsFile, json.dump(1) + "\n");
}

namespace {

constexpr int64_t defaultMaxTokens = 256;

/// The end of what was generated: printed already, or a file.
void finish(const Arguments &arguments, const Generation &generation, bool cancelled) {
  if (arguments.outputTokens.empty()) {
    if (arguments.logProbabilities == 0)
      std::printf("\n");
    return;
  }
  if (cancelled)
    throw tool::Failure(tool::Code::Interrupted, arguments.outputTokens, "interrupted, not written",
                        "", 130);
  std::vector<int64_t> ids(generation.tokens().begin(), generation.tokens().end());
  tool::check(npy::write<int64_t>(arguments.outputTokens,
                                  std::vector<int64_t>{static_cast<int64_t>(ids.size())}, ids));
}

} // namespace

int generateOnce(const Arguments &arguments, const tool::Engine &engine) {
  std::vector<int32_t> prompt = promptOf(arguments, engine);
  if (arguments.render)
    return 0;
  if (prompt.empty())
    throw tool::Failure(tool::Code::BadArguments, "prompt", "is empty", "give at least one token");
  bool stream = arguments.outputTokens.empty();
  if (stream)
    engine.tokenizer(); // text needs one: better said before than after the work
  auto length = static_cast<int64_t>(prompt.size());
  int64_t bound = engine.info().max_context;
  int64_t maxTokens = arguments.maxTokens >= 0 ? arguments.maxTokens : defaultMaxTokens;
  engine.requireContext("prompt", length, arguments.context);
  int64_t context = arguments.context > 0
                        ? arguments.context
                        : std::min(bound, length + std::max<int64_t>(maxTokens, 1));
  Generation generation(arguments, engine, context, engine.rowsFor(length, arguments.chunk),
                        stream);
  glm_generation_statistics statistics = {};
  if (maxTokens > 0)
    statistics = generation.run(prompt, static_cast<size_t>(maxTokens), 0);
  finish(arguments, generation, statistics.finish == GLM_FINISH_CANCELLED);
  if (arguments.maxTokens >= 0 && statistics.finish == GLM_FINISH_LENGTH &&
      static_cast<int64_t>(statistics.generated_tokens) < maxTokens)
    std::fprintf(stderr,
                 "warning: the context of %lld positions is full after %zu of %lld tokens\n",
                 static_cast<long long>(context), statistics.generated_tokens,
                 static_cast<long long>(maxTokens));
  report(arguments, engine, statistics);
  return statistics.finish == GLM_FINISH_CANCELLED ? 130 : 0;
}

} // namespace glm::run
