/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The runtime: executes a compiled GLM artifact (`model.glm`).
 *
 * Mental model. A *runtime* owns the threads. A *model* is an artifact, mapped into memory: weights
 * and code, read-only and shared. A *session* is everything that changes: one block of memory with
 * the caches of its *slots* (a slot is one sequence) and the buffers of a step. A *step* takes a
 * batch of rows, each a token at the next position of some slot, and gives logits for the rows
 * asked for: prefill, decode, verification of drafts and several sequences are the same call.
 *
 * Ownership. `*_create` and `*_load` give an object that `*_destroy` takes back; destroying NULL
 * does nothing. A runtime outlives its models, a model its sessions. Pointers inside filled structs
 * belong to the object they came from and live as long as it does, unless a function says less.
 * Inputs are copied before a call returns.
 *
 * Threads. Calls on different sessions may come from different threads; steps of one runtime run
 * one after the other. One session is used by one thread at a time; only glm_session_cancel may
 * come from anywhere, a signal handler included.
 *
 * Memory. Sizes are known before a session is created. A session allocates once; a step allocates
 * nothing and makes no system call but the futex of a parked thread.
 *
 * Errors. Every call that can fail returns a glm_status: code 0, or one of enum glm_code with one
 * line that names the thing, the rule, the numbers and the remedy. Tools print it as
 * `error[GLM<code>]: <message>`. A failed call changes nothing and gives no object. Nothing aborts,
 * throws or prints.
 *
 * Structs of options: zero means default, in every field; `{0}` and, where allowed, NULL are all
 * defaults.
 */
#ifndef GLM_RUNTIME_H
#define GLM_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GLM_API __attribute__((visibility("default")))
#else
#define GLM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct glm_runtime glm_runtime;
typedef struct glm_model glm_model;
typedef struct glm_session glm_session;

/* --- errors ------------------------------------------------------------------------------- */

enum glm_code {
  GLM_OK = 0,
  GLM_INVALID_ARGUMENT = 7001, /* a call that breaks the rules of this header */
  GLM_OUT_OF_MEMORY = 7002,
  GLM_SYSTEM = 7003,       /* the operating system refused: message has its reason */
  GLM_NOT_ARTIFACT = 7010, /* not a .glm file */
  GLM_TRUNCATED = 7011,    /* the file is shorter or longer than it says */
  GLM_VERSION_UNKNOWN = 7012,
  GLM_FEATURE_UNKNOWN = 7013,
  GLM_CORRUPT = 7014,   /* a hash does not match */
  GLM_MALFORMED = 7015, /* breaks a rule of SCHEMA.md */
  GLM_WRONG_PROCESSOR = 7016,
  GLM_CODE_REFUSED = 7017, /* the native code is not of the form the loader takes */
  GLM_UNSUPPORTED = 7018,  /* a device or a command this runtime does not execute */
  GLM_NOT_FOUND = 7020,    /* no entry, port, blob or tokenizer of that name */
  GLM_TOO_MANY_ROWS = 7030,
  GLM_BAD_SLOT = 7031, /* not there, or not empty where it must be */
  GLM_BAD_POSITION = 7032,
  GLM_BAD_TOKEN = 7033,
  GLM_BAD_LOGIT_ROW = 7034,
  GLM_CACHE_FULL = 7035, /* no free page; release or truncate slots */
  GLM_BAD_INPUT = 7036,  /* an input of wrong name, type or shape */
  GLM_CANCELLED = 7040,
  GLM_NOT_SNAPSHOT = 7050,  /* not a file of glm_session_save */
  GLM_OTHER_ARTIFACT = 7051 /* a snapshot of another artifact, or of caches laid out otherwise */
};

typedef struct glm_status {
  int32_t code;
  char message[508]; /* zero-terminated; empty when code is 0 */
} glm_status;

/* --- runtime ------------------------------------------------------------------------------ */

enum glm_log_level { GLM_LOG_NOTE = 0, GLM_LOG_WARNING = 1 };

