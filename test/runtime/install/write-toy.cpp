// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the toy artifact to a file: what the programs of EMBEDDING.md run, and glm-inspect's tests
// show.
#include "test/runtime/fixture/Toy.h"

#include <fstream>

int main(int argc, char **argv) {
  if (argc < 2)
    return 1;
  toy::Knobs knobs;
  knobs.ledger = argc > 2;
  auto bytes = toy::build(knobs);
  std::ofstream(argv[1], std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
}
