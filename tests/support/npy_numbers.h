// Numbers out of a .npy member, as doubles: only what the reference files of the tests hold.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

struct NpyNumbers {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

// Layout: 1. "\x93NUMPY", version; 2. header length, 2 bytes in version 1; 3. a Python dict as text: descr,
// fortran_order, shape; 4. the values.
inline NpyNumbers npy_numbers(std::string_view bytes) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY") throw std::runtime_error("not a .npy file");
  const size_t length = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  const std::string header(bytes.substr(10, length));
  NpyNumbers out;
  const size_t shape = header.find("'shape': (") + 10;
  int64_t number = -1;
  for (size_t i = shape; header[i] != ')'; ++i) {
    if (header[i] >= '0' && header[i] <= '9') {
      number = (number < 0 ? 0 : number) * 10 + (header[i] - '0');
    } else if (number >= 0) {
      out.shape.push_back(number);
      number = -1;
    }
  }
  if (number >= 0) out.shape.push_back(number);
  const std::string_view data = bytes.substr(10 + length);
  const auto read = [&](auto like) {
    using Stored = decltype(like);
    for (size_t at = 0; at + sizeof(Stored) <= data.size(); at += sizeof(Stored)) {
      std::memcpy(&like, data.data() + at, sizeof like);
      out.values.push_back(static_cast<double>(like));
    }
  };
  const auto is = [&header](const char* type) { return header.find(type) != std::string::npos; };
  if (is("'<f4'")) read(float{});
  if (is("'<f8'")) read(double{});
  if (is("'<i2'")) read(int16_t{});
  if (is("'<i4'")) read(int32_t{});
  if (is("'<i8'")) read(int64_t{});
  return out;
}

}  // namespace varve
