// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/StopText.h"
#include "runtime/text/Error.h"

#include <algorithm>
#include <utility>

using namespace glm::text;

StopText::StopText(std::vector<std::string> texts) : stops(std::move(texts)) {
  for (const std::string &stop : stops)
    if (stop.empty())
      throw Error(ErrorKind::Argument, "an empty stop text would end every answer at once");
}

/// Where the longest end of `pending` begins that a stop text begins with.
size_t StopText::possibleStart() const {
  size_t start = pending.size();
  for (const std::string &stop : stops)
    for (size_t length = std::min(stop.size() - 1, pending.size()); length > 0; --length)
      if (std::string_view(pending).ends_with(std::string_view(stop).substr(0, length))) {
        start = std::min(start, pending.size() - length);
        break;
      }
  return start;
}

std::string StopText::push(std::string_view piece) {
  if (found)
    return {};
  pending += piece;
  size_t first = std::string::npos;
  for (const std::string &stop : stops)
    first = std::min(first, pending.find(stop));
  found = first != std::string::npos;
  std::string certain = pending.substr(0, found ? first : possibleStart());
  pending.erase(0, found ? std::string::npos : certain.size());
  return certain;
}

std::string StopText::finish() { return std::exchange(pending, {}); }
