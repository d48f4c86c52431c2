// Tensors as views into storages: handed out in place where their elements lie row-major, else copied in
// their own type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "loaders/format.h"

namespace varve {

struct StridedTensor {
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape, strides;  // strides in elements, none negative
  int64_t begin = 0;                    // first element
  std::span<const std::byte> storage;
};

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape);

// Turns views into file tensors. `file` is the mapped file: what lies in it keeps its offset. Copies live as
// long as this does and may not be many times the file.
class TensorPlacer {
 public:
  explicit TensorPlacer(std::span<const std::byte> file) : file_(file) {}
  // `what` names file and tensor in errors. Throws Error where the view leaves its storage.
  FileTensor place(const std::string& name, StridedTensor tensor, const std::string& what);

 private:
  std::span<const std::byte> file_;
  uint64_t copied_ = 0;
  std::deque<std::vector<std::byte>> copies_;
};

}  // namespace varve
