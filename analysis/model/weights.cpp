// Recipes executed: strided views over raw tensors where strides can say it, a rearranged copy where they
// cannot.
#include "analysis/model/weights.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

// A tensor seen through shape and strides, both in elements, from `base` on.
struct Strided {
  RawType type = RawType::f32;
  std::vector<int64_t> shape, strides;
  const std::byte* base = nullptr;
  std::shared_ptr<const std::vector<std::byte>> owned;
  bool mapped = false;
};

int64_t product(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count))
      fail("tensor '{}': the shape {} is not possible", name, shape);
  return count;
}

std::vector<int64_t> packed_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

// The strides under which the same elements, in the same order, have another shape. Axes are matched in
// groups of equal product; a group of several old axes must lie without gaps. Absent where it does not.
std::optional<std::vector<int64_t>> reshaped(const Strided& from, const std::vector<int64_t>& shape) {
  std::vector<int64_t> old_shape, old_strides;
  for (size_t axis = 0; axis < from.shape.size(); ++axis)
    if (from.shape[axis] != 1) {
      old_shape.push_back(from.shape[axis]);
      old_strides.push_back(from.strides[axis]);
    }
  std::vector<int64_t> strides(shape.size(), 1);
  size_t old_begin = 0, begin = 0;
  while (old_begin < old_shape.size() && begin < shape.size()) {
    size_t old_end = old_begin + 1, end = begin + 1;
    int64_t old_count = old_shape[old_begin], count = shape[begin];
    while (old_count != count) {
      if (count < old_count) {
        if (end == shape.size()) return std::nullopt;
        count *= shape[end++];
      } else {
        if (old_end == old_shape.size()) return std::nullopt;
        old_count *= old_shape[old_end++];
      }
    }
    for (size_t axis = old_begin; axis + 1 < old_end; ++axis)
      if (old_strides[axis] != old_shape[axis + 1] * old_strides[axis + 1]) return std::nullopt;
    int64_t stride = old_strides[old_end - 1];
    for (size_t axis = end; axis-- > begin;) {
      strides[axis] = stride;
      stride *= shape[axis];
    }
    old_begin = old_end;
    begin = end;
  }
  return strides;
}

Strided packed_copy(const Strided& from, int64_t count) {
  const size_t size = bytes_of(from.type);
  auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(count) * size);
  std::vector<int64_t> index(from.shape.size(), 0);
  int64_t offset = 0;
  // The last axis is copied in one stretch where its elements lie side by side.
  const int64_t run = !from.shape.empty() && from.strides.back() == 1 ? from.shape.back() : 1;
  const size_t axes = run > 1 ? from.shape.size() - 1 : from.shape.size();
  std::byte* out = bytes->data();
  for (int64_t done = 0; done < count; done += run) {
    std::memcpy(out, from.base + static_cast<size_t>(offset) * size, static_cast<size_t>(run) * size);
    out += static_cast<size_t>(run) * size;
    for (size_t axis = axes; axis-- > 0;) {
      offset += from.strides[axis];
      if (++index[axis] < from.shape[axis]) break;
      offset -= from.strides[axis] * from.shape[axis];
      index[axis] = 0;
    }
  }
  return {from.type, from.shape, packed_strides(from.shape), bytes->data(), bytes, false};
}

