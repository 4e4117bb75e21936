// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Regex.h"
#include "runtime/text/Error.h"
#include "runtime/text/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

using namespace glm::text;

namespace {

constexpr size_t largestJitStack = size_t{64} << 20;

std::string messageOf(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char *>(buffer);
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

} // namespace

void Regex::Free::operator()(pcre2_code *code) const { pcre2_code_free(code); }

Regex::Regex(std::string_view pattern) {
  int error;
  PCRE2_SIZE where;
  code.reset(pcre2_compile(units(pattern), pattern.size(),
                           PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_MATCH_INVALID_UTF |
                               PCRE2_NEVER_BACKSLASH_C,
                           &error, &where, nullptr));
  if (!code)
    throw Error(ErrorKind::Format, "pattern " + std::string(pattern) + ": " + messageOf(error) +
                                       " at byte " + std::to_string(where));
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE); // where there is none, matching is interpreted
}

void RegexSearch::Free::operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
void RegexSearch::Free::operator()(pcre2_match_context *context) const {
  pcre2_match_context_free(context);
}
void RegexSearch::Free::operator()(pcre2_jit_stack *stack) const { pcre2_jit_stack_free(stack); }

RegexSearch::RegexSearch(const Regex &regex, std::string_view text)
    : regex(regex), text(text),
      data(pcre2_match_data_create_from_pattern(regex.code.get(), nullptr)) {
  if (!data)
    throw std::bad_alloc();
}

RegexSearch::~RegexSearch() = default;

int RegexSearch::match(size_t start, unsigned options) {
  int result = pcre2_match(regex.code.get(), units(text), text.size(), start, options, data.get(),
                           context.get());
  if (result != PCRE2_ERROR_JIT_STACKLIMIT || stack)
    return result;
  context.reset(pcre2_match_context_create(nullptr));
  stack.reset(pcre2_jit_stack_create(size_t{1} << 20, largestJitStack, nullptr));
  if (!context || !stack)
    throw std::bad_alloc();
  pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  return match(start, options);
}

std::optional<RegexMatch> RegexSearch::next() {
  while (position <= text.size()) {
    // At the end of an empty match only a non-empty one may begin; failing that, go on one
    // character later.
    int result = match(position, afterEmpty ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0);
    if (result == PCRE2_ERROR_NOMATCH) {
      if (!afterEmpty)
        return std::nullopt;
      afterEmpty = false;
      position += position < text.size() ? scanUtf8(text.substr(position)).bytes : 1;
      continue;
    }
    if (result < 0)
      throw Error(ErrorKind::Format, "matching the pre-tokenizer's pattern: " + messageOf(result));
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(data.get());
    if (range[0] < position || range[1] < range[0]) // \K; refused when tables are made
      throw Error(ErrorKind::Format, "the pre-tokenizer's pattern matches backwards");
    position = range[1];
    afterEmpty = range[0] == range[1];
    return RegexMatch{range[0], range[1]};
  }
  return std::nullopt;
}
