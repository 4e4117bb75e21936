// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How Python writes numbers and JSON. Chat templates were written for Python: a model has seen
// `1.0` and `{"a": 1}` in its prompts, so that is what it must get here.
#ifndef GLM_RUNTIME_TEXT_PYTHONFORMAT_H
#define GLM_RUNTIME_TEXT_PYTHONFORMAT_H

#include <string>
#include <string_view>

namespace glm::text {

/// repr(float): the shortest digits that read back equal, always with a point or an exponent.
std::string pythonFloat(double value);

/// json.dumps of a string (valid UTF-8), with its quotes.
std::string pythonJsonString(std::string_view text, bool asciiOnly);

} // namespace glm::text

#endif
