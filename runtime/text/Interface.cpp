// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// glm/text.h on top of the classes: exceptions become statuses here and nowhere else.
#include "glm/text.h"

#include "runtime/text/Chat.h"
#include "runtime/text/Error.h"
#include "runtime/text/Generate.h"
#include "runtime/text/Sampler.h"
#include "runtime/text/Tokenizer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

using namespace glm::text;

struct glm_tokenizer {
  Tokenizer tokenizer;
};

struct glm_sampler {
  Sampler sampler;
};

namespace {

glm_status failure(int32_t code, std::string_view message) {
  glm_status status{code, {}};
  size_t size = std::min(message.size(), sizeof status.message - 1);
  std::memcpy(status.message, message.data(), size);
  std::replace(status.message, status.message + size, '\n', ' ');
  return status;
}

int32_t codeOf(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::Argument:
    return GLM_INVALID_ARGUMENT;
  case ErrorKind::Format:
    return GLM_MALFORMED;
  case ErrorKind::Unsupported:
    return GLM_UNSUPPORTED;
  case ErrorKind::Model:
    return GLM_BAD_INPUT;
  }
  return GLM_INVALID_ARGUMENT;
}

template <typename Body> glm_status guarded(Body body) noexcept {
  try {
    body();
    return {};
  } catch (const StepFailure &step) {
    return step.status;
  } catch (const Error &error) {
    return failure(codeOf(error.kind), error.what());
  } catch (const std::bad_alloc &) {
    return failure(GLM_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return failure(GLM_INVALID_ARGUMENT, error.what());
  }
}

void requirePointers(bool present) {
  if (!present)
    throw Error(ErrorKind::Argument, "a pointer is NULL that must not be");
}

/// The rule for output buffers.
template <typename T, typename Values>
void deliver(const Values &values, T *out, size_t capacity, size_t *count) {
  requirePointers(count && (out || !capacity));
  *count = values.size();
  if (values.size() <= capacity)
    std::copy(values.begin(), values.end(), out);
}

EncodeOptions encodeOptions(uint32_t flags) {
  AddedIn added = flags & GLM_TEXT_ADDED_AS_TEXT     ? AddedIn::None
                  : flags & GLM_TEXT_SPECIAL_AS_TEXT ? AddedIn::NotSpecial
                                                     : AddedIn::All;
  return {added, !(flags & GLM_TEXT_WITHOUT_AFFIXES)};
}

std::string_view viewOf(const char *text, size_t size) {
  requirePointers(text || !size);
  return {text, size};
}

} // namespace

glm_status glm_tokenizer_open(const void *tables, size_t size, glm_tokenizer **tokenizer) {
  return guarded([&] {
    requirePointers(tables && tokenizer);
    *tokenizer = new glm_tokenizer{Tokenizer({static_cast<const std::byte *>(tables), size})};
  });
}

void glm_tokenizer_close(glm_tokenizer *tokenizer) { delete tokenizer; }

glm_status glm_tokenizer_encode(const glm_tokenizer *tokenizer, const char *text, size_t size,
                                uint32_t flags, int32_t *ids, size_t capacity, size_t *count) {
  return guarded([&] {
    requirePointers(tokenizer);
    deliver(tokenizer->tokenizer.encode(viewOf(text, size), encodeOptions(flags)), ids, capacity,
            count);
  });
}

glm_status glm_tokenizer_decode(const glm_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                uint32_t flags, char *text, size_t capacity, size_t *size) {
  return guarded([&] {
    requirePointers(tokenizer && (ids || !count));
    deliver(tokenizer->tokenizer.decode({ids, count}, flags & GLM_TEXT_SKIP_SPECIAL), text,
            capacity, size);
  });
}

glm_status glm_tokenizer_decode_next(const glm_tokenizer *tokenizer, glm_text_state *state,
                                     int32_t id, uint32_t flags, char *text, size_t capacity,
                                     size_t *size) {
  return guarded([&] {
    requirePointers(tokenizer && state);
    Utf8Stream utf8;
    std::string piece, kept(state->bytes, state->bytes + std::min<size_t>(state->count, 3));
    utf8.push(kept, piece);
    utf8.push(tokenizer->tokenizer.bytesOf(id, flags & GLM_TEXT_SKIP_SPECIAL), piece);
    if (id == -1)
      utf8.finish(piece);
    deliver(piece, text, capacity, size);
    if (!text || piece.size() > capacity)
      return;
    std::string_view pending = utf8.incomplete();
    state->count = uint8_t(pending.size());
    std::copy(pending.begin(), pending.end(), state->bytes);
  });
}

glm_status glm_chat_render(const glm_tokenizer *tokenizer, const char *request, size_t request_size,
                           char *text, size_t capacity, size_t *size) {
  return guarded([&] {
    requirePointers(tokenizer);
    deliver(renderChat(tokenizer->tokenizer.tables(), viewOf(request, request_size)), text,
            capacity, size);
  });
}

glm_status glm_sampler_create(const glm_sampling *sampling, glm_sampler **sampler) {
  return guarded([&] {
    requirePointers(sampling && sampler);
    *sampler = new glm_sampler{Sampler(*sampling)};
  });
}

void glm_sampler_destroy(glm_sampler *sampler) { delete sampler; }

glm_status glm_sampler_pick(glm_sampler *sampler, const float *logits, size_t vocabulary,
                            const int32_t *seen, size_t seen_count, int32_t *token,
                            glm_token_probability *best, size_t best_count) {
  return guarded([&] {
    requirePointers(sampler && logits && token && (seen || !seen_count));
    sampler->sampler.observe({seen, seen_count});
    *token = sampler->sampler.pick({logits, vocabulary});
    if (!best)
      return;
    auto values = logProbabilities({logits, vocabulary}, *token, best_count);
    values.resize(1 + best_count, {-1, -std::numeric_limits<float>::infinity()});
    std::copy(values.begin(), values.end(), best);
  });
}

glm_status glm_generate(const glm_generation_model *model, const glm_tokenizer *tokenizer,
                        const int32_t *prompt, size_t prompt_count,
                        const glm_generation_options *options,
                        glm_generation_statistics *statistics) {
  return guarded([&] {
    requirePointers(model && options && (prompt || !prompt_count));
    glm_generation_statistics unused;
    generate(*model, tokenizer ? &tokenizer->tokenizer : nullptr, {prompt, prompt_count}, *options,
             statistics ? *statistics : unused);
  });
}
