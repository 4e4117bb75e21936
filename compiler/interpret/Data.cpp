// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/interpret/Data.h"

#include "dialects/glm/Glm.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

namespace glm::interpret {

Element elementOf(mlir::Type type) {
  if (auto cache = llvm::dyn_cast<model::CacheType>(type))
    type = cache.getElementType();
  type = mlir::getElementTypeOrSelf(type);
  if (type.isInteger(8))
    return Element::I8;
  if (type.isInteger(4))
    return Element::I4;
  if (llvm::isa<mlir::Float8E4M3FNType>(type))
    return Element::F8E4M3;
  if (type.isF16())
    return Element::F16;
  return type.isBF16() ? Element::BF16 : type.isF64() ? Element::F64 : Element::F32;
}

size_t bytesOf(Element element, size_t count) {
  switch (element) {
  case Element::I4:
    return (count + 1) / 2;
  case Element::I8:
  case Element::F8E4M3:
    return count;
  case Element::BF16:
  case Element::F16:
    return 2 * count;
  case Element::F32:
    return 4 * count;
  case Element::F64:
    return 8 * count;
  }
  return 0;
}

float fromF8E4M3(uint8_t code) {
  int exponent = code >> 3 & 15, mantissa = code & 7;
  float magnitude = exponent == 15 && mantissa == 7 ? NAN
                    : exponent == 0 ? std::ldexp(float(mantissa), -9)
                                    : std::ldexp(float(8 + mantissa), exponent - 10);
  return code & 0x80 ? -magnitude : magnitude;
}

double roundedToF16(double value) {
  if (!std::isfinite(value) || value == 0)
    return value;
  int exponent;
  std::frexp(value, &exponent);
  double step = std::ldexp(1.0, std::max(exponent, -13) - 11);
  double result = std::nearbyint(value / step) * step;
  return std::abs(result) >= 0x1p16 ? std::copysign(HUGE_VAL, value) : result;
}

float roundedToBf16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return std::bit_cast<float>((bits | 0x400000u) & 0xffff0000u);
  return std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}

double roundedToBf16(double value) {
  if (!std::isfinite(value) || value == 0)
    return value;
  // The distance of neighbours: 8 bits of significand, and no exponent below that of f32.
  int exponent;
  std::frexp(value, &exponent);
  double step = std::ldexp(1.0, std::max(exponent, -125) - 8);
  double result = std::nearbyint(value / step) * step;
  return std::abs(result) >= 0x1p128 ? std::copysign(HUGE_VAL, value) : result;
}

static size_t product(const std::vector<int64_t> &sizes) {
  size_t total = 1;
  for (int64_t size : sizes)
    total *= static_cast<size_t>(size);
  return total;
}

template <typename T>
Tensor<T>::Tensor(std::vector<int64_t> shape, Element element)
    : sizes(std::move(shape)), total(product(sizes)), kind(element),
      numbers(std::make_shared<std::vector<T>>(total)) {}

template <typename T>
Tensor<T>::Tensor(std::vector<int64_t> shape, Element element,
                  std::vector<const std::byte *> pieces)
    : sizes(std::move(shape)), total(product(sizes)), kind(element), pieces(std::move(pieces)) {}

template <typename Stored, typename T>
static void widen(const std::byte *bytes, size_t length, T *result) {
  for (size_t i = 0; i < length; ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof stored, sizeof stored);
    if constexpr (std::is_same_v<Stored, uint16_t>)
      result[i] = static_cast<T>(std::bit_cast<float>(uint32_t(stored) << 16));
    else
      result[i] = static_cast<T>(stored);
  }
}

template <typename T>
const T *Tensor<T>::read(size_t first, size_t length, std::vector<T> &scratch) const {
  assert(first + length <= total && "read beyond a tensor");
  if (!isMapped())
    return numbers->data() + first;
  size_t each = total / pieces.size(), piece = length ? first / each : 0;
  scratch.resize(length);
  widenFrom(pieces[piece], first - piece * each, length, scratch.data());
  return scratch.data();
}