Strided taken(const std::string& name, const TensorTake& take, const RawTensor& raw) {
  const int64_t count = product(take.source, raw.shape);
  const size_t size = bytes_of(raw.type);
  if (count > 0 && raw.bytes.size() / size != static_cast<size_t>(count))
    fail("tensor '{}': its shape {} needs {} values of {} bytes but it has {} bytes", take.source, raw.shape,
         count, size, raw.bytes.size());
  Strided at{raw.type,  take.view.empty() ? raw.shape : take.view, {}, raw.bytes.data(), raw.owned,
             raw.mapped};
  if (product(take.source, at.shape) != count)
    fail("tensor '{}': '{}' has the shape {}, which cannot be seen as {}", name, take.source, raw.shape,
         at.shape);
  at.strides = packed_strides(at.shape);
  if (take.axis >= 0) {
    if (take.axis >= static_cast<int64_t>(at.shape.size()) || take.begin < 0 || take.end < take.begin ||
        take.end > at.shape[static_cast<size_t>(take.axis)])
      fail("tensor '{}': '{}' has the shape {}, which has no slice {}:{} along axis {}", name, take.source,
           at.shape, take.begin, take.end, take.axis);
    const size_t axis = static_cast<size_t>(take.axis);
    at.base += static_cast<size_t>(take.begin * at.strides[axis]) * size;
    at.shape[axis] = take.end - take.begin;
  }
  if (!take.permute.empty()) {
    std::vector<int64_t> sorted = take.permute;
    std::sort(sorted.begin(), sorted.end());
    bool permutation = sorted.size() == at.shape.size();
    for (size_t axis = 0; permutation && axis < sorted.size(); ++axis)
      permutation = sorted[axis] == static_cast<int64_t>(axis);
    if (!permutation) fail("tensor '{}': {} does not reorder {} axes", name, take.permute, at.shape.size());
    Strided turned = at;
    for (size_t axis = 0; axis < sorted.size(); ++axis) {
      turned.shape[axis] = at.shape[static_cast<size_t>(take.permute[axis])];
      turned.strides[axis] = at.strides[static_cast<size_t>(take.permute[axis])];
    }
    at = turned;
  }
  const int64_t taken_count = product(name, at.shape);
  if (product(name, take.shape) != taken_count || taken_count == 0)
    fail("tensor '{}': '{}' gives the shape {} where {} is wanted", name, take.source, at.shape, take.shape);
  std::optional<std::vector<int64_t>> strides = reshaped(at, take.shape);
  if (!strides) {
    at = packed_copy(at, taken_count);
    if (raw.mapped) done_with(raw.bytes);
    strides = packed_strides(take.shape);
  }
  at.shape = take.shape;
  at.strides = *strides;
  return at;
}

template <class T>
std::vector<T> vector_of(const std::string& name, const Strided& from) {
  if (from.shape.size() != 1) fail("tensor '{}': it has the shape {}, not one axis", name, from.shape);
  std::vector<T> values(static_cast<size_t>(from.shape[0]));
  widen(from.type, from.base, from.strides[0], from.shape[0], values.data());
  return values;
}

const TensorTake& take_of(const TensorRecipe& recipe, const std::string& name) {
  const auto found = recipe.find(name);
  if (found == recipe.end()) fail("this model has no tensor '{}'", name);
  return found->second;
}

// The pieces NAME#axis.0, NAME#axis.1 ... side by side along that axis, in a copy.
Strided stacked(const TensorRecipe& recipe, const TensorSource& source, const std::string& name,
                size_t axis) {
  Strided whole;
  std::vector<Strided> pieces;
  int64_t total = 0;
  for (auto at = recipe.find(fmt::format("{}#{}.0", name, axis)); at != recipe.end();
       at = recipe.find(fmt::format("{}#{}.{}", name, axis, pieces.size()))) {
    const Strided piece = taken(at->first, at->second, source(at->second.source));
    pieces.push_back(packed_copy(piece, product(at->first, piece.shape)));
    const Strided &first = pieces.front(), &last = pieces.back();
    bool fits =
        last.type == first.type && last.shape.size() == first.shape.size() && axis < last.shape.size();
    for (size_t other = 0; fits && other < last.shape.size(); ++other)
      fits = other == axis || last.shape[other] == first.shape[other];
    if (!fits) fail("tensor '{}': its pieces differ in type or shape", name);
    total += last.shape[axis];
  }
  if (pieces.empty()) fail("this model has no tensor '{}'", name);
  whole.type = pieces.front().type;
  whole.shape = pieces.front().shape;
  whole.shape[axis] = total;
  const size_t rows = axis == 0 ? 1 : static_cast<size_t>(whole.shape[0]);
  auto bytes = std::make_shared<std::vector<std::byte>>();
  for (size_t row = 0; row < rows; ++row)
    for (const Strided& piece : pieces) {
      const size_t run = piece.owned->size() / rows;
      bytes->insert(bytes->end(), piece.owned->begin() + static_cast<long>(row * run),
                    piece.owned->begin() + static_cast<long>((row + 1) * run));
    }
  whole.strides = packed_strides(whole.shape);
  whole.base = bytes->data();
  whole.owned = bytes;
  return whole;
}

