// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Files.h"

#include "tools/engine/Failure.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>

namespace glm::tool {

std::string fileName(const std::string &argument) {
  return argument.starts_with('@') ? argument.substr(1) : argument;
}

std::string readText(const std::string &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw Failure(Code::InputMissing, path, "is a folder", "name a file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Failure(Code::InputMissing, path, std::string("cannot be read: ") + std::strerror(errno));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string textOf(const std::string &argument) {
  if (argument == "-")
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  return argument.starts_with('@') ? readText(argument.substr(1)) : argument;
}

void writeText(const std::string &path, const std::string &text) {
  std::string aside = path + ".partial-" + std::to_string(getpid());
  std::ofstream file(aside, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(aside.c_str(), path.c_str()) != 0) {
    std::string reason = std::strerror(errno);
    std::remove(aside.c_str());
    throw Failure(Code::OutputUnwritable, path, "cannot be written: " + reason);
  }
}

std::vector<int32_t> readTokens(const std::string &path, int64_t vocabulary) {
  std::vector<int64_t> ids;
  check(npy::readIds(path, ids));
  if (ids.empty())
    throw Failure(Code::BadArguments, path, "holds no tokens");
  std::vector<int32_t> tokens;
  for (int64_t id : ids) {
    if (id < 0 || id >= vocabulary)
      throw Failure(Code::BadArguments, path,
                    "holds token " + std::to_string(id) + ", the model has 0 to " +
                        std::to_string(vocabulary - 1));
    tokens.push_back(static_cast<int32_t>(id));
  }
  return tokens;
}

} // namespace glm::tool
