// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two small state machines over nlohmann's SAX events. A handler returns false to stop and leaves
// its reason in `status`; the parser itself never throws here.
#include "compiler/import/Header.h"

#include "nlohmann/json.hpp"

#include <cstring>
#include <limits>

namespace glm {
namespace {

using Json = nlohmann::json;

/// What both readers share: every event that has no place is an error that says where.
class Events : public nlohmann::json_sax<Json> {
public:
  Events(Code code, std::string file) : code(code), fileName(std::move(file)) {}

  absl::Status status = absl::OkStatus();

  bool null() override { return misplaced("null"); }
  bool boolean(bool) override { return misplaced("a boolean"); }
  bool number_integer(number_integer_t) override { return misplaced("a negative number"); }
  bool number_unsigned(number_unsigned_t) override { return misplaced("a number"); }
  bool number_float(number_float_t, const string_t &text) override {
    return misplaced("the number " + text);
  }
  bool string(string_t &) override { return misplaced("a string"); }
  bool binary(binary_t &) override { return misplaced("binary data"); }
  bool start_object(std::size_t) override { return misplaced("an object"); }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return misplaced("an array"); }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string &, const Json::exception &) override {
    return fail("not valid JSON at byte " + std::to_string(position));
  }

protected:
  bool fail(std::string what) { return fail(code, fileName, std::move(what)); }
  bool fail(Code failure, std::string thing, std::string what) {
    status = codedError(failure, std::move(thing), std::move(what), "fetch the file again");
    return false;
  }
  bool misplaced(const std::string &value) {
    return fail("unexpected " + value + (context.empty() ? "" : " in the entry " + context));
  }

  Code code;
  std::string fileName, context;
};

/// `{"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, "__metadata__": {…}}`
class HeaderEvents final : public Events {
public:
  HeaderEvents(std::string file, uint32_t index, uint64_t dataBytes,
               std::pmr::memory_resource &arena, std::vector<Tensor> &tensors)
      : Events(Code::HeaderMalformed, std::move(file)), index(index), dataBytes(dataBytes),
        arena(arena), tensors(tensors) {}

  bool start_object(std::size_t) override {
    if (place == Place::Outside) {
      place = Place::Names;
      return true;
    }
    if (place != Place::Entry || inEntry)
      return misplaced("an object");
    inEntry = true;
    if (context == "__metadata__")
      place = Place::Metadata;
    return true;
  }

  bool end_object() override {
    if (place == Place::Names) {
      place = Place::Outside;
      return true;
    }
    bool metadata = place == Place::Metadata;
    place = Place::Names;
    inEntry = false;
    return metadata || finishEntry();
  }

  bool key(string_t &name) override {
    if (place == Place::Metadata)
      return true;
    if (place == Place::Names) {
      place = Place::Entry;
      context = name;
      seen = 0;
      shape.clear();
      return !name.empty() || fail("a tensor has an empty name");
    }
    return startField(name);
  }

  bool string(string_t &text) override {
    if (place == Place::Metadata)
      return true;
    if (place != Place::Entry || field != Field::Dtype)
      return misplaced("a string");
    std::optional<Dtype> parsed = parseDtype(text);
    if (!parsed)
      return fail(Code::UnknownDtype, fileName + ": " + context,
                  "dtype '" + text + "' is not known");
    dtype = *parsed;
    field = Field::None;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place != Place::Entry || inArray || (field != Field::Shape && field != Field::Offsets))
      return misplaced("an array");
    inArray = true;
    offsetCount = 0;
    return true;
  }

  bool end_array() override {
    inArray = false;
    bool complete = field != Field::Offsets || offsetCount == 2;
    field = Field::None;
    return complete || fail("data_offsets of " + context + " has " + std::to_string(offsetCount) +
                            " numbers where it needs 2");
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (!inArray)
      return misplaced("a number");
    if (field == Field::Offsets) {
      if (offsetCount < 2)
        offsets[offsetCount] = value;
      ++offsetCount;
      return true;
    }
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return fail("a dimension of " + context + " exceeds 2^63-1");
    if (shape.size() == 64)
      return fail(context + " has more than 64 dimensions");
    shape.push_back(static_cast<int64_t>(value));
    return true;
  }

