// The header of an npy file. Byte layout:
//   1. "\x93NUMPY", major and minor version, a byte each
//   2. length of 3., little endian: 2 bytes in version 1, else 4
//   3. a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, padded with spaces
//   4. the elements
#include "loaders/npy_header.h"

#include <algorithm>
#include <charconv>

#include "analysis/core/error.h"

namespace varve {
namespace {

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
      fail("{}: the npy shape {} is damaged", where, text.substr(0, std::min<size_t>(end + 1, 200)));
    shape.push_back(extent);
    at = next;
  }
  return shape;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 12 || bytes.substr(0, npy_magic.size()) != npy_magic)
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
  NpyHeader header;
  const std::string_view type = value_of(text, "descr", where);
  const size_t quote = type.size() > 1 ? type.find('\'', 1) : std::string_view::npos;
  if (type.empty() || type[0] != '\'' || quote == std::string_view::npos)
    fail("{}: a structured npy array; a plain array of numbers is needed", where);
  header.type = type.substr(1, quote - 1);
  header.fortran = value_of(text, "fortran_order", where).substr(0, 4) == "True";
  header.shape = parse_shape(value_of(text, "shape", where), where);
  header.data_begin = begin + length;
  return header;
}

}  // namespace varve
