// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tokenizer.json's patterns are written for Oniguruma (Ruby syntax); the runtime matches with
// PCRE2. The two agree on almost everything these patterns use. This translates the rest and
// refuses what would silently mean something else.
#ifndef GLM_RUNTIME_TEXT_REGEXSYNTAX_H
#define GLM_RUNTIME_TEXT_REGEXSYNTAX_H

#include <string>
#include <string_view>

namespace glm::text {

/// The same pattern for PCRE2 with UTF, UCP and MULTILINE. Differences that are translated:
///   \s \S        Unicode White_Space (PCRE2's also has U+180E)
///   \w \W        Alphabetic, M, Nd, Pc (PCRE2 10.42's has neither M nor Pc)
///   \h           a hexadecimal digit (in PCRE2 horizontal space)
///   \uHHHH       a code point
/// Throws Unsupported, naming the construct, for class intersections, \W or \H inside a class,
/// inline options other than i, and back references and calls.
std::string translateRegex(std::string_view pattern);

/// A pattern that matches exactly `text`.
std::string quoteRegex(std::string_view text);

} // namespace glm::text

#endif
