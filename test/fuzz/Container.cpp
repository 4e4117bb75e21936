// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes the program of the toy artifact, makes its hash right again and loads it as far as it
// goes: whatever passes the checks must be safe to plan a session from. Nothing is executed, since
// native code with other arguments than it was made for may do anything.
#include "test/fuzz/Input.h"
#include "test/runtime/fixture/Toy.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  static const std::vector<uint8_t> good = toy::build({.ledger = true});
  static const size_t program = toy::header(const_cast<std::vector<uint8_t> &>(good)).program_size;
  static fuzz::File file;
  static glm_runtime *runtime = nullptr;
  if (!runtime) {
    glm_runtime_options options = {.threads = 1};
    if (glm_runtime_create(&options, &runtime).code != GLM_OK)
      abort();
    file.write(good.data(), good.size());
  }
  std::vector<uint8_t> bytes(good.begin(), good.begin() + long(64 + program));
  fuzz::change(input, size, bytes.data() + 64, program);
  toy::reseal(bytes);
  file.write(bytes.data(), bytes.size());

  glm_model *model = nullptr;
  if (glm_model_load(runtime, file.path().c_str(), nullptr, &model).code != GLM_OK)
    return 0;
  glm_model_info info;
  glm_model_describe(model, &info);
  for (size_t i = 0; i < info.entries; ++i) {
    glm_entry_info entry;
    glm_tensor port;
    glm_model_entry(model, i, &entry);
    for (size_t j = 0; j < entry.inputs + entry.outputs; ++j)
      glm_model_port(model, i, j, &port);
  }
  glm_session_options options = {.max_rows = std::min<int64_t>(info.max_rows, 8), .slots = 1};
  glm_memory_sizes sizes;
  glm_session *session = nullptr;
  bool small = glm_session_measure(model, &options, &sizes).code == GLM_OK && sizes.total < 1 << 26;
  if (small && glm_session_create(model, &options, &session).code == GLM_OK)
    glm_session_destroy(session);
  glm_model_destroy(model);
  return 0;
}
