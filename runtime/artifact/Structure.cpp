// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One walk for all tables, led by a description that the build makes from program.fbs. The code
// that flatbuffers generates for the same purpose is a function for each table, nine times as
// large.
#include "runtime/artifact/Structure.h"

#include <cstring>

namespace glm::runtime {

namespace {

enum class Form : uint8_t {
  inPlace, // value: bytes
  string,
  strings,   // a vector of them
  vector,    // value: bytes of an element
  table,     // value: its number
  tables,    // a vector of them
  unionType, // stands before `oneOf`; value: how many tables the union has
  oneOf      // value: number of the union's first table
};

struct Field final {
  Form form;
  bool required;
  uint8_t value;
};

#include "runtime/schema/program_layout.inc" // fields of all tables, and where each begins

class Walk final {
public:
  Walk(const uint8_t *bytes, size_t size) : bytes(bytes), size(size) {}

  bool follow(size_t &at) const;
  bool table(size_t at, uint32_t number);

private:
  static constexpr uint32_t maxDepth = 64, maxTables = 10000000;

  template <typename T> T read(size_t at) const {
    T value;
    memcpy(&value, bytes + at, sizeof(value));
    return value;
  }
  bool inside(size_t at, size_t length, size_t alignment) const {
    return at % alignment == 0 && length < size && at <= size - length;
  }
  bool elements(size_t at, size_t elementSize, uint32_t &count) const;
  bool field(const Field &field, size_t at, uint8_t type);
  bool element(Form form, size_t at, uint32_t number);

  const uint8_t *bytes;
  size_t size;
  uint32_t depth = 0, tables = 0;
};

} // namespace

// An offset counts from where it lies.
bool Walk::follow(size_t &at) const {
  if (!inside(at, 4, 4))
    return false;
  auto distance = read<uint32_t>(at);
  at += distance;
  return distance != 0 && distance <= INT32_MAX && inside(at, 1, 1);
}

bool Walk::elements(size_t at, size_t elementSize, uint32_t &count) const {
  if (!inside(at, 4, 4))
    return false;
  count = read<uint32_t>(at);
  return inside(at + 4, count * elementSize, elementSize < 8 ? elementSize : 8);
}

bool Walk::element(Form form, size_t at, uint32_t number) {
  if (form == Form::table)
    return table(at, number);
  uint32_t length;
  return elements(at, 1, length) && inside(at + 4 + length, 1, 1) && !bytes[at + 4 + length];
}

bool Walk::field(const Field &field, size_t at, uint8_t type) {
  if (field.form == Form::inPlace || field.form == Form::unionType) {
    size_t length = field.form == Form::inPlace ? field.value : 1;
    return inside(at, length, length < 8 ? length : 8);
  }
  if (!follow(at))
    return false;
  uint32_t count;
  switch (field.form) {
  case Form::vector:
    return elements(at, field.value, count);
  case Form::oneOf: // a type from the future is refused by who knows what it would be
    return type == 0 || type > (&field)[-1].value || table(at, field.value + type - 1u);
  case Form::strings:
  case Form::tables:
    if (!elements(at, 4, count))
      return false;
    for (uint32_t i = 0; i < count; ++i) {
      size_t item = at += 4;
      if (!follow(item) ||
          !element(field.form == Form::tables ? Form::table : Form::string, item, field.value))
        return false;
    }
    return true;
  default:
    return element(field.form, at, field.value);
  }
}

bool Walk::table(size_t at, uint32_t number) {
  if (depth >= maxDepth || tables >= maxTables || !inside(at, 4, 4))
    return false;
  // Wherever this points to, it is compared as an unsigned number.
  size_t offsets = at - size_t(int64_t(read<int32_t>(at)));
  if (!inside(offsets, 2, 2))
    return false;
  auto length = read<uint16_t>(offsets);
  if (!inside(offsets, length, 2) || length % 2 != 0)
    return false;
  ++depth;
  ++tables;
  uint8_t type = 0; // of the union whose type came last
  for (uint32_t i = begins[number], slot = 4; i < begins[number + 1]; ++i, slot += 2) {
    size_t offset = slot < length ? read<uint16_t>(offsets + slot) : 0;
    if (offset ? !field(fields[i], at + offset, type) : fields[i].required)
      return false;
    if (fields[i].form == Form::unionType)
      type = offset ? bytes[at + offset] : 0;
  }
  --depth;
  return true;
}

bool isProgram(const uint8_t *bytes, size_t size) {
  size_t root = 0;
  Walk walk(bytes, size);
  return size > 8 && memcmp(bytes + 4, "GLMP", 4) == 0 && walk.follow(root) && walk.table(root, 0);
}

} // namespace glm::runtime
