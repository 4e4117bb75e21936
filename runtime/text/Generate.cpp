// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Generate.h"
#include "runtime/text/DraftPolicy.h"
#include "runtime/text/Error.h"
#include "runtime/text/Sampler.h"
#include "runtime/text/StopText.h"
#include "runtime/text/Tokenizer.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

using namespace glm::text;

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t defaultMostDrafts = 5; // beyond, the trained layers are rarely right

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Generation final {
public:
  Generation(const glm_generation_model &model, const Tokenizer *tokenizer,
             const glm_generation_options &options, glm_generation_statistics &statistics)
      : model(model), options(options), statistics(statistics), sampler(options.sampling),
        stopText(stopTexts(options)), position(options.position) {
    if (tokenizer)
      stream.emplace(*tokenizer, /*skipSpecial=*/!options.show_special);
    else if (options.stop_text_count)
      throw Error(ErrorKind::Argument, "stop texts need a tokenizer");
    mostDrafts = mostDraftsOf(model, options);
    following = mostDrafts > 0;
    if (following && !model.truncate)
      throw Error(ErrorKind::Argument, "drafts need a truncate callback");
    if (following && options.drafts_automatic)
      policy.emplace(mostDrafts);
  }

  void run(std::span<const int32_t> prompt) {
    Clock::time_point start = Clock::now();
    statistics.prompt_tokens = prompt.size();
    sampler.observe(prompt);
    const float *logits = prefill(prompt);
    statistics.prefill_ms = millisecondsSince(start);
    start = Clock::now();
    if (logits)
      decode(logits);
    flush();
    statistics.decode_ms = millisecondsSince(start);
    statistics.finish = finish;
  }

private:
  static std::vector<std::string> stopTexts(const glm_generation_options &options) {
    if (options.ignore_stop)
      return {};
    return {options.stop_texts, options.stop_texts + options.stop_text_count};
  }

  static size_t mostDraftsOf(const glm_generation_model &model,
                             const glm_generation_options &options) {
    if (!model.draft)
      return 0;
    bool open = options.drafts_automatic && options.drafts == 0;
    return std::min(open ? defaultMostDrafts : options.drafts, model.max_rows - 1);
  }

  static void check(const glm_status &status) {
    if (status.code != GLM_OK)
      throw StepFailure{status};
  }

  bool cancelled() {
    if (!finish && options.cancel && *options.cancel)
      finish = GLM_FINISH_CANCELLED;
    return finish != GLM_FINISH_NONE;
  }

  //===-- the model -------------------------------------------------------------------------===//

  /// Runs `tokens` at the end of the slot; logits of the last `logitCount` of them.
  const float *step(std::span<const int32_t> tokens, size_t logitCount) {
    rows.clear();
    for (int32_t token : tokens)
      rows.push_back({token, model.slot, int32_t(position + int64_t(rows.size())), 0});
    logitRows.resize(logitCount);
    std::iota(logitRows.begin(), logitRows.end(), int32_t(tokens.size() - logitCount));
    const float *logits = nullptr;
    check(
        model.step(model.context, rows.data(), rows.size(), logitRows.data(), logitCount, &logits));
    return logits;
  }

  /// Tells the draft layer what followed the rows from `position` on; they are then a part of the
  /// sequence. Lets it draft `wanted` tokens.
  void advance(std::span<const int32_t> nextTokens, size_t wanted) {
    drafts.resize(wanted);
    if (following || wanted > 0)
      check(model.draft(model.context, nextTokens.data(), nextTokens.size(), position, wanted,
                        drafts.data()));
    position += int64_t(nextTokens.size());
  }

  /// All of the prompt but its last chunk's follow-up, which the first generated token is. Null if
  /// cancelled.
  const float *prefill(std::span<const int32_t> prompt) {
    if (int64_t(prompt.size()) > model.max_positions - position)
      throw Error(ErrorKind::Argument, "the prompt's " + std::to_string(prompt.size()) +
                                           " tokens after position " + std::to_string(position) +
                                           " exceed the context of " +
                                           std::to_string(model.max_positions) +
                                           "; use a shorter one or a larger context");
    size_t chunk =
        options.chunk_rows ? std::min(options.chunk_rows, model.max_rows) : model.max_rows;
    for (size_t begin = 0; !cancelled(); begin += chunk) {
      std::span<const int32_t> part = prompt.subspan(begin, std::min(chunk, prompt.size() - begin));
      bool last = begin + part.size() == prompt.size();
      const float *logits = step(part, last);
      if (last) {
        unannounced.assign(part.begin() + 1, part.end());
        return logits;
      }
      advance(prompt.subspan(begin + 1, part.size()), 0);
    }
    return nullptr;
  }

  //===-- the loop --------------------------------------------------------------------------===//

  // `unannounced` are the tokens that followed the latest step's rows so far: of the prompt's last
  // chunk, or of a step that verifies drafts. The token picked last completes them.
  void decode(const float *logits) {
    int32_t token = take(logits);
    unannounced.push_back(token);
    while (!cancelled()) {
      DraftRound round = propose();
      if (position >= model.max_positions) {
        finish = GLM_FINISH_LENGTH;
        return; // announced already
      }
      Clock::time_point start = Clock::now();
      batch.assign(1, token);
      batch.insert(batch.end(), drafts.begin(), drafts.end());
      logits = step(batch, batch.size());
      round.stepTime = millisecondsSince(start);
      round.accepted = verify(logits);
      if (policy)
        policy->record(round);
      token = unannounced.back();
    }
    advance(unannounced, 0); // completes the draft layer, for whoever goes on from here
  }

  /// Announces the tokens that came last and drafts what may follow.
  DraftRound propose() {
    size_t wanted = mostDrafts;
    if (policy) {
      DraftPolicy::Plan plan = policy->next();
      wanted = plan.drafts;
      following = plan.follow;
    }
    bool ofOneRound = unannounced.size() <= mostDrafts + 1; // not the prompt's
    Clock::time_point start = Clock::now();
    advance(unannounced, std::min(wanted, roomForDrafts()));
    DraftRound round;
    round.drafted = drafts.size();
    if (ofOneRound && (following || !drafts.empty()))
      round.draftTime = millisecondsSince(start);
    return round;
  }

  /// Every logit row gives a token as if it were the only one; a draft was right when it is that
  /// token, and the first that was wrong makes the rows behind it void. How many were right.
  size_t verify(const float *logits) {
    size_t right = 0;
    unannounced.clear();
    for (;; ++right) {
      unannounced.push_back(take(logits + right * model.vocabulary));
      if (right == drafts.size() || !isRight(right))
        break;
      if (finish) {
        ++right;
        break;
      }
    }
    statistics.steps += 1;
    statistics.drafted += drafts.size();
    statistics.accepted += right;
    if (unannounced.size() < batch.size())
      check(model.truncate(model.context, position + int64_t(unannounced.size())));
    return right;
  }

  /// Whether a draft is the token picked last; counts it.
  bool isRight(size_t index) {
    bool right = drafts[index] == unannounced.back();
    if (index < GLM_DRAFT_POSITIONS) {
      statistics.draft_tried[index] += 1;
      statistics.draft_accepted[index] += right;
    }
    return right;
  }

  /// No more than the slot and max_tokens have room for; the token picked last takes one row.
  size_t roomForDrafts() const {
    int64_t room = model.max_positions - (position + int64_t(unannounced.size())) - 1;
    size_t wanted = size_t(std::max<int64_t>(room, 0));
    if (options.max_tokens)
      wanted = std::min(wanted, options.max_tokens - statistics.generated_tokens - 1);
    return wanted;
  }

  /// Picks, reports, and decides whether this was the last one.
  int32_t take(const float *row) {
    std::span<const float> logits(row, model.vocabulary);
    int32_t token = sampler.pick(logits);
    best.clear();
    if (options.log_probabilities > 0)
      best = logProbabilities(logits, token, size_t(options.log_probabilities) - 1);
    statistics.generated_tokens += 1;
    std::string text;
    if (isStopId(token))
      finish = GLM_FINISH_STOP_ID;
    else if (stream)
      text = stopText.push(stream->push(token));
    if (stopText.stopped())
      finish = GLM_FINISH_STOP_TEXT;
    else if (!finish && options.max_tokens && statistics.generated_tokens >= options.max_tokens)
      finish = GLM_FINISH_LENGTH;
    report(token, text);
    return token;
  }

  bool isStopId(int32_t token) const {
    const int32_t *end = options.stop_ids + options.stop_id_count;
    return !options.ignore_stop && std::find(options.stop_ids, end, token) != end;
  }

  void report(int32_t token, std::string_view text) {
    if (!options.on_token)
      return;
    glm_generation_event event{};
    event.token = token;
    event.finish = token < 0 ? finish : int32_t(GLM_FINISH_NONE);
    event.text = text.data();
    event.text_size = text.size();
    if (!best.empty()) {
      event.log_probability = best[0].log_probability;
      event.best = best.data() + 1;
      event.best_count = best.size() - 1;
    }
    if (options.on_token(options.user, &event) && !finish)
      finish = GLM_FINISH_CANCELLED;
  }

  /// What was kept back was no stop text after all.
  void flush() {
    std::string text;
    if (stream && !stopText.stopped()) {
      text = stopText.push(stream->finish());
      text += stopText.finish();
    }
    best.clear();
    report(-1, text);
  }

  const glm_generation_model &model;
  const glm_generation_options &options;
  glm_generation_statistics &statistics;
  Sampler sampler;
  StopText stopText;
  std::optional<TokenStream> stream;
  std::optional<DraftPolicy> policy; // when the number of drafts is automatic
  size_t mostDrafts;
  bool following;   // the draft layer hears of every row
  int64_t position; // rows of the slot that are announced
  int32_t finish = GLM_FINISH_NONE;
  std::vector<glm_row> rows;
  std::vector<int32_t> logitRows, drafts, batch, unannounced;
  std::vector<glm_token_probability> best;
};

} // namespace

void glm::text::generate(const glm_generation_model &model, const Tokenizer *tokenizer,
                         std::span<const int32_t> prompt, const glm_generation_options &options,
                         glm_generation_statistics &statistics) {
  statistics = {};
  if (!model.step || model.max_rows == 0 || model.vocabulary == 0)
    throw Error(ErrorKind::Argument, "a model needs a step callback, rows and a vocabulary");
  if (prompt.empty())
    throw Error(ErrorKind::Argument, "the prompt is empty; generation needs one token at least");
  Generation(model, tokenizer, options, statistics).run(prompt);
}
