/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Text in and out: tokenizer, chat format, sampling and the loop that generates. A library of its own, glm-text, beside the
 * runtime: it works on arrays of tokens and logits and does not know where they come from.
 *
 * Mental model. A *tokenizer* is opened from the tables that an artifact carries (glm_model_tokenizer) and uses them in place. A *chat* is
 * JSON that the checkpoint's own template turns into a prompt. A *sampler* picks tokens from logits. glm_generate puts
 * them together around one callback that runs rows through a model.
 *
 * Ownership. `*_open` and `*_create` give an object that `*_close` or `*_destroy` takes back; NULL is fine there. A tokenizer reads its
 * tables for as long as it lives: close it before the model they came from is destroyed. Inputs are copied before a call returns.
 *
 * Threads. A tokenizer is immutable and may be used by any number of threads. A sampler or a decoder state belongs to one thread at a time.
 *
 * Output buffers. A function that writes into a buffer of `capacity` elements stores in `*count` how many there are, also when they are more
 * than fit; then it writes nothing and still succeeds, so call it with capacity 0 to ask. Text is UTF-8 and not
 * zero-terminated.
 *
 * Errors. As in glm/runtime.h. Nothing aborts, throws or prints. Memory comes from malloc.
 */
#ifndef GLM_TEXT_H
#define GLM_TEXT_H

#include "glm/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct glm_tokenizer glm_tokenizer;
typedef struct glm_sampler glm_sampler;

/* --- tokenizer -------------------------------------------------------------------------------------------------------- */

enum glm_text_flags {
  GLM_TEXT_SPECIAL_AS_TEXT = 1, /* encode: special tokens in the text are not special */
  GLM_TEXT_ADDED_AS_TEXT = 2,   /* encode: no added token counts, "<think>" neither: for text from strangers */
  GLM_TEXT_WITHOUT_AFFIXES = 4, /* encode: leave out what the tokenizer puts around a text; rendered chats want this */
  GLM_TEXT_SKIP_SPECIAL = 8     /* decode: leave out special tokens */
};

/* Verifies `size` bytes of tables at a multiple of 8 bytes, and compiles their patterns. GLM_MALFORMED names what is wrong in them. */
GLM_API glm_status glm_tokenizer_open(const void *tables, size_t size, glm_tokenizer **tokenizer);
GLM_API void glm_tokenizer_close(glm_tokenizer *tokenizer);

/* Text of `size` bytes to ids, equal to Hugging Face tokenizers'. Bytes that are not UTF-8 are encoded byte by byte. `flags`: enum glm_text_flags. */
GLM_API glm_status glm_tokenizer_encode(const glm_tokenizer *tokenizer, const char *text, size_t size, uint32_t flags,
                                        int32_t *ids, size_t capacity, size_t *count);

/* Ids to text. What is not UTF-8 becomes U+FFFD, one for each maximal invalid part; ids that are no token stand for nothing. */
GLM_API glm_status glm_tokenizer_decode(const glm_tokenizer *tokenizer, const int32_t *ids, size_t count, uint32_t flags,
                                        char *text, size_t capacity, size_t *size);

/* The start of a character that waits for its other bytes. Begin with all zeros. */
typedef struct glm_text_state {
  uint8_t bytes[3];
  uint8_t count;
} glm_text_state;

/* One token to the text that is certain now; the pieces together are what glm_tokenizer_decode gives. Id -1 ends the text: an incomplete
 * character becomes U+FFFD. The piece is at most the token's bytes times three and nine more; the state
 * changes only if `text` is not NULL and the piece fits. */
GLM_API glm_status glm_tokenizer_decode_next(const glm_tokenizer *tokenizer, glm_text_state *state, int32_t id, uint32_t flags,
                                             char *text, size_t capacity, size_t *size);

/* --- chat ------------------------------------------------------------------------------------------------------------- */

