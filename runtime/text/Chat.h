// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A conversation becomes a prompt through the checkpoint's own Jinja template, with the meaning it
// has in transformers' apply_chat_template: trim_blocks and lstrip_blocks, `tojson` without ASCII
// escapes, `raise_exception`.
#ifndef GLM_RUNTIME_TEXT_CHAT_H
#define GLM_RUNTIME_TEXT_CHAT_H

#include <string>
#include <string_view>

namespace glm::text {

class TableView;

/// `request` is JSON: {"messages": [{"role", "content", ...}, ...], "tools": [...], and whatever
/// else the template asks for, such as "add_generation_prompt", "enable_thinking",
/// "clear_thinking", "reasoning_effort"}. As in transformers `tools` and `documents` are none and
/// `add_generation_prompt` is false unless given; the other options stay undefined. The special
/// tokens of `tables` are variables too (bos_token, eos_token, pad_token, unk_token). Throws Error:
/// Argument when there is no template or no message list, Format for JSON and template errors.
std::string renderChat(const TableView &tables, std::string_view request);

/// The same with a template from elsewhere and no special tokens.
std::string renderChat(std::string_view chatTemplate, std::string_view request);

} // namespace glm::text

#endif