private:
  enum class Place { Outside, Names, Entry, Metadata } place = Place::Outside;
  enum class Field { None, Dtype = 1, Shape = 2, Offsets = 4 } field = Field::None;

  bool startField(const std::string &name) {
    if (name == "dtype")
      field = Field::Dtype;
    else if (name == "shape")
      field = Field::Shape;
    else if (name == "data_offsets")
      field = Field::Offsets;
    else
      return fail("the entry " + context + " has an unknown field '" + name + "'");
    unsigned bit = static_cast<unsigned>(field);
    if (seen & bit)
      return fail("the entry " + context + " has " + name + " twice");
    seen |= bit;
    return true;
  }

  bool finishEntry() {
    if (seen != 7)
      return fail("the entry " + context + " lacks " +
                  (!(seen & 1)   ? "dtype"
                   : !(seen & 2) ? "shape"
                                 : "data_offsets"));
    std::string thing = fileName + ": " + context;
    if (offsets[0] > offsets[1])
      return fail(Code::OffsetsOutOfRange, thing,
                  "data_offsets begin at " + std::to_string(offsets[0]) + " after their end " +
                      std::to_string(offsets[1]));
    if (offsets[1] > dataBytes)
      return fail(Code::FileTruncated, thing,
                  "ends at byte " + std::to_string(offsets[1]) + " of the data, the file holds " +
                      std::to_string(dataBytes));
    if (!checkSize(thing))
      return false;
    append();
    return true;
  }

  bool checkSize(const std::string &thing) {
    uint64_t bits = bitsOf(dtype);
    bool overflow = false;
    for (int64_t dim : shape)
      overflow |= __builtin_mul_overflow(bits, static_cast<uint64_t>(dim), &bits);
    // A dimension of zero makes the tensor empty whatever the others are.
    if (std::ranges::find(shape, 0) != shape.end()) {
      overflow = false;
      bits = 0;
    }
    uint64_t held = offsets[1] - offsets[0];
    if (overflow)
      return fail(Code::SizeMismatch, thing,
                  std::string(nameOf(dtype)) + " " + shapeText(shape) + " overflows 64 bits");
    if (bits % 8 != 0 || bits / 8 != held)
      return fail(Code::SizeMismatch, thing,
                  std::string(nameOf(dtype)) + " " + shapeText(shape) + " needs " +
                      std::to_string(bits / 8) + " bytes, data_offsets hold " +
                      std::to_string(held));
    return true;
  }

  void append() {
    char *name = static_cast<char *>(arena.allocate(context.size(), 1));
    std::memcpy(name, context.data(), context.size());
    auto *dims = static_cast<int64_t *>(
        arena.allocate(std::max<size_t>(shape.size(), 1) * sizeof(int64_t), alignof(int64_t)));
    std::copy(shape.begin(), shape.end(), dims);
    tensors.push_back({{name, context.size()},
                       {dims, shape.size()},
                       dtype,
                       index,
                       offsets[0],
                       offsets[1] - offsets[0]});
  }

  uint32_t index;
  uint64_t dataBytes;
  std::pmr::memory_resource &arena;
  std::vector<Tensor> &tensors;
  bool inEntry = false, inArray = false;
  unsigned seen = 0, offsetCount = 0;
  Dtype dtype = Dtype::BF16;
  uint64_t offsets[2] = {};
  std::vector<int64_t> shape;
};

/// `{"metadata": {…}, "weight_map": {"name": "file"}}`; other top-level fields are skipped.
class IndexEvents final : public Events {
public:
  IndexEvents(std::string file, std::vector<std::pair<std::string, std::string>> &map)
      : Events(Code::IndexMalformed, std::move(file)), map(map) {}

  bool sawMap = false;

  bool start_object(std::size_t) override {
    ++depth;
    return !(inMap() && depth > 2) || misplaced("an object");
  }
  bool end_object() override {
    if (--depth == 1)
      top.clear();
    return true;
  }
  bool start_array(std::size_t) override {
    if (inMap() || depth == 0)
      return misplaced("an array");
    ++depth;
    return true;
  }
  bool end_array() override {
    --depth;
    return true;
  }
  bool key(string_t &name) override {
    if (depth == 1) {
      top = name;
      if (name == "weight_map") {
        if (sawMap)
          return fail("weight_map occurs twice");
        sawMap = true;
      }
    }
    context = name;
    return true;
  }
  bool string(string_t &text) override {
    if (inMap() && depth == 2)
      map.emplace_back(context, std::move(text));
    else if (inMap() || depth == 0)
      return misplaced("a string");
    return true;
  }
  bool null() override { return plain("null"); }
  bool boolean(bool) override { return plain("a boolean"); }
  bool number_integer(number_integer_t) override { return plain("a number"); }
  bool number_unsigned(number_unsigned_t) override { return plain("a number"); }
  bool number_float(number_float_t, const string_t &) override { return plain("a number"); }

private:
  bool inMap() const { return top == "weight_map"; }
  bool plain(const char *what) { return inMap() || depth == 0 ? misplaced(what) : true; }

  std::vector<std::pair<std::string, std::string>> &map;
  std::string top;
  unsigned depth = 0;
};

absl::Status outcome(bool parsed, const Events &events, Code code, const std::string &file) {
  if (parsed)
    return absl::OkStatus();
  if (!events.status.ok())
    return events.status;
  return codedError(code, file, "not valid JSON", "fetch the file again");
}

} // namespace

absl::Status parseHeader(std::string_view text, const std::string &fileName, uint32_t file,
                         uint64_t dataBytes, std::pmr::memory_resource &arena,
                         std::vector<Tensor> &tensors) {
  if (text.empty() || text.front() != '{')
    return codedError(Code::HeaderMalformed, fileName, "the header does not start with '{'",
                      "check that it is a safetensors file");
  // Writers pad with spaces; the padding is not part of the object.
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  HeaderEvents events(fileName, file, dataBytes, arena, tensors);
  bool parsed = Json::sax_parse(text.begin(), text.end(), &events);
  return outcome(parsed, events, Code::HeaderMalformed, fileName);
}

absl::Status parseIndex(std::string_view text, const std::string &fileName,
                        std::vector<std::pair<std::string, std::string>> &map) {
  IndexEvents events(fileName, map);
  bool parsed = Json::sax_parse(text.begin(), text.end(), &events);
  if (absl::Status status = outcome(parsed, events, Code::IndexMalformed, fileName); !status.ok())
    return status;
  if (!events.sawMap)
    return codedError(Code::IndexMalformed, fileName, "weight_map is missing",
                      "fetch the file again");
  return absl::OkStatus();
}

} // namespace glm
