// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Chat.h"
#include "runtime/text/ChatValues.h"
#include "runtime/text/Error.h"
#include "runtime/text/TableView.h"

#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <utility>
#include <vector>

using namespace glm::text;

namespace {

using Variables = std::vector<std::pair<std::string, jinja::value>>;

/// The engine reports over several lines with a picture of the source; one line must do:
/// "\n...While executing X at line 3, column 5 in source:\n...\nError: <message>".
std::string oneLine(std::string report) {
  std::string where;
  if (size_t at = report.find(" at line "); at != std::string::npos)
    where = report.substr(at + 4, report.find(" in source", at) - at - 4) + ": ";
  if (size_t error = report.rfind("\nError: "); error != std::string::npos)
    report.erase(0, error + 8);
  std::string_view raised = "Jinja Exception: ";
  if (report.starts_with(raised))
    report.erase(0, raised.size());
  return where + report.substr(0, report.find('\n'));
}

std::string render(std::string_view chatTemplate, const Variables &variables) {
  try {
    jinja::lexer_result tokens = jinja::lexer().tokenize(std::string(chatTemplate));
    jinja::program program = jinja::parse_from_tokens(tokens);
    jinja::context context(tokens.source);
    for (const auto &[name, value] : variables)
      context.set_val(name, value);
    jinja::value_array results = jinja::runtime(context).execute(program);
    return jinja::render_string_parts(jinja::runtime::gather_string_parts(results));
  } catch (const std::exception &error) {
    throw Error(ErrorKind::Format, "chat template: " + oneLine(error.what()));
  }
}

std::string renderRequest(std::string_view chatTemplate, Variables variables,
                          std::string_view request) {
  if (chatTemplate.empty())
    throw Error(ErrorKind::Argument,
                "this model has no chat template; give it a prompt instead of messages");
  jinja::value root = readChatValue(request);
  auto *object = jinja::cast_val<jinja::value_object>(root);
  jinja::value none = jinja::mk_val<jinja::value_none>();
  if (!object || !jinja::is_val<jinja::value_array>(object->at("messages", none)))
    throw Error(ErrorKind::Argument, "chat: an object with a list \"messages\" was expected");
  variables.insert(variables.end(),
                   {{"tools", none},
                    {"documents", none},
                    {"add_generation_prompt", jinja::mk_val<jinja::value_bool>(false)}});
  for (const auto &[name, value] : object->as_ordered_object())
    variables.emplace_back(name->as_string().str(), value);
  return render(chatTemplate, variables);
}

} // namespace

std::string glm::text::renderChat(const TableView &tables, std::string_view request) {
  Variables variables;
  for (auto [name, token] :
       {std::pair{"bos_token", tables.bosToken()}, std::pair{"eos_token", tables.eosToken()},
        std::pair{"pad_token", tables.padToken()}, std::pair{"unk_token", tables.unknownToken()}})
    if (!token.empty())
      variables.emplace_back(name, jinja::mk_val<jinja::value_string>(std::string(token)));
  return renderRequest(tables.chatTemplate(), std::move(variables), request);
}

std::string glm::text::renderChat(std::string_view chatTemplate, std::string_view request) {
  return renderRequest(chatTemplate, {}, request);
}
