// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/JsonFields.h"

#include "compiler/import/FileText.h"

#include <cmath>
#include <set>

namespace glm {
namespace {

using Json = nlohmann::json;

/// What a JSON value looks like in a message: short, on one line.
std::string shown(const Json &value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= 40 ? text : text.substr(0, 37) + "...";
}

} // namespace

absl::StatusOr<Json> readJsonObject(const std::filesystem::path &path, Code code) {
  absl::StatusOr<std::string> text = readWhole(path, 64 << 20);
  if (!text.ok())
    return text.status();
  // The parser keeps the last of repeated keys; here the first repetition is remembered instead.
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  auto watch = [&](int, Json::parse_event_t event, Json &parsed) {
    if (event == Json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == Json::parse_event_t::key && repeated.empty() &&
             !keys.back().insert(parsed.get_ref<const std::string &>()).second)
      repeated = parsed.get_ref<const std::string &>();
    return true;
  };
  Json object = Json::parse(*text, watch, /*allow_exceptions=*/false);
  if (object.is_discarded() || !object.is_object())
    return codedError(code, path.string(), "is not one JSON object", "fetch the file again");
  if (!repeated.empty())
    return codedError(code, path.string(), "has the field " + repeated + " twice",
                      "remove the one that is not meant");
  return object;
}

const Json *JsonFields::find(const char *name) const {
  auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

bool JsonFields::has(const char *name) const { return find(name) != nullptr; }

void JsonFields::fail(Code code, const std::string &name, std::string what, std::string remedy) {
  if (first.ok())
    first = codedError(code, thing + ": " + name, std::move(what), std::move(remedy));
}

bool JsonFields::inRange(const char *name, const Json &value, int64_t low, int64_t high,
                         int64_t &result) {
  if (!value.is_number_integer()) {
    fail(invalid, name, "is " + shown(value) + " where an integer is meant");
    return false;
  }
  bool tooLarge =
      value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (tooLarge || value.get<int64_t>() < low || value.get<int64_t>() > high) {
    fail(invalid, name,
         "is " + shown(value) + ", outside " + std::to_string(low) + " to " + std::to_string(high));
    return false;
  }
  result = value.get<int64_t>();
  return true;
}

int64_t JsonFields::integer(const char *name, int64_t low, int64_t high) {
  if (!has(name)) {
    fail(Code::FieldMissing, name, "is missing and the model's shape needs it",
         "add it as published");
    return low;
  }
  return integer(name, low, high, low);
}

int64_t JsonFields::integer(const char *name, int64_t low, int64_t high, int64_t otherwise) {
  const Json *value = find(name);
  int64_t result = otherwise;
  if (value)
    inRange(name, *value, low, high, result);
  return result;
}

double JsonFields::number(const char *name) {
  if (!has(name))
    fail(Code::FieldMissing, name, "is missing and the model's function needs it",
         "add it as published");
  return number(name, 0);
}

double JsonFields::number(const char *name, double otherwise) {
  const Json *value = find(name);
  if (!value)
    return otherwise;
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    fail(invalid, name, "is " + shown(*value) + " where a number is meant");
    return otherwise;
  }
  return value->get<double>();
}

bool JsonFields::boolean(const char *name, bool otherwise) {
  const Json *value = find(name);
  if (!value)
    return otherwise;
  if (!value->is_boolean()) {
    fail(invalid, name, "is " + shown(*value) + " where true or false is meant");
    return otherwise;
  }
  return value->get<bool>();
}

std::string JsonFields::text(const char *name) {
  if (!has(name))
    fail(Code::FieldMissing, name, "is missing", "add it as published");
  return text(name, "");
}

std::string JsonFields::text(const char *name, std::string otherwise) {
  const Json *value = find(name);
  if (!value)
    return otherwise;
  if (!value->is_string()) {
    fail(invalid, name, "is " + shown(*value) + " where a string is meant");
    return otherwise;
  }
  return value->get<std::string>();
}

std::optional<std::vector<std::string>> JsonFields::texts(const char *name) {
  const Json *value = find(name);
  if (!value)
    return std::nullopt;
  std::vector<std::string> result;
  bool good = value->is_array();
  for (const Json &item : good ? *value : Json::array()) {
    good &= item.is_string();
    if (item.is_string())
      result.push_back(item.get<std::string>());
  }
  if (!good)
    fail(invalid, name, "is " + shown(*value) + " where a list of strings is meant");
  return result;
}

std::vector<int64_t> JsonFields::integers(const char *name, int64_t low, int64_t high) {
  std::vector<int64_t> result;
  const Json *value = find(name);
  if (!value)
    return result;
  int64_t item = 0;
  if (!value->is_array()) {
    if (inRange(name, *value, low, high, item))
      result.push_back(item);
    return result;
  }
  for (const Json &entry : *value)
    if (inRange(name, entry, low, high, item))
      result.push_back(item);
  return result;
}

const Json *JsonFields::nested(const char *name) {
  const Json *value = find(name);
  if (value && !value->is_object()) {
    fail(invalid, name, "is " + shown(*value) + " where an object is meant");
    return nullptr;
  }
  return value;
}

} // namespace glm
