// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of the command line that are files.
#ifndef GLM_TOOLS_ENGINE_FILES_H
#define GLM_TOOLS_ENGINE_FILES_H

#include <cstdint>
#include <string>
#include <vector>

namespace glm::tool {

/// `@file` or `file` without the sign.
std::string fileName(const std::string &argument);

/// The text that an argument stands for: itself, the content of `@FILE`, or with `-` standard
/// input.
std::string textOf(const std::string &argument);

/// A whole file. Throws Failure when it cannot be read.
std::string readText(const std::string &path);

/// Written beside `path` and renamed: there is never a partial file of that name.
void writeText(const std::string &path, const std::string &text);

/// Token ids of a .npy file, checked against the vocabulary, at least one.
std::vector<int32_t> readTokens(const std::string &path, int64_t vocabulary);

} // namespace glm::tool

#endif
