// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/npy/Npy.h"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>

namespace glm::npy {
namespace {

constexpr uint16_t inputMissing = 2, outputUnwritable = 6, arrayMalformed = 9;
constexpr std::string_view magic = "\x93NUMPY";

struct Kind {
  Element element;
  std::string_view descr;
  size_t bytes;
};
constexpr Kind kinds[] = {{Element::Bool, "|b1", 1},
                          {Element::Int32, "<i4", 4},
                          {Element::Int64, "<i8", 8},
                          {Element::Float32, "<f4", 4}};

const Kind &kindOf(Element element) { return kinds[static_cast<size_t>(element)]; }

/// The literal dictionary of a header, read from left to right. A read that does not fit turns `ok`
/// off.
struct Header {
  std::string_view text;
  bool ok = true;

  void skipSpace() {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n'))
      text.remove_prefix(1);
  }

  bool accept(std::string_view word) {
    skipSpace();
    if (!text.starts_with(word))
      return false;
    text.remove_prefix(word.size());
    return true;
  }

  void expect(std::string_view word) { ok &= accept(word); }

  std::string_view quoted() {
    skipSpace();
    char quote = text.empty() ? '\0' : text.front();
    size_t end = quote == '\'' || quote == '"' ? text.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      ok = false;
      return {};
    }
    std::string_view word = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return word;
  }

  int64_t number() {
    skipSpace();
    int64_t value = 0;
    size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text[digits] - '0', &value))
        ok = false;
    }
    ok &= digits != 0;
    text.remove_prefix(digits);
    return value;
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> sizes;
    expect("(");
    while (ok && !accept(")")) {
      sizes.push_back(number());
      if (!accept(",")) {
        expect(")");
        break;
      }
    }
    return sizes;
  }
};

/// What a header says, before anything is believed.
struct Description {
  std::string_view descr;
  bool fortran = false, complete = false;
  std::vector<int64_t> shape;
};

Description describe(std::string_view text) {
  Description result;
  Header header{text};
  int fields = 0;
  header.expect("{");
  while (header.ok && !header.accept("}")) {
    std::string_view field = header.quoted();
    header.expect(":");
    if (field == "descr") {
      result.descr = header.quoted();
    } else if (field == "fortran_order") {
      result.fortran = header.accept("True");
      header.ok &= result.fortran || header.accept("False");
    } else if (field == "shape") {
      result.shape = header.shape();
    } else {
      header.ok = false;
    }
    ++fields;
    if (!header.accept(",")) {
      header.expect("}");
      break;
    }
  }
  result.complete = header.ok && fields == 3;
  return result;
}

/// The number of bytes a shape takes, or nothing when it does not fit in 63 bits.
std::optional<size_t> bytesFor(std::span<const int64_t> shape, size_t element) {
  int64_t bytes = static_cast<int64_t>(element);
  for (int64_t size : shape)
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes))
      return {};
  return static_cast<size_t>(bytes);
}

std::string headerFor(Element element, std::span<const int64_t> shape) {
  std::string text =
      "{'descr': '" + std::string(kindOf(element).descr) + "', 'fortran_order': False, 'shape': (";
  // A tuple of one element ends in a comma.
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  text += shape.size() == 1 ? "," : "";
  text += "), }";
  // The data begins at a multiple of 64 bytes and the text ends in a line break.
  size_t begin = magic.size() + 4;
  text.append(63 - (begin + text.size()) % 64, ' ');
  text += '\n';
  std::string result(magic);
  result +=
      {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return result + text;
}

} // namespace

std::string Error::line() const {
  char number[16];
  std::snprintf(number, sizeof number, "GLM%04u", unsigned(code));
  std::string text = std::string("error[") + number + "]: " + thing + ": " + what;
  for (char &c : text)
    if (static_cast<unsigned char>(c) < ' ')
      c = '?';
  return text;
}

size_t bytesOf(Element element) { return kindOf(element).bytes; }

