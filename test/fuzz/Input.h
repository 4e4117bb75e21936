// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the fuzzers give bytes to code under test. Where a checksum or a structure would keep random
// bytes out of everything that is interesting, the input is a list of changes to a good file.
#ifndef GLM_TEST_FUZZ_INPUT_H
#define GLM_TEST_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace fuzz {

/// Five bytes a change: three of the place, one that says how, one value.
inline void change(const uint8_t *input, size_t size, uint8_t *bytes, size_t length) {
  for (; size >= 5; input += 5, size -= 5) {
    size_t at = (input[0] | size_t(input[1]) << 8 | size_t(input[2]) << 16) % length;
    switch (input[3] % 4) {
    case 0:
      bytes[at] = input[4];
      break;
    case 1:
      bytes[at] ^= uint8_t(1 << input[4] % 8);
      break;
    case 2:
      bytes[at] = uint8_t(bytes[at] + input[4]);
      break;
    case 3: // a whole word: huge sizes and offsets
      for (size_t i = at & ~size_t(7); i < length && i < (at & ~size_t(7)) + 8; ++i)
        bytes[i] = input[4] & 1 ? 0xff : 0;
    }
  }
}

/// A file in memory with a path.
class File {
public:
  File() : descriptor(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor < 0)
      abort();
    name = "/proc/self/fd/" + std::to_string(descriptor);
  }
  ~File() { close(descriptor); }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  const std::string &path() const { return name; }
  void write(const void *bytes, size_t size, size_t at = 0) {
    if (pwrite(descriptor, bytes, size, off_t(at)) != ssize_t(size))
      abort();
  }
  void resize(size_t size) {
    if (ftruncate(descriptor, off_t(size)) != 0)
      abort();
  }

private:
  int descriptor;
  std::string name;
};

} // namespace fuzz

#endif
