// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON as values of the Jinja engine that print as Python's would: `tojson` is json.dumps, floats
// keep their point.
#ifndef GLM_RUNTIME_TEXT_CHATVALUES_H
#define GLM_RUNTIME_TEXT_CHATVALUES_H

#include <jinja/value.h>

#include <string_view>

namespace glm::text {

/// Throws Format for text that is not JSON, nests deeper than 100 levels, or holds an integer
/// beyond 64 bits.
jinja::value readChatValue(std::string_view json);

} // namespace glm::text

#endif