/* Renders a conversation with the checkpoint's template. `request` is JSON: {"messages": [{"role", "content", …}, …], "tools": […]} and,
 * beside them, the options of the template, such as "add_generation_prompt" (false unless given), "enable_thinking", "clear_thinking" and
 * "reasoning_effort". Encode the result with GLM_TEXT_WITHOUT_AFFIXES. GLM_INVALID_ARGUMENT: the model has no template,
 * or there are no messages; GLM_MALFORMED: bad JSON, or what the template itself complains about. */
GLM_API glm_status glm_chat_render(const glm_tokenizer *tokenizer, const char *request, size_t request_size, char *text,
                                   size_t capacity, size_t *size);

/* --- sampling --------------------------------------------------------------------------------------------------------- */

/* Applied in this order. All zeros: the most likely token, always. */
typedef struct glm_sampling {
  double repetition_penalty; /* logits of tokens seen before: divided by it if positive, else multiplied; 0 or 1: off */
  double temperature;        /* logits are divided by it; 0: the highest logit, of equal ones the lowest id, without the rest below */
  int32_t top_k;             /* only so many of the most likely; 0: all */
  double top_p;              /* then the fewest most likely whose probabilities reach it, one at least; 0 or 1: all */
  double min_p;              /* then those at least this fraction as likely as the most likely one; 0: all */
  uint64_t seed;             /* the same seed and logits give the same tokens on every machine */
} glm_sampling;

typedef struct glm_token_probability {
  int32_t token;
  float log_probability; /* natural logarithm, of the logits as they came: before penalty, temperature and cuts */
} glm_token_probability;

/* GLM_INVALID_ARGUMENT names the setting that is out of range. */
GLM_API glm_status glm_sampler_create(const glm_sampling *sampling, glm_sampler **sampler);
GLM_API void glm_sampler_destroy(glm_sampler *sampler);

/* Picks a token from the logits of one row, f32 [vocabulary]. `seen`: tokens that came before this pick and were not yet told to this sampler
 * (the prompt at first, NULL and 0 afterwards; picks it knows itself); only the repetition penalty looks at them. `best`: NULL, or room for
 * 1 + `best_count` elements: the token picked, then the `best_count` most likely ones (token -1 beyond the vocabulary). GLM_BAD_INPUT: a logit
 * is not a number. */
GLM_API glm_status glm_sampler_pick(glm_sampler *sampler, const float *logits, size_t vocabulary, const int32_t *seen,
                                    size_t seen_count, int32_t *token, glm_token_probability *best, size_t best_count);

/* --- generation ------------------------------------------------------------------------------------------------------- */

/* What runs the model: one slot of a session, as a rule. `step` is needed, the others are for speculative decoding. A status
 * that is not GLM_OK ends the generation and is what glm_generate returns. */
typedef struct glm_generation_model {
  void *context; /* first argument of the callbacks */
  int32_t slot;  /* written into the rows */
  size_t max_rows;        /* most rows of one step */
  int64_t max_positions;  /* of the slot */
  size_t vocabulary;      /* elements of a row of logits */

  /* Runs rows at the end of the slot and makes `*logits` point to f32 [logit_count, vocabulary], valid until the next callback;
   * the arguments are glm_session_step's. */
  glm_status (*step)(void *context, const glm_row *rows, size_t count, const int32_t *logit_rows, size_t logit_count,
                     const float **logits);

  /* Called after a step, once for its rows that stay: `count` rows from `position` on, whose hidden states the step left behind;
   * next_tokens[i] is the token that follows row i. Keeps the draft layer's cache in step, and writes `wanted` tokens (possibly 0) that may follow the last of
   * next_tokens into `drafts`. With a fixed number of drafts it is called after every step. With an automatic one it may be left out after some while drafting does
   * not pay: the layer's rows at those positions are never made up for, which can make later drafts worse and changes no output. NULL: no drafts. */
  glm_status (*draft)(void *context, const int32_t *next_tokens, size_t count, int64_t position, size_t wanted, int32_t *drafts);

  /* Forgets the slot's rows from `length` on: drafts that were refused. Needed with `draft`. */
  glm_status (*truncate)(void *context, int64_t length);
} glm_generation_model;

