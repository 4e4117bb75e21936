// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/ChatValues.h"
#include "runtime/text/Error.h"
#include "runtime/text/PythonFormat.h"

#include <jinja/runtime.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

using namespace glm::text;
using nlohmann::json;

namespace {

constexpr size_t deepestNesting = 100;

jinja::value toJson(const jinja::func_args &args);

/// The engine's filters for a type, with `tojson` replaced.
template <typename Value> const jinja::func_builtins &filtersOf(const Value &value) {
  static const jinja::func_builtins filters = [&] {
    jinja::func_builtins copy = value.Value::get_builtins();
    copy["tojson"] = toJson;
    return copy;
  }();
  return filters;
}

// Equality in the engine asks for the same C++ type, which a literal of the template does not have.
struct JsonArray final : jinja::value_array_t {
  const jinja::func_builtins &get_builtins() const override {
    return filtersOf<jinja::value_array_t>(*this);
  }
  bool equivalent(const jinja::value_t &other) const override {
    auto *array = dynamic_cast<const jinja::value_array_t *>(&other);
    return array && std::equal(val_arr.begin(), val_arr.end(), array->val_arr.begin(),
                               array->val_arr.end(), jinja::value_equivalence());
  }
};

struct JsonObject final : jinja::value_object_t {
  const jinja::func_builtins &get_builtins() const override {
    return filtersOf<jinja::value_object_t>(*this);
  }
  bool equivalent(const jinja::value_t &other) const override {
    auto *object = dynamic_cast<const jinja::value_object_t *>(&other);
    return object && std::equal(val_obj.begin(), val_obj.end(), object->val_obj.begin(),
                                object->val_obj.end(), jinja::value_equivalence());
  }
};

struct JsonFloat final : jinja::value_float_t {
  // The engine also keeps an integer, which has no room for large numbers.
  explicit JsonFloat(double value) : value_float_t(std::abs(value) < 0x1p62 ? value : 0) {
    val_flt = value;
  }
  jinja::string as_string() const override { return jinja::string(pythonFloat(val_flt)); }
  const jinja::func_builtins &get_builtins() const override {
    return filtersOf<jinja::value_float_t>(*this);
  }
};

//===-- json.dumps --------------------------------------------------------------------------===//

class JsonWriter final {
public:
  std::string itemSeparator = ", ", keySeparator = ": ";
  int64_t indent = -1; ///< below 0: on one line
  bool asciiOnly = false, sortKeys = false;

  std::string write(const jinja::value &value) {
    text.clear();
    append(value, 0);
    return std::move(text);
  }

private:
  void append(const jinja::value &value, int64_t level) {
    if (jinja::is_val<jinja::value_bool>(value))
      text += value->as_bool() ? "true" : "false";
    else if (jinja::is_val<jinja::value_int>(value))
      text += std::to_string(value->as_int());
    else if (jinja::is_val<jinja::value_float>(value))
      text += number(value->as_float());
    else if (jinja::is_val<jinja::value_string>(value))
      text += pythonJsonString(value->as_string().str(), asciiOnly);
    else if (jinja::is_val<jinja::value_array>(value))
      appendArray(value->as_array(), level);
    else if (jinja::is_val<jinja::value_object>(value))
      appendObject(value->as_ordered_object(), level);
    else
      text += "null";
  }

  static std::string number(double value) {
    std::string repr = pythonFloat(value);
    return repr == "nan" ? "NaN" : repr == "inf" ? "Infinity" : repr == "-inf" ? "-Infinity" : repr;
  }

  void newLine(int64_t level) {
    if (indent >= 0)
      text += '\n' + std::string(size_t(indent * level), ' ');
  }

  void appendArray(const std::vector<jinja::value> &items, int64_t level) {
    text += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      text += i ? itemSeparator : "";
      newLine(level + 1);
      append(items[i], level + 1);
    }
    if (!items.empty())
      newLine(level);
    text += ']';
  }

