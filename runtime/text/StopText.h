// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stop texts in a stream: lets text through, ends it before the first stop text, and keeps back
// what may still become one.
#ifndef GLM_RUNTIME_TEXT_STOPTEXT_H
#define GLM_RUNTIME_TEXT_STOPTEXT_H

#include <string>
#include <string_view>
#include <vector>

namespace glm::text {

class StopText final {
public:
  /// Throws Argument for an empty stop text.
  explicit StopText(std::vector<std::string> stops);

  /// The text that is certain now. Pieces are UTF-8 whole; so is what comes out.
  std::string push(std::string_view piece);

  /// True once a stop text was seen; nothing comes out any more.
  bool stopped() const { return found; }

  /// The end without a stop: what was kept back.
  std::string finish();

private:
  size_t possibleStart() const;

  std::vector<std::string> stops;
  std::string pending;
  bool found = false;
};

} // namespace glm::text

#endif
