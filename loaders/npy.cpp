// One array in NumPy's own format: a magic, a version, a Python literal as header, then the numbers.
//   1. "\x93NUMPY", major, minor
//   2. header length: u16 in version 1, u32 in versions 2 and 3, little endian
//   3. {'descr': '<i4', 'fortran_order': False, 'shape': (3, 4), }, padded with spaces, ended by a newline
//   4. the numbers, row-major unless fortran_order
#include "loaders/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);

struct Header {
  std::string type;  // "<i4"
  bool fortran = false;
  std::vector<int64_t> shape;
  size_t data_begin = 0;
};

// The text after 'key': in the header's Python literal.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& where) {
  const size_t found = header.find(fmt::format("'{}':", key));
  if (found == std::string_view::npos)
    fail("{}: the npy header has no '{}'; is the file damaged?", where, key);
  std::string_view rest = header.substr(found + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

std::vector<int64_t> parse_shape(std::string_view text, const std::string& where) {
  const size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos)
    fail("{}: the npy header holds no shape; is the file damaged?", where);
  std::vector<int64_t> shape;
  const char* at = text.data() + 1;
  const char* const stop = text.data() + end;
  while (at < stop) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t extent = 0;
    const auto [next, problem] = std::from_chars(at, stop, extent);
    if (problem != std::errc() || extent < 0)
      fail("{}: the npy shape {} is damaged", where, text.substr(0, end + 1));
    shape.push_back(extent);
    at = next;
  }
  return shape;
}

Header parse_header(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 12 || bytes.substr(0, magic.size()) != magic)
    fail("{}: not an npy array (it does not begin with \\x93NUMPY)", where);
  const auto byte = [&bytes](size_t at) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[at]));
  };
  const size_t version = byte(6);
  if (version < 1 || version > 3) fail("{}: npy version {} is not known; 1 to 3 are", where, version);
  const size_t length_bytes = version == 1 ? 2 : 4;
  size_t length = byte(8) | byte(9) << 8;
  if (length_bytes == 4) length |= byte(10) << 16 | byte(11) << 24;
  const size_t begin = 8 + length_bytes;
  if (length > bytes.size() - begin) fail("{}: the npy header runs past the end of the file", where);
  const std::string_view text = bytes.substr(begin, length);
  Header header;
  const std::string_view type = value_of(text, "descr", where);
  const size_t quote = type.size() > 1 ? type.find('\'', 1) : std::string_view::npos;
  if (type.empty() || type[0] != '\'' || quote == std::string_view::npos)
    fail("{}: a structured npy array; a plain array of integers is needed", where);
  header.type = type.substr(1, quote - 1);
  header.fortran = value_of(text, "fortran_order", where).substr(0, 4) == "True";
  header.shape = parse_shape(value_of(text, "shape", where), where);
  header.data_begin = begin + length;
  return header;
}

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
  std::string out(magic);
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
  const Header header = parse_header(bytes, where);
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