  void appendObject(std::vector<std::pair<jinja::value, jinja::value>> members, int64_t level) {
    if (sortKeys)
      std::sort(members.begin(), members.end(), [](const auto &a, const auto &b) {
        return a.first->as_string().str() < b.first->as_string().str();
      });
    text += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      text += i ? itemSeparator : "";
      newLine(level + 1);
      text += pythonJsonString(members[i].first->as_string().str(), asciiOnly) + keySeparator;
      append(members[i].second, level + 1);
    }
    if (!members.empty())
      newLine(level);
    text += '}';
  }

  std::string text;
};

/// The filter with the arguments transformers gives it: ensure_ascii is off unless asked for.
jinja::value toJson(const jinja::func_args &args) {
  args.ensure_count(1, 5);
  JsonWriter writer;
  writer.asciiOnly = args.get_kwarg_or_pos("ensure_ascii", 1)->as_bool();
  if (jinja::value indent = args.get_kwarg_or_pos("indent", 2);
      jinja::is_val<jinja::value_int>(indent)) {
    writer.indent = std::clamp<int64_t>(indent->as_int(), 0, 64);
    writer.itemSeparator = ",";
  }
  if (jinja::value pair = args.get_kwarg_or_pos("separators", 3);
      jinja::is_val<jinja::value_array>(pair) && pair->as_array().size() == 2) {
    writer.itemSeparator = pair->as_array()[0]->as_string().str();
    writer.keySeparator = pair->as_array()[1]->as_string().str();
  }
  writer.sortKeys = args.get_kwarg_or_pos("sort_keys", 4)->as_bool();
  return jinja::mk_val<jinja::value_string>(writer.write(args.get_pos(0)));
}

//===-- reading -----------------------------------------------------------------------------===//

/// Builds values from parser events, without a document in between: order and duplicates of keys
/// are Python's.
class Reader final : public json::json_sax_t {
public:
  jinja::value root;

  bool null() override { return add(jinja::mk_val<jinja::value_none>()); }
  bool boolean(bool value) override { return add(jinja::mk_val<jinja::value_bool>(value)); }
  bool number_integer(number_integer_t value) override {
    return add(jinja::mk_val<jinja::value_int>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > uint64_t(std::numeric_limits<int64_t>::max()))
      tooLarge(std::to_string(value));
    return add(jinja::mk_val<jinja::value_int>(int64_t(value)));
  }
  bool number_float(number_float_t value, const string_t &digits) override {
    if (digits.find_first_of(".eE") == std::string::npos)
      tooLarge(digits); // the parser's way out when an integer does not fit
    return add(std::make_shared<JsonFloat>(value));
  }
  bool string(string_t &value) override {
    return add(jinja::mk_val<jinja::value_string>(std::string(value)));
  }
  bool binary(binary_t &) override { return false; }
  bool start_object(size_t) override { return open(std::make_shared<JsonObject>()); }
  bool key(string_t &value) override {
    stack.back().key = value;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(std::make_shared<JsonArray>()); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string &, const nlohmann::detail::exception &error) override {
    throw Error(ErrorKind::Format, std::string("chat: ") + error.what());
  }

private:
  struct Level {
    jinja::value value;
    std::string key;
  };

  [[noreturn]] static void tooLarge(const std::string &digits) {
    throw Error(ErrorKind::Format, "chat: the integer " + digits + " exceeds 64 bits");
  }

  bool add(const jinja::value &value) {
    if (stack.empty())
      root = value;
    else if (auto *array = jinja::cast_val<jinja::value_array>(stack.back().value))
      array->push_back(value);
    else
      jinja::cast_val<jinja::value_object>(stack.back().value)->insert(stack.back().key, value);
    return true;
  }

  bool open(jinja::value value) {
    if (stack.size() == deepestNesting)
      throw Error(ErrorKind::Format,
                  "chat: nested deeper than " + std::to_string(deepestNesting) + " levels");
    stack.push_back({std::move(value), {}});
    return true;
  }

  bool close() {
    jinja::value value = std::move(stack.back().value);
    stack.pop_back();
    return add(value);
  }

  std::vector<Level> stack;
};

} // namespace

jinja::value glm::text::readChatValue(std::string_view text) {
  Reader reader;
  json::sax_parse(text, &reader);
  return reader.root;
}
