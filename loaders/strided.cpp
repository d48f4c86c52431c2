// Tensors as views into storages: bounds are checked before a byte is touched.
#include "loaders/strided.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr size_t rank_limit = 32;
// Views that have to be copied: transposed weights take the file's own size once more. A view that repeats
// one element (stride 0) could ask for any amount.
constexpr uint64_t copied_floor = 64'000'000, copied_ratio = 4;

int64_t counted(const StridedTensor& tensor, const std::string& what) {
  int64_t count = 1;
  bool overflow = false, empty = false;
  for (const int64_t extent : tensor.shape) {
    if (extent < 0) fail("{}: has the size {} along one axis; the file is damaged", what, extent);
    empty = empty || extent == 0;
    overflow = __builtin_mul_overflow(count, extent, &count) || overflow;
  }
  if (empty) return 0;
  int64_t bytes = 0;
  if (overflow || __builtin_mul_overflow(count, size_of(tensor.type), &bytes))
    fail("{}: claims more elements than any file can hold", what);
  return count;
}

// One past the last element that the view touches.
void check_bounds(const StridedTensor& tensor, const std::string& what) {
  int64_t last = tensor.begin;
  bool overflow = tensor.begin < 0;
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    int64_t reach = 0;
    if (tensor.strides[axis] < 0) fail("{}: has a negative stride; the file is damaged", what);
    overflow = __builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &reach) || overflow;
    overflow = __builtin_add_overflow(last, reach, &last) || overflow;
  }
  const auto elements = static_cast<int64_t>(tensor.storage.size()) / size_of(tensor.type);
  if (overflow || last >= elements)
    fail("{}: goes beyond its storage of {} {} elements; the file is damaged", what, elements,
         name_of(tensor.type));
}

bool lies_row_major(const StridedTensor& tensor) {
  int64_t expected = 1;
  for (size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] == 1) continue;
    if (tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

std::vector<std::byte> copied_row_major(const StridedTensor& tensor, int64_t count) {
  const auto size = static_cast<size_t>(size_of(tensor.type));
  std::vector<std::byte> out(static_cast<size_t>(count) * size);
  std::vector<int64_t> index(tensor.shape.size(), 0);
  int64_t at = tensor.begin;
  for (size_t i = 0; i < out.size(); i += size) {
    std::memcpy(out.data() + i, tensor.storage.data() + static_cast<size_t>(at) * size, size);
    for (size_t axis = tensor.shape.size(); axis-- > 0;) {
      at += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      at -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

}  // namespace

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t step = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = step;
    // An overflow belongs to a shape that is refused when its elements are counted.
    if (__builtin_mul_overflow(step, std::max<int64_t>(1, shape[axis]), &step))
      step = std::numeric_limits<int64_t>::max();
  }
  return strides;
}

FileTensor TensorPlacer::place(const std::string& name, StridedTensor tensor, const std::string& what) {
  if (tensor.shape.size() > rank_limit || tensor.shape.size() != tensor.strides.size())
    fail("{}: has {} sizes and {} strides; at most {} axes are read", what, tensor.shape.size(),
         tensor.strides.size(), rank_limit);
  // The stride of an axis that is never stepped along may be anything.
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis)
    if (tensor.shape[axis] == 1) tensor.strides[axis] = 0;
  FileTensor placed;
  placed.name = name;
  placed.view.type = tensor.type;
  placed.view.shape = tensor.shape;
  const int64_t count = counted(tensor, what);
  if (count == 0) return placed;
  check_bounds(tensor, what);
  const auto bytes = static_cast<uint64_t>(count) * static_cast<uint64_t>(size_of(tensor.type));
  if (lies_row_major(tensor)) {
    placed.view.bytes = tensor.storage.subspan(
        static_cast<size_t>(tensor.begin) * static_cast<size_t>(size_of(tensor.type)), bytes);
    const bool in_file = placed.view.bytes.data() >= file_.data() &&
                         placed.view.bytes.data() + bytes <= file_.data() + file_.size();
    placed.offset = in_file ? placed.view.bytes.data() - file_.data() : -1;
    placed.view.mapped = in_file;
    return placed;
  }
  placed.offset = -1;
  const uint64_t most = std::max(copied_floor, copied_ratio * file_.size());
  if (bytes > most || copied_ > most - bytes)
    fail(
        "{}: its views repeat so much of the file that their copies would take more than {} bytes; save it "
        "after .contiguous()",
        what, most);
  copied_ += bytes;
  copies_.push_back(copied_row_major(tensor, count));
  placed.view.bytes = copies_.back();
  return placed;
}

}  // namespace varve