enum glm_finish {
  GLM_FINISH_NONE = 0,
  GLM_FINISH_STOP_ID = 1,
  GLM_FINISH_STOP_TEXT = 2,
  GLM_FINISH_LENGTH = 3,   /* max_tokens, or the slot is full */
  GLM_FINISH_CANCELLED = 4 /* by `cancel` or by on_token */
};

/* One generated token; at the end once more with token -1, the text that was kept back, and the reason. */
typedef struct glm_generation_event {
  int32_t token; /* stop ids are told too, without text */
  int32_t finish; /* enum glm_finish */
  const char *text; /* text that is certain now, may be empty; never a part of a stop text. Lives during the callback */
  size_t text_size;
  float log_probability; /* of the token; 0 unless log_probabilities is set */
  const glm_token_probability *best; /* the most likely tokens, best_count of them */
  size_t best_count;
} glm_generation_event;

typedef struct glm_generation_options {
  glm_sampling sampling;
  size_t max_tokens; /* 0: until something else ends it */
  const int32_t *stop_ids;
  size_t stop_id_count;
  const char *const *stop_texts; /* zero-terminated; may begin and end inside tokens */
  size_t stop_text_count;
  int32_t ignore_stop;       /* 1: stop ids and texts do not end it */
  int32_t log_probabilities; /* n: report the picked token's and n - 1 most likely ones; 0: none */
  int32_t show_special;      /* 1: special tokens appear in the text */
  size_t drafts;             /* tokens to draft and verify at once; 0: none. With drafts_automatic the most of them; 0: 5 */
  size_t chunk_rows;         /* rows of a step over the prompt; 0: max_rows */
  int64_t position;          /* rows the slot holds already */
  const volatile int32_t *cancel; /* NULL, or becomes non-zero when it should end: looked at before every step */

  void *user; /* first argument of on_token */
  int32_t (*on_token)(void *user, const glm_generation_event *event); /* NULL, or a result other than 0 ends it */

  /* 1: before every step as many drafts as are expected to give most tokens for the time, none among the choices: from how often drafts
   * were right and how long steps and drafts took in this generation. Nothing without the draft callback. */
  int32_t drafts_automatic;
} glm_generation_options;

enum { GLM_DRAFT_POSITIONS = 8 };

typedef struct glm_generation_statistics {
  size_t prompt_tokens;
  size_t generated_tokens; /* the stop id among them */
  size_t steps;            /* after the prompt's */
  size_t drafted;
  size_t accepted; /* drafts that were what the model then said */
  double prefill_ms; /* to the logits after the prompt */
  double decode_ms;  /* the rest */
  int32_t finish;    /* enum glm_finish */

  /* Of the n-th draft of a step, n from 1 at index 0: how often the model came to it, those before it being right, and how
   * often it was right too. What is beyond the last position counts only above. */
  size_t draft_tried[GLM_DRAFT_POSITIONS];
  size_t draft_accepted[GLM_DRAFT_POSITIONS];
} glm_generation_statistics;

/* Generates after `prompt_count` tokens, at least one. Drafts never change what comes out: every token is picked from the model's own logits,
 * with the sampler's next random number. `tokenizer` may be NULL: then there is no text, and stop_texts must be empty.
 * When it returns GLM_OK the slot holds position + prompt_tokens + generated_tokens - 1 rows: the last token has not been run
 * (fewer if it was cancelled before the first token). */
GLM_API glm_status glm_generate(const glm_generation_model *model, const glm_tokenizer *tokenizer, const int32_t *prompt,
                                size_t prompt_count, const glm_generation_options *options,
                                glm_generation_statistics *statistics);

#ifdef __cplusplus
}
#endif
#endif
