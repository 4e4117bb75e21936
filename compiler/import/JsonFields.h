// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed reading of one JSON object. The first error sticks (`status()`); reads after it return
// their defaults, so that a long list of fields reads as a list. Fields given as null count as
// absent, as in the published files. Nothing here throws: the type is looked at before the value is
// taken.
#ifndef GLM_COMPILER_IMPORT_JSONFIELDS_H
#define GLM_COMPILER_IMPORT_JSONFIELDS_H

#include "compiler/diagnostics/Diagnostic.h"

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glm {

/// Parses a file that holds one JSON object; a field that occurs twice in one object is refused.
/// `code` is reported for malformed content, at most 64 MiB are read.
absl::StatusOr<nlohmann::json> readJsonObject(const std::filesystem::path &path, Code code);

class JsonFields {
public:
  /// Reads from `object`, an object that outlives this; `thing` starts every message.
  JsonFields(const nlohmann::json &object, std::string thing, Code invalid = Code::FieldInvalid)
      : object(object), thing(std::move(thing)), invalid(invalid) {}

  const absl::Status &status() const { return first; }

  bool has(const char *name) const;
  /// Required values: a missing field is GLM0201.
  int64_t integer(const char *name, int64_t low, int64_t high);
  double number(const char *name);
  std::string text(const char *name);
  /// Optional ones.
  int64_t integer(const char *name, int64_t low, int64_t high, int64_t otherwise);
  double number(const char *name, double otherwise);
  bool boolean(const char *name, bool otherwise);
  std::string text(const char *name, std::string otherwise);
  /// A list of strings; empty optional when the field is absent.
  std::optional<std::vector<std::string>> texts(const char *name);
  /// One integer or a list of them; empty when absent.
  std::vector<int64_t> integers(const char *name, int64_t low, int64_t high);
  /// A nested object, or null when absent.
  const nlohmann::json *nested(const char *name);

  /// Records an error about `name` unless one is recorded already.
  void fail(Code code, const std::string &name, std::string what, std::string remedy = {});

private:
  const nlohmann::json *find(const char *name) const;
  bool inRange(const char *name, const nlohmann::json &value, int64_t low, int64_t high,
               int64_t &result);

  const nlohmann::json &object;
  std::string thing;
  Code invalid;
  absl::Status first = absl::OkStatus();
};

} // namespace glm

#endif
