// The header of an npy file, and NumPy's element types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/strided.h"

namespace varve {

inline constexpr std::string_view npy_magic("\x93NUMPY", 6);

struct NpyHeader {
  std::string type;  // "<i4"
  bool fortran = false;
  std::vector<int64_t> shape;
  size_t data_begin = 0;
};

// `where` names the file in errors. Throws Error.
NpyHeader parse_npy_header(std::string_view bytes, const std::string& where);

// "f4" -> f32; nullopt for what no tensor here can hold.
std::optional<TensorType> numpy_type(std::string_view letters);

// `type` with its byte order in front, "<f4". `what` names file and array in errors.
StridedTensor numpy_tensor(std::string_view type, const std::vector<int64_t>& shape, bool column_major,
                           std::string_view data, const std::string& what);

// A whole npy file. Throws Error.
StridedTensor read_npy_tensor(std::string_view bytes, const std::string& where);

}  // namespace varve
