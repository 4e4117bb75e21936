// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PCRE2 behind two small classes: a compiled pattern (immutable, shared by threads) and a search
// over one text (owned by one thread). Bytes that are not UTF-8 never match and never stop a
// search. The classes are of the Unicode version PCRE2 was built with (10.42: version 14): a letter
// assigned later is none, where the reference may know it already.
#ifndef GLM_RUNTIME_TEXT_REGEX_H
#define GLM_RUNTIME_TEXT_REGEX_H

#include <memory>
#include <optional>
#include <string_view>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace glm::text {

class Regex final {
public:
  /// Compiles for UTF with Unicode classes and ^ $ at lines, to machine code where PCRE2 can.
  /// Throws Format.
  explicit Regex(std::string_view pattern);

private:
  friend class RegexSearch;
  struct Free {
    void operator()(pcre2_real_code_8 *code) const;
  };
  std::unique_ptr<pcre2_real_code_8, Free> code;
};

struct RegexMatch {
  size_t begin, end; ///< bytes
};

/// Matches of a pattern in a text from left to right, not overlapping. Both must outlive the
/// search.
class RegexSearch final {
public:
  RegexSearch(const Regex &regex, std::string_view text);
  ~RegexSearch();

  /// The next match, which may be empty, or nothing. Throws Format if a limit of PCRE2 is hit.
  std::optional<RegexMatch> next();

private:
  struct Free {
    void operator()(pcre2_real_match_data_8 *data) const;
    void operator()(pcre2_real_match_context_8 *context) const;
    void operator()(pcre2_real_jit_stack_8 *stack) const;
  };
  int match(size_t start, unsigned options);

  const Regex &regex;
  std::string_view text;
  std::unique_ptr<pcre2_real_match_data_8, Free> data;
  std::unique_ptr<pcre2_real_match_context_8, Free>
      context; // made when the small stack was not enough
  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack;
  size_t position = 0;
  bool afterEmpty = false;
};

} // namespace glm::text

#endif