typedef struct glm_runtime_options {
  int32_t threads; /* workers, the calling one among them; 0: affinity mask and cgroup quota */
  /* The longest that a waiting worker spins before it parks; 0: 50 (2 with more workers than
   * cores), -1: none. */
  int32_t spin_microseconds;
  /* 1: worker n stays on the n-th core of the affinity mask; the calling thread is never pinned. */
  int32_t pin_threads;
  int32_t debug_code; /* 1: load kernels with dlopen, so that gdb and perf see their symbols */

  /* Memory for everything but mapped files and thread stacks. NULL: the runtime maps it itself, on
   * huge pages. `allocate` returns `size` bytes at a multiple of `alignment` (a power of two up to
   * 2 MiB), or NULL; both are called only inside create, load and destroy calls. */
  void *(*allocate)(void *user, size_t size, size_t alignment);
  void (*release)(void *user, void *memory, size_t size);

  /* One line, no line end. Called on the thread that made the API call. */
  void (*log)(void *user, int32_t level, const char *message);

  /* `what` is "verify", "weights" (both in bytes; verify after each segment) or "step" (in
   * commands). A result other than 0 cancels the call. */
  int32_t (*progress)(void *user, const char *what, uint64_t done, uint64_t total);

  void *user; /* first argument of the callbacks */
} glm_runtime_options;

typedef struct glm_runtime_statistics {
  int32_t threads;
  uint64_t allocated_bytes; /* now */
  uint64_t peak_bytes;      /* most at any time; copied weights count, mapped files do not */
  uint64_t mapped_bytes;    /* of artifacts, resident or not */
  uint64_t parks;           /* times a worker went to sleep */
} glm_runtime_statistics;

/* "0.1.0". */
GLM_API const char *glm_version(void);

/* Starts the threads. `options` may be NULL. */
GLM_API glm_status glm_runtime_create(const glm_runtime_options *options, glm_runtime **runtime);
GLM_API void glm_runtime_destroy(glm_runtime *runtime);
GLM_API glm_status glm_runtime_describe(const glm_runtime *runtime,
                                        glm_runtime_statistics *statistics);

/* --- model -------------------------------------------------------------------------------- */

enum glm_weights_memory {
  GLM_WEIGHTS_MAP = 0, /* read from the mapped file */
  GLM_WEIGHTS_COPY = 1 /* read into memory on huge pages: slower to load, no disk afterwards */
};

typedef struct glm_model_options {
  int32_t weights_memory; /* enum glm_weights_memory */
  int32_t verify_weights; /* 1: check the hashes of all weights (reads them all) */
  /* An artifact may hold code for several processors. NULL: the best that this one can run; else
   * the one of that name, or GLM_NOT_FOUND, or GLM_WRONG_PROCESSOR. */
  const char *level;
} glm_model_options;

/* The elements' type; numbers as in the artifact. */
enum glm_dtype {
  GLM_F32 = 0,
  GLM_BF16 = 1,
  GLM_F16 = 2,
  GLM_I64 = 3,
  GLM_I32 = 4,
  GLM_I16 = 5,
  GLM_I8 = 6,
  GLM_U8 = 7,
  GLM_F8E4M3 = 8,
  GLM_I4 = 9,
  GLM_BOOL = 10,
  GLM_F64 = 11
};

typedef struct glm_generation_defaults {
  const int32_t *eos; /* token ids that end a text */
  size_t eos_count;
  int32_t pad; /* -1: none */
  int32_t bos; /* -1: none */
  int32_t do_sample;
  double temperature;
  double top_p;
  int32_t top_k; /* 0: off */
  double min_p;
  double repetition_penalty;
} glm_generation_defaults;

