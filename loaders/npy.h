// NumPy's files: integer arrays read from .npy and .npz, arrays written as .npz.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/core/array.h"

namespace varve {

struct IntegerArray {
  std::vector<int64_t> shape;
  std::vector<int64_t> values;  // row-major
};

// `where` names the file in errors. Throws Error for anything but a plain array of integers.
IntegerArray read_npy_integers(std::string_view bytes, const std::string& where);

// The members of a zip archive, stored or deflated, by name; sizes and checksums are verified.
std::vector<std::pair<std::string, std::string>> read_zip(std::string_view bytes, const std::string& where);

std::string npy_bytes(const Array& array);  // text becomes NumPy's fixed-width unicode
// A stored zip archive; the same members always give the same bytes.
std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace varve
