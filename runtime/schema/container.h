/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The bytes around the program of an artifact. A `.glm` file is
 *
 *   0                   glm_container_header, 64 bytes, little endian
 *   64                  the program: a flatbuffer of program.fbs, `program_size` bytes
 *   Segment.offset ...  segments, each at a multiple of its alignment, zeros between them
 *   file_size           the end; nothing follows
 *
 * SCHEMA.md gives the rules a loader checks.
 */
#ifndef GLM_SCHEMA_CONTAINER_H
#define GLM_SCHEMA_CONTAINER_H

#include <stdint.h>

/* The first byte is no ASCII, the line ends are there to be damaged by a transfer in text mode. */
#define GLM_CONTAINER_MAGIC "\x89GLM\r\n\x1a\n"

enum {
  GLM_CONTAINER_VERSION = 1,
  GLM_CONTAINER_HEADER_SIZE = 64,
  GLM_CONTAINER_SEGMENT_ALIGNMENT = 4096,      /* every segment in the file */
  GLM_CONTAINER_WEIGHTS_ALIGNMENT = 2097152,   /* segments of weights in the file */
  GLM_CONTAINER_WEIGHT_ALIGNMENT = 64          /* a weight or a slab in its segment */
};

typedef struct glm_container_header {
  uint8_t magic[8];           /* GLM_CONTAINER_MAGIC without its terminating zero */
  uint32_t version;           /* GLM_CONTAINER_VERSION; another version is another format */
  uint32_t header_size;       /* 64 */
  uint64_t program_offset;    /* 64 */
  uint64_t program_size;      /* bytes */
  uint64_t file_size;         /* bytes, of the whole artifact */
  uint64_t program_hash_low;  /* XXH3-128, seed 0, of the program's bytes: low64 */
  uint64_t program_hash_high; /* and high64 */
  uint64_t flags;             /* 0; a bit that a loader does not know makes it refuse */
} glm_container_header;

#endif