typedef struct glm_model_info {
  const char *path;
  const char *family; /* "glm_moe_dsa", … */
  const char *name;   /* may be "" */
  uint64_t parameters;
  int64_t vocabulary;
  int64_t hidden;
  int64_t layers;
  int64_t context;    /* positions the model was made for */
  int64_t index_topk; /* keys a query attends to; 0: dense attention */
  glm_generation_defaults generation;

  int64_t max_rows; /* bounds of a session's sizes, compiled into the artifact */
  int64_t max_slots;
  int64_t max_context;
  int64_t page_rows; /* rows of a cache page */
  /* Steps over one sequence that end within so many keys may expand them (SCHEMA.md, `keys`): what
   * a session takes when it does not choose, and the most it can choose; 0, 0: keys are always
   * gathered. */
  int64_t expanded_keys;
  int64_t max_expanded_keys;

  const char *compiler; /* provenance; "" where not recorded */
  const char *commit;
  const char *precision;
  const char *recipe;
  const char *device; /* the processor that the code was compiled for, of the chosen level */

  size_t entries; /* counts, for the enumerating calls */
  size_t blobs;
  size_t tokenizers;

  uint64_t file_bytes;
  uint64_t weight_bytes;
  /* Of the weights' memory, how much the kernel put on huge pages by now (/proc/self/smaps). */
  uint64_t huge_bytes;
} glm_model_info;

typedef struct glm_entry_info {
  const char *name;
  size_t inputs;
  size_t outputs;
} glm_entry_info;

enum { GLM_MAX_RANK = 8 };

/* An array. Row-major without gaps. In a port, a dimension that changes from step to step is -1. */
typedef struct glm_tensor {
  const char *name;
  int32_t dtype; /* enum glm_dtype */
  int32_t rank;
  int64_t shape[GLM_MAX_RANK];
  const void *data; /* NULL in a port */
} glm_tensor;

typedef struct glm_bytes {
  const char *name;
  const void *data;
  size_t size;
} glm_bytes;

/* Maps an artifact, checks its structure and the hashes of program, code and tokenizers, and makes
 * its code executable. Native code is trusted like a shared library. `options` may be NULL. */
GLM_API glm_status glm_model_load(glm_runtime *runtime, const char *path,
                                  const glm_model_options *options, glm_model **model);
GLM_API void glm_model_destroy(glm_model *model);
GLM_API glm_status glm_model_describe(const glm_model *model, glm_model_info *info);

/* A value of the artifact's free list of attributes; NULL if there is none of that name. */
GLM_API const char *glm_model_attribute(const glm_model *model, const char *key);

/* Entries and their ports by number, from 0. Inputs first, then outputs: port index runs to inputs
 * + outputs. */
GLM_API glm_status glm_model_entry(const glm_model *model, size_t index, glm_entry_info *info);
GLM_API glm_status glm_model_port(const glm_model *model, size_t entry, size_t index,
                                  glm_tensor *port);

/* Bytes of a tokenizer or a blob (scheduler, processor, …). By name, or with name NULL by number
 * from 0. */
GLM_API glm_status glm_model_tokenizer(const glm_model *model, const char *name, size_t index,
                                       glm_bytes *bytes);
GLM_API glm_status glm_model_blob(const glm_model *model, const char *name, size_t index,
                                  glm_bytes *bytes);

/* --- session ------------------------------------------------------------------------------ */

typedef struct glm_dim {
  const char *name;
  int64_t value;
} glm_dim;

typedef struct glm_session_options {
  int64_t max_rows; /* most rows of one step; 0: the artifact's bound */
  int64_t slots;    /* sequences; 0: 1 */
  int64_t context;  /* most positions of one slot; 0: the artifact's bound */
  int64_t pages;    /* cache pages that all slots share; 0: enough for every slot to be full */
  /* Other sizes of the artifact, by name; a 0 given here is meant. "max_logit_rows": most rows of a
   * step that give logits, which take much room; 64 unless given. */
  const glm_dim *dims;
  size_t dim_count;
  int32_t profile; /* 1: time every launch */
} glm_session_options;

/* Bytes of a session, except `weights`, which belong to the model. */
typedef struct glm_memory_sizes {
  uint64_t arena;   /* buffers of the entries, and what lives from one entry to another */
  uint64_t scratch; /* of all workers */
  uint64_t caches;
  uint64_t tables; /* page tables, arguments, the session itself */
  uint64_t total;  /* what the session allocates, in one block */
  uint64_t weights;
  uint64_t bytes_per_position; /* of the caches, for one position of one slot */
} glm_memory_sizes;

/* What glm_session_create would allocate with these options. */
GLM_API glm_status glm_session_measure(const glm_model *model, const glm_session_options *options,
                                       glm_memory_sizes *sizes);

