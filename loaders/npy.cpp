// Integer arrays read from npy files, arrays written as npy (layout in npy_header.cpp).
#include "loaders/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "loaders/npy_header.h"

namespace varve {
namespace {

template <class T>
std::vector<int64_t> widen(std::string_view data, size_t count, const std::string& where) {
  if (data.size() / sizeof(T) < count)
    fail("{}: the header promises {} numbers but the file holds {}", where, count, data.size() / sizeof(T));
  std::vector<int64_t> values(count);
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    if constexpr (std::is_same_v<T, uint64_t>)
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        fail("{}: the number {} is too large for a token id", where, value);
    values[i] = static_cast<int64_t>(value);
  }
  return values;
}

std::vector<int64_t> integers(const std::string& type, std::string_view data, size_t count,
                              const std::string& where) {
  if (type == "<i8") return widen<int64_t>(data, count, where);
  if (type == "<i4") return widen<int32_t>(data, count, where);
  if (type == "<i2") return widen<int16_t>(data, count, where);
  if (type == "|i1") return widen<int8_t>(data, count, where);
  if (type == "<u8") return widen<uint64_t>(data, count, where);
  if (type == "<u4") return widen<uint32_t>(data, count, where);
  if (type == "<u2") return widen<uint16_t>(data, count, where);
  if (type == "|u1") return widen<uint8_t>(data, count, where);
  fail("{}: the array is of type '{}'; integers in little-endian order are needed (astype('int64'))", where,
       type);
}

// Column-major numbers in row-major order.
std::vector<int64_t> row_major(const std::vector<int64_t>& values, const std::vector<int64_t>& shape) {
  std::vector<int64_t> out(values.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t& slot : out) {
    int64_t flat = 0, stride = 1;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      flat += index[axis] * stride;
      stride *= shape[axis];
    }
    slot = values[static_cast<size_t>(flat)];
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

// Code points; a stray byte becomes U+FFFD, so that any text can be written.
std::vector<uint32_t> code_points(const std::string& utf8) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    uint32_t code = length == 0 ? 0xFFFD : length == 1 ? lead : lead & (0xFFU >> (length + 1));
    size_t used = 1;
    while (used < length && i + used < utf8.size() && (utf8[i + used] & 0xC0) == 0x80)
      code = code << 6 | (static_cast<unsigned char>(utf8[i + used++]) & 0x3FU);
    if (length > 1 && used < length) code = 0xFFFD;
    out.push_back(code);
    i += used;
  }
  return out;
}

std::string header_bytes(const std::string& type, const std::vector<int64_t>& shape) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The data begin at a multiple of 64, as NumPy itself lays them.
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string out(npy_magic);
  out += '\x01';
  out += '\x00';
  out += static_cast<char>(text.size() & 0xFF);
  out += static_cast<char>(text.size() >> 8);
  return out + text;
}

template <class T>
std::string raw(const Array& array) {
  const std::span<const T> values = array.as<T>();
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string text_npy(const Array& array) {
  std::vector<std::vector<uint32_t>> words;
  size_t width = 1;
  for (const std::string& word : array.as<std::string>()) {
    words.push_back(code_points(word));
    width = std::max(width, words.back().size());
  }
  std::string data;
  for (std::vector<uint32_t>& word : words) {
    word.resize(width, 0);
    data.append(reinterpret_cast<const char*>(word.data()), width * sizeof(uint32_t));
  }
  return header_bytes(fmt::format("<U{}", width), array.shape()) + data;
}

}  // namespace

IntegerArray read_npy_integers(std::string_view bytes, const std::string& where) {
  const NpyHeader header = parse_npy_header(bytes, where);
  size_t count = 1;
  for (const int64_t extent : header.shape) {
    // No array holds more numbers than its file has bytes; this also keeps the product from overflowing.
    if (extent > 0 && count > bytes.size() / static_cast<size_t>(extent))
      fail("{}: the npy shape ({}) promises more than the file holds", where, fmt::join(header.shape, ", "));
    count *= static_cast<size_t>(extent);
  }
  std::vector<int64_t> values = integers(header.type, bytes.substr(header.data_begin), count, where);
  if (header.fortran && header.shape.size() > 1) values = row_major(values, header.shape);
  return {header.shape, std::move(values)};
}

std::string npy_bytes(const Array& array) {
  switch (array.dtype()) {
    case Dtype::f32:
      return header_bytes("<f4", array.shape()) + raw<float>(array);
    case Dtype::f64:
      return header_bytes("<f8", array.shape()) + raw<double>(array);
    case Dtype::i64:
      return header_bytes("<i8", array.shape()) + raw<int64_t>(array);
    case Dtype::u8:
      return header_bytes("|u1", array.shape()) + raw<uint8_t>(array);
    case Dtype::text:
      break;
  }
  return text_npy(array);
}

}  // namespace varve
