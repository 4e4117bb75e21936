// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json from any text.
#include "compiler/import/Config.h"
#include "test/fuzz/Input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  static fuzz::File file;
  file.resize(size);
  file.write(input, size);
  auto config = glm::readGlm5Config(file.path());
  for (int64_t layer = 0; config.ok() && layer < std::min<int64_t>(config->layers, 1000); ++layer)
    config->layerIsSparse(layer);
  return 0;
}