template <typename T>
void Tensor<T>::widenFrom(const std::byte *piece, size_t first, size_t length, T *result) const {
  switch (kind) {
  case Element::BF16:
    return widen<uint16_t>(piece + 2 * first, length, result);
  case Element::F16: // no file has them
  case Element::F32:
    return widen<float>(piece + 4 * first, length, result);
  case Element::F64:
    return widen<double>(piece + 8 * first, length, result);
  case Element::I8:
    return widen<int8_t>(piece + first, length, result);
  case Element::F8E4M3:
    for (size_t i = 0; i < length; ++i)
      result[i] = fromF8E4M3(static_cast<uint8_t>(piece[first + i]));
    return;
  case Element::I4:
    for (size_t i = 0; i < length; ++i) {
      size_t row = (first + i) / size(rank() - 1), column = (first + i) % size(rank() - 1);
      auto pair = static_cast<uint8_t>(piece[row / 2 * size(rank() - 1) + column]);
      int nibble = row % 2 ? pair >> 4 : pair & 15;
      result[i] = static_cast<T>(nibble < 8 ? nibble : nibble - 16);
    }
    return;
  }
}

template <typename T> Tensor<T> Tensor<T>::held() const {
  if (!isMapped())
    return *this;
  Tensor result(sizes, kind);
  std::vector<T> scratch;
  size_t each = total / pieces.size();
  for (size_t piece = 0; piece < pieces.size(); ++piece)
    std::copy_n(read(piece * each, each, scratch), each, result.data() + piece * each);
  return result;
}

template <typename T> void Tensor<T>::round() {
  if (kind != Element::BF16 && kind != Element::F16)
    return;
  for (T &number : *numbers)
    number = rounded(number, kind);
}

size_t Selection::longest() const {
  size_t result = 0;
  for (size_t i = 0; i < rows(); ++i)
    result = std::max(result, row(i).size());
  return result;
}

void Selection::append(std::span<const int32_t> positions) {
  ids.insert(ids.end(), positions.begin(), positions.end());
  begin.push_back(ids.size());
}

template <typename T>
auto Routing<T>::byExpert(std::vector<size_t> &begin) const -> std::vector<Pair> {
  begin.assign(experts + 1, 0);
  for (int32_t id : ids)
    ++begin[static_cast<size_t>(id) + 1];
  for (size_t e = 0; e < experts; ++e)
    begin[e + 1] += begin[e];
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  std::vector<Pair> pairs(ids.size());
  for (size_t index = 0; index < ids.size(); ++index)
    pairs[next[static_cast<size_t>(ids[index])]++] = {index / topK, index};
  return pairs;
}

template <typename T> T encode(const T *values, size_t count, T *codes) {
  T most = 0;
  for (size_t c = 0; c < count; ++c)
    most = std::max(most, std::abs(values[c]));
  T inverse = most > 0 ? T(127) / most : T(0);
  for (size_t c = 0; c < count; ++c)
    codes[c] = std::nearbyint(values[c] * inverse);
  return most / T(127);
}

template float encode<float>(const float *, size_t, float *);
template double encode<double>(const double *, size_t, double *);

template <typename T> bool Cache<T>::holds(int32_t slot, int32_t position) const {
  auto found = slots.find(slot);
  return found != slots.end() && position >= 0 &&
         static_cast<size_t>(position) < found->second.size() / columns;
}

template <typename T> const T *Cache<T>::row(int32_t slot, int32_t position) const {
  return slots.find(slot)->second.data() + static_cast<size_t>(position) * columns;
}

template <typename T> bool Cache<T>::write(int32_t slot, int32_t position, const T *values) {
  std::vector<T> &stored = slots[slot];
  size_t at = static_cast<size_t>(position) * columns;
  if (position < 0 || at > stored.size())
    return false;
  if (at == stored.size())
    stored.resize(at + columns);
  if (kind == Element::I8) {
    stored[at + width()] = encode(values, width(), &stored[at]);
    return true;
  }
  for (size_t c = 0; c < columns; ++c)
    stored[at + c] = rounded(values[c], kind);
  return true;
}

template class Tensor<float>;
template class Tensor<double>;
template struct Routing<float>;
template struct Routing<double>;
template class Cache<float>;
template class Cache<double>;

} // namespace glm::interpret
