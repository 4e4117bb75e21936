// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only way the runtime includes the schema's generated reader: its assertions would abort, and
// what they assert has been verified before anything is read.
#ifndef GLM_RUNTIME_ARTIFACT_PROGRAM_H
#define GLM_RUNTIME_ARTIFACT_PROGRAM_H

#ifndef FLATBUFFERS_ASSERT
#define FLATBUFFERS_ASSERT(condition) static_cast<void>(0)
#endif
#include "runtime/schema/program_generated.h"

#include <cstddef>

namespace glm::runtime {

/// Absent vectors and strings of the flatbuffer read as empty ones.
template <typename T> size_t countOf(const flatbuffers::Vector<T> *vector) {
  return vector ? vector->size() : 0;
}
inline const char *textOf(const flatbuffers::String *string) {
  return string ? string->c_str() : "";
}

} // namespace glm::runtime

#endif