std::optional<Error> parse(std::string_view bytes, const std::string &thing, Array &array) {
  auto malformed = [&](std::string what) { return Error{arrayMalformed, thing, std::move(what)}; };
  if (bytes.size() < magic.size() + 4 || !bytes.starts_with(magic))
    return malformed("is no .npy file: it does not begin with the format's mark");
  auto byte = [&](size_t at) { return size_t(static_cast<unsigned char>(bytes[at])); };
  size_t major = byte(6), at = 8, length = 0;
  if (major != 1 && major != 2)
    return malformed("has version " + std::to_string(major) + ", versions 1 and 2 are read");
  size_t width = major == 1 ? 2 : 4;
  if (bytes.size() < at + width)
    return malformed("ends within its header");
  for (size_t i = 0; i < width; ++i)
    length |= byte(at + i) << (8 * i);
  at += width;
  if (bytes.size() - at < length)
    return malformed("ends within its header");
  Description description = describe(bytes.substr(at, length));
  at += length;
  if (!description.complete)
    return malformed("has a header that is not {'descr', 'fortran_order', 'shape'}");
  const Kind *kind = nullptr;
  for (const Kind &candidate : kinds)
    if (description.descr == candidate.descr)
      kind = &candidate;
  if (!kind)
    return malformed("holds elements of '" + std::string(description.descr) +
                     "', read are |b1, <i4, <i8 and <f4");
  if (description.fortran && description.shape.size() > 1)
    return malformed("is in Fortran order; save it with numpy.ascontiguousarray");
  std::optional<size_t> size = bytesFor(description.shape, kind->bytes);
  if (!size || *size != bytes.size() - at)
    return malformed("has " + std::to_string(bytes.size() - at) +
                     " bytes of data where its shape needs " +
                     (size ? std::to_string(*size) : "more than 2^63"));
  array.element = kind->element;
  array.shape = std::move(description.shape);
  array.data.resize(*size);
  if (*size)
    std::memcpy(array.data.data(), bytes.data() + at, *size);
  return {};
}

std::optional<Error> read(const std::string &path, Array &array) {
  auto unreadable = [&](int why) { return Error{inputMissing, path, std::strerror(why)}; };
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return unreadable(errno);
  if (!S_ISREG(status.st_mode))
    return Error{inputMissing, path, "is not a regular file"};
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return unreadable(errno);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t got = std::fread(bytes.data(), 1, bytes.size(), file);
  bool failed = std::ferror(file) != 0;
  int why = errno;
  std::fclose(file);
  if (failed)
    return unreadable(why);
  bytes.resize(got);
  return parse(bytes, path, array);
}

std::optional<Error> readIds(const std::string &path, std::vector<int64_t> &ids) {
  Array array;
  if (auto error = read(path, array))
    return error;
  bool flat = array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[0] == 1);
  bool integers = array.element == Element::Int32 || array.element == Element::Int64;
  if (!flat || !integers)
    return Error{arrayMalformed, path, "must hold token ids: one row of int32 or int64"};
  auto narrow = array.values<int32_t>();
  auto wide = array.values<int64_t>();
  ids.assign(wide.begin(), wide.end());
  if (array.element == Element::Int32)
    ids.assign(narrow.begin(), narrow.end());
  return {};
}

std::optional<Error> write(const std::string &path, Element element, std::span<const int64_t> shape,
                           std::span<const std::byte> data) {
  std::optional<size_t> size = bytesFor(shape, bytesOf(element));
  if (!size || *size != data.size())
    return Error{arrayMalformed, path, "shape and data to write differ in size"};
  std::string partial = path + ".partial-" + std::to_string(getpid());
  std::FILE *file = std::fopen(partial.c_str(), "wb");
  if (!file)
    return Error{outputUnwritable, path, std::strerror(errno)};
  std::string header = headerFor(element, shape);
  bool good = std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
              std::fwrite(data.data(), 1, data.size(), file) == data.size();
  int why = errno;
  if (std::fclose(file) != 0 && good) {
    good = false;
    why = errno;
  }
  if (good && std::rename(partial.c_str(), path.c_str()) == 0)
    return {};
  if (good)
    why = errno;
  std::remove(partial.c_str());
  return Error{outputUnwritable, path, std::strerror(why)};
}

} // namespace glm::npy
