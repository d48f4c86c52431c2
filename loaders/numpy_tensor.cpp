// NumPy arrays as tensors: their element types, their order, and whether their bytes are all there.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/npy_header.h"

namespace varve {

std::optional<TensorType> numpy_type(std::string_view letters) {
  static constexpr std::pair<const char*, TensorType> types[] = {
      {"f8", TensorType::f64}, {"f4", TensorType::f32}, {"f2", TensorType::f16},
      {"i8", TensorType::i64}, {"i4", TensorType::i32}, {"i2", TensorType::i16},
      {"i1", TensorType::i8},  {"u1", TensorType::u8},  {"b1", TensorType::boolean}};
  for (const auto& [name, type] : types)
    if (letters == name) return type;
  return std::nullopt;
}

StridedTensor numpy_tensor(std::string_view type, const std::vector<int64_t>& shape, bool column_major,
                           std::string_view data, const std::string& what) {
  const std::optional<TensorType> known = type.empty() ? std::nullopt : numpy_type(type.substr(1));
  if (!known)
    fail(
        "{}: an array of type '{}', which is not read; f8 f4 f2 i8 i4 i2 i1 u1 b1 are. Convert it with "
        "astype('float32')",
        what, type);
  if (type.front() == '>' && size_of(*known) > 1)
    fail("{}: an array in big-endian order ('{}'), which is not read; convert it with astype('<{}')", what,
         type, type.substr(1));
  StridedTensor tensor;
  tensor.type = *known;
  tensor.shape = shape;
  uint64_t bytes = static_cast<uint64_t>(size_of(*known));
  for (const int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
      fail("{}: an array of impossible size; the file is damaged", what);
  if (bytes != data.size())
    fail("{}: an array of {} bytes where its shape takes {}; was the file cut short?", what, data.size(),
         bytes);
  tensor.strides = row_major_strides(shape);
  if (column_major) {
    const std::vector<int64_t> turned(shape.rbegin(), shape.rend());
    tensor.strides = row_major_strides(turned);
    std::reverse(tensor.strides.begin(), tensor.strides.end());
  }
  tensor.storage = std::as_bytes(std::span(data));
  return tensor;
}

StridedTensor read_npy_tensor(std::string_view bytes, const std::string& where) {
  const NpyHeader header = parse_npy_header(bytes, where);
  return numpy_tensor(header.type, header.shape, header.fortran, bytes.substr(header.data_begin), where);
}

}  // namespace varve
