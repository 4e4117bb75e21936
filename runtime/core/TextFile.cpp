// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/TextFile.h"

#include <fcntl.h>
#include <unistd.h>

namespace glm::runtime {

bool readTextFile(const char *path, char *text, size_t capacity) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  ssize_t size = read(file, text, capacity - 1);
  close(file);
  text[size > 0 ? size : 0] = 0;
  return size > 0;
}

bool readLines(const char *path, void (*line)(void *context, const char *text), void *context) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  char chunk[4096], text[256];
  size_t length = 0;
  for (ssize_t size; (size = read(file, chunk, sizeof(chunk))) > 0;) {
    for (ssize_t i = 0; i < size; ++i) {
      if (chunk[i] == '\n') {
        text[length] = 0;
        line(context, text);
        length = 0;
      } else if (length < sizeof(text) - 1) {
        text[length++] = chunk[i];
      }
    }
  }
  close(file);
  return true;
}

} // namespace glm::runtime
