/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * How the runtime calls a compiled CPU kernel. The compiler writes calls to exactly this, the runtime makes them.
 *
 * A launch runs the same kernel on every worker of the pool (SPMD): each worker computes from (worker, workers) which
 * units of the grid are its own. Kernels call nothing, allocate nothing and touch only what their arguments name.
 *
 * `args` is a flat array of 64-bit words, in the order of the kernel's arguments:
 *   buffer   its address, then one word for each dynamic dimension (int64, elements)
 *   weight   its address
 *   bank     address of a table of `experts` addresses
 *   cache    address of a glm_cache_view
 *   scalar   the value, sign-extended to int64
 * Buffers are row-major without gaps. Addresses of buffers, weights and pages are multiples of 64.
 */
#ifndef GLM_SCHEMA_KERNEL_ABI_H
#define GLM_SCHEMA_KERNEL_ABI_H

#include <stdint.h>

/* One paged cache of a session. Row (slot, position) lies in page
 *   p = pages[slot * pages_per_slot + position / page_rows]
 * at base + p * page_rows * row_bytes, r = position % page_rows, element size e:
 *   layout rows     + r * row_bytes + c * e
 *   layout lines16  + (r / 16) * 16 * row_bytes + (c / q) * (16 * 4) + (r % 16) * 4 + (c % q) * e
 * with q = 4 / e elements of one row side by side: 16 rows are one 64-byte line per 4 bytes of width. Width is a
 * multiple of q; page_rows and row_bytes are compiled into the kernel. */
typedef struct glm_cache_view {
  uint8_t *base;
  const int32_t *pages;
  int64_t pages_per_slot;
} glm_cache_view;

/* A row of a batch, as the buffer argument `rows` ([n, 4] int32) holds it. */
#ifndef GLM_ROW_DEFINED
#define GLM_ROW_DEFINED
typedef struct glm_row {
  int32_t token;
  int32_t slot;
  int32_t position;
  int32_t flags;
} glm_row;
#endif

/* `scratch`: this worker's own memory, 64-byte aligned, of the size the program states for the kernel. */
typedef void (*glm_kernel)(const uint64_t *args, uint32_t worker, uint32_t workers, uint8_t *scratch);

#endif
