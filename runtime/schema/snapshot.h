/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The file that holds the rows of one slot. Little endian:
 *
 *   0    glm_snapshot_header, 64 bytes
 *   64   layout ids of the program's states, 8 bytes each
 *   ...  for each state its rows in order of position, `row_bytes` each, columns in order: pages
 *        and lines of the caches do not show
 *
 * SCHEMA.md says when it may be restored.
 */
#ifndef GLM_SCHEMA_SNAPSHOT_H
#define GLM_SCHEMA_SNAPSHOT_H

#include <stdint.h>

#define GLM_SNAPSHOT_MAGIC "\x89GLS\r\n\x1a\n"

enum {
  GLM_SNAPSHOT_VERSION = 1,
  GLM_SNAPSHOT_HASHED_FROM = 32 /* the hash is about the bytes from here to the end */
};

typedef struct glm_snapshot_header {
  uint8_t magic[8];           /* GLM_SNAPSHOT_MAGIC without its terminating zero */
  uint64_t version;           /* GLM_SNAPSHOT_VERSION */
  uint64_t hash_low;          /* XXH3-128, seed 0: low64 */
  uint64_t hash_high;         /* and high64 */
  uint64_t file_size;         /* bytes, of the whole file */
  int64_t rows;               /* that the slot holds */
  uint64_t program_hash_low;  /* as in the header of the artifact */
  uint64_t program_hash_high;
} glm_snapshot_header;

#endif