Strided found(const TensorRecipe& recipe, const TensorSource& source, const std::string& name) {
  if (recipe.count(name) == 0)
    for (size_t axis : {0, 1})
      if (recipe.count(fmt::format("{}#{}.0", name, axis)) > 0) return stacked(recipe, source, name, axis);
  const TensorTake& take = take_of(recipe, name);
  return taken(name, take, source(take.source));
}

template <class T>
void widen_matrix_rows(const Matrix& matrix, int64_t first, int64_t count, T* out) {
  const size_t size = bytes_of(matrix.type);
  const std::byte* base = matrix.base + static_cast<size_t>(first * matrix.row_stride) * size;
  if (matrix.column_stride == 1) {
    for (int64_t row = 0; row < count; ++row)
      widen(matrix.type, base + static_cast<size_t>(row * matrix.row_stride) * size, 1, matrix.columns,
            out + row * matrix.columns);
    return;
  }
  // Columns lie far apart (a stored transpose): read along the rows of the file and turn small squares, so
  // that neither side is walked with long jumps.
  constexpr int64_t square = 32;
  T tile[square];
  for (int64_t row = 0; row < count; row += square) {
    const int64_t rows = std::min(square, count - row);
    for (int64_t column = 0; column < matrix.columns; ++column) {
      widen(matrix.type,
            base + static_cast<size_t>(row * matrix.row_stride + column * matrix.column_stride) * size,
            matrix.row_stride, rows, tile);
      for (int64_t i = 0; i < rows; ++i) out[(row + i) * matrix.columns + column] = tile[i];
    }
  }
}

}  // namespace

Weights::Weights(ModelSpec spec, TensorRecipe recipe, TensorSource source, StretchSource stretches)
    : spec_(std::move(spec)),
      recipe_(std::move(recipe)),
      source_(std::move(source)),
      stretches_(std::move(stretches)) {
  check(spec_);
}

bool Weights::has(const std::string& canonical) const {
  return recipe_.count(canonical) > 0 || recipe_.count(canonical + "#0.0") > 0 ||
         recipe_.count(canonical + "#1.0") > 0;
}

Matrix Weights::matrix(const std::string& canonical) const {
  Strided from = found(recipe_, source_, canonical);
  if (from.shape.size() != 2) fail("tensor '{}': it has the shape {}, not two axes", canonical, from.shape);
  return {from.type,       from.shape[0], from.shape[1], from.strides[0],
          from.strides[1], from.base,     from.owned,    from.mapped};
}

std::vector<float> Weights::vector_f32(const std::string& canonical) const {
  return vector_of<float>(canonical, found(recipe_, source_, canonical));
}

std::vector<double> Weights::vector_f64(const std::string& canonical) const {
  return vector_of<double>(canonical, found(recipe_, source_, canonical));
}

void widen_rows(const Matrix& matrix, int64_t first, int64_t count, float* out) {
  widen_matrix_rows(matrix, first, count, out);
}
void widen_rows(const Matrix& matrix, int64_t first, int64_t count, double* out) {
  widen_matrix_rows(matrix, first, count, out);
}

void release_rows(const Matrix& matrix, int64_t first, int64_t count) {
  if (!matrix.mapped || matrix.column_stride != 1 || matrix.row_stride < matrix.columns || count < 1) return;
  const size_t size = bytes_of(matrix.type);
  done_with({matrix.base + static_cast<size_t>(first * matrix.row_stride) * size,
             static_cast<size_t>((count - 1) * matrix.row_stride + matrix.columns) * size});
}

std::vector<std::span<const std::byte>> Weights::stretches(const std::string& prefix) const {
  std::vector<std::span<const std::byte>> found;
  if (!stretches_) return found;
  std::set<std::string> seen;
  for (auto at = recipe_.lower_bound(prefix); at != recipe_.end() && at->first.starts_with(prefix); ++at) {
    if (!seen.insert(at->second.source).second) continue;
    const std::vector<std::span<const std::byte>> some = stretches_(at->second.source);
    found.insert(found.end(), some.begin(), some.end());
  }
  return found;
}

void Weights::release(const std::string& prefix) const {
  for (const std::span<const std::byte>& bytes : stretches(prefix)) done_with(bytes);
}

}  // namespace varve
