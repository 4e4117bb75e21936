// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading the kernel's text files (/proc, /sys) without a heap.
#ifndef GLM_RUNTIME_CORE_TEXTFILE_H
#define GLM_RUNTIME_CORE_TEXTFILE_H

#include <cstddef>

namespace glm::runtime {

/// The first `capacity` - 1 bytes of a file as a string; false when it cannot be read.
bool readTextFile(const char *path, char *text, size_t capacity);

/// Calls `line` for every line (without its end; longer than 255 bytes: cut). False when the file
/// cannot be opened.
bool readLines(const char *path, void (*line)(void *context, const char *text), void *context);

} // namespace glm::runtime

#endif
