// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The catalogue as a table, and the two forms (text, JSON) of one diagnostic.
#include "compiler/diagnostics/Diagnostic.h"

#include "absl/strings/cord.h"
#include "nlohmann/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace glm {
namespace {

struct Entry {
  uint16_t number;
  std::string_view name, rule, page;
};

constexpr Entry catalogue[] = {
#define GLM_DIAGNOSTIC(number, name, rule, page) {number, #name, rule, page},
#include "compiler/diagnostics/Catalogue.def"
#undef GLM_DIAGNOSTIC
};

constexpr std::string_view payloadUrl = "glm/diagnostic";

const Entry *find(unsigned number) {
  const Entry *entry = std::ranges::lower_bound(catalogue, number, {}, &Entry::number);
  return entry != std::end(catalogue) && entry->number == number ? entry : nullptr;
}

/// Control characters become \xNN, so that a message stays one line.
void appendPrintable(std::string &out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  for (unsigned char c : text) {
    if (c >= 0x20 && c != 0x7f) {
      out += static_cast<char>(c);
      continue;
    }
    out += "\\x";
    out += digits[c >> 4];
    out += digits[c & 15];
  }
}

/// `[GLM0302]: thing: what; remedy`
std::string body(const Diagnostic &diagnostic) {
  std::string out = "[" + codeName(diagnostic.code) + "]: ";
  if (!diagnostic.thing.empty()) {
    appendPrintable(out, diagnostic.thing);
    out += ": ";
  }
  appendPrintable(out, diagnostic.what);
  if (!diagnostic.remedy.empty()) {
    out += "; ";
    appendPrintable(out, diagnostic.remedy);
  }
  return out;
}

nlohmann::json toObject(const Diagnostic &diagnostic) {
  const Entry *entry = find(static_cast<unsigned>(diagnostic.code));
  return {{"code", codeName(diagnostic.code)}, {"name", entry ? entry->name : ""},
          {"thing", diagnostic.thing},         {"what", diagnostic.what},
          {"remedy", diagnostic.remedy},       {"rule", entry ? entry->rule : ""}};
}

/// Invalid UTF-8 (possible in file names) is replaced, not thrown at.
std::string dump(const nlohmann::json &object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<unsigned> parseNumber(std::string_view code) {
  if (code.size() > 3 && std::ranges::equal(code.substr(0, 3), std::string_view("glm"), {},
                                            [](unsigned char c) { return std::tolower(c); }))
    code.remove_prefix(3);
  if (code.empty() || code.size() > 4 ||
      !std::ranges::all_of(code, [](unsigned char c) { return std::isdigit(c); }))
    return std::nullopt;
  unsigned number = 0;
  for (char c : code)
    number = number * 10 + (c - '0');
  return number;
}

} // namespace

std::string codeName(Code code) {
  std::string digits = std::to_string(static_cast<unsigned>(code));
  return "GLM" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

std::string_view ruleOf(Code code) {
  const Entry *entry = find(static_cast<unsigned>(code));
  return entry ? entry->rule : std::string_view();
}

std::string toText(const Diagnostic &diagnostic, std::string_view severity) {
  return std::string(severity) + body(diagnostic);
}

std::string toJson(const Diagnostic &diagnostic, std::string_view severity) {
  nlohmann::json object = toObject(diagnostic);
  object["severity"] = severity;
  return dump(object);
}

absl::Status toStatus(const Diagnostic &diagnostic) {
  absl::Status status(absl::StatusCode::kInvalidArgument, body(diagnostic));
  nlohmann::json object = toObject(diagnostic);
  object["number"] = static_cast<unsigned>(diagnostic.code);
  // Through a view: Cord's constructor from std::string is a template of GCC's mangling in the
  // package.
  status.SetPayload({payloadUrl.data(), payloadUrl.size()},
                    absl::Cord(absl::string_view(dump(object))));
  return status;
}

absl::Status codedError(Code code, std::string thing, std::string what, std::string remedy) {
  return toStatus({code, std::move(thing), std::move(what), std::move(remedy)});
}

std::optional<Diagnostic> diagnosticOf(const absl::Status &status) {
  absl::optional<absl::Cord> payload = status.GetPayload({payloadUrl.data(), payloadUrl.size()});
  if (!payload)
    return std::nullopt;
  nlohmann::json object = nlohmann::json::parse(std::string(*payload), nullptr, false);
  if (!object.is_object())
    return std::nullopt;
  auto text = [&](const char *key) {
    auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  auto number = object.find("number");
  if (number == object.end() || !number->is_number_unsigned())
    return std::nullopt;
  return Diagnostic{static_cast<Code>(number->get<unsigned>()), text("thing"), text("what"),
                    text("remedy")};
}

int report(const absl::Status &status, std::FILE *stream) {
  if (status.ok())
    return 0;
  std::string line = "error";
  if (std::optional<Diagnostic> diagnostic = diagnosticOf(status)) {
    line = toText(*diagnostic);
  } else {
    line += ": ";
    appendPrintable(line, {status.message().data(), status.message().size()});
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stream);
  return 1;
}

void reportWarning(const Diagnostic &diagnostic, std::FILE *stream) {
  std::string line = toText(diagnostic, "warning") + "\n";
  std::fwrite(line.data(), 1, line.size(), stream);
}

std::optional<std::string> explain(std::string_view code) {
  std::optional<unsigned> number = parseNumber(code);
  const Entry *entry = number ? find(*number) : nullptr;
  if (!entry)
    return std::nullopt;
  std::string page = codeName(static_cast<Code>(entry->number)) + " " + std::string(entry->name);
  page += "\n\nRule: " + std::string(entry->rule) + ".\n\n" + std::string(entry->page) + "\n";
  return page;
}

} // namespace glm