/* `options` may be NULL. All slots are empty. */
GLM_API glm_status glm_session_create(glm_model *model, const glm_session_options *options,
                                      glm_session **session);
GLM_API void glm_session_destroy(glm_session *session);

/* One row of a batch. */
#ifndef GLM_ROW_DEFINED
#define GLM_ROW_DEFINED
typedef struct glm_row {
  int32_t token;
  int32_t slot;
  int32_t position;
  int32_t flags; /* 0 */
} glm_row;
#endif

/* Runs the entry `step` for `count` rows, in [1, max_rows]: writes them into the caches, which
 * makes their slots longer, and computes the outputs. Rows of one slot stand in ascending order and
 * each one's position is the slot's length (counted on within the batch). `logit_rows`: indices
 * into `rows` whose logits are wanted, `logit_count` of them, possibly 0; output "logits" has a row
 * for each, in that order. */
GLM_API glm_status glm_session_step(glm_session *session, const glm_row *rows, size_t count,
                                    const int32_t *logit_rows, size_t logit_count);

/* Runs any entry: every input of the entry is given once, by name, as a dense array. Inputs set the
 * step's sizes. An input "rows" (int32 [n, 4]) is checked as a batch, except that positions may be
 * any below the context and no slot gets longer: what is written beyond a slot's length counts for
 * nothing until steps arrive there. `step` itself can be run this way too and then behaves like
 * glm_session_step. */
GLM_API glm_status glm_session_run(glm_session *session, const char *entry,
                                   const glm_tensor *inputs, size_t count);

/* An output of the latest step or run, by name. Its data lives until the next step or run of this
 * session. */
GLM_API glm_status glm_session_output(const glm_session *session, const char *name,
                                      glm_tensor *output);

/* Rows that a slot holds; -1 for a slot that does not exist. */
GLM_API int64_t glm_session_length(const glm_session *session, int32_t slot);

/* Forgets the rows of a slot from `length` on and frees the pages behind. `length` is at most the
 * slot's. */
GLM_API glm_status glm_session_truncate(glm_session *session, int32_t slot, int64_t length);

/* Empties a slot. */
GLM_API glm_status glm_session_release(glm_session *session, int32_t slot);

/* Makes the empty slot `to` a continuation of the first `length` rows of `from`: from then on they
 * are two sequences. Whole pages are shared until one of the two writes into them, which costs a
 * page then; rows of an unfinished page are copied. GLM_CACHE_FULL when there is no page for them.
 */
GLM_API glm_status glm_session_branch(glm_session *session, int32_t from, int32_t to,
                                      int64_t length);

/* Writes the rows of a slot to a file, whole or not at all: beside `path` first, then renamed. The
 * text itself is not in it. Readable for the owner only. */
GLM_API glm_status glm_session_save(const glm_session *session, int32_t slot, const char *path);

/* Fills an empty slot from such a file. It must have been saved with the same artifact, by a
 * session of any sizes; the hash of the whole file is checked. */
GLM_API glm_status glm_session_restore(glm_session *session, int32_t slot, const char *path);

/* For measurements: makes a slot `length` rows long and fills the new rows of every cache with
 * pseudo-random numbers of magnitude 0.5 to 1. */
GLM_API glm_status glm_session_fill(glm_session *session, int32_t slot, int64_t length,
                                    uint64_t seed);

/* Makes the step that runs now, if any, end with GLM_CANCELLED and without an effect on any slot.
 */
GLM_API void glm_session_cancel(glm_session *session);

/* Times of one launch, summed over the steps since the session began or glm_session_reset_profile.
 * The last element of a profile is the time in barriers: kernel "barrier", label "". */
typedef struct glm_launch_times {
  const char *entry;
  const char *kernel;
  const char *label; /* where in the model */
  uint64_t calls;
  const uint64_t *nanoseconds; /* one number for each worker */
} glm_launch_times;

/* `count` launches in program order; 0 when the session was created without `profile`. */
GLM_API glm_status glm_session_profile(const glm_session *session,
                                       const glm_launch_times **launches, size_t *count);
GLM_API void glm_session_reset_profile(glm_session *session);

#ifdef __cplusplus
}
#endif
#endif
