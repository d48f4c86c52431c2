// NumPy arrays of numbers and of text, and logs, brought to the axes step, row and column.
#include "loaders/table_arrays.h"

#include <cmath>
#include <cstring>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/npy.h"
#include "loaders/npy_header.h"

namespace varve {
namespace {

constexpr int64_t file_limit = 4'000'000'000;

std::vector<std::string> axes_of(size_t rank) {
  static const std::vector<std::string> names{"row", "column", "layer", "component"};
  std::vector<std::string> axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(i < names.size() ? names[i] : fmt::format("axis{}", i));
  return axes;
}

void append_utf8(std::string& out, uint32_t code, const std::string& what) {
  if (code > 0x10FFFF) fail("{}: holds {} where a character should stand; the file is damaged", what, code);
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

// "<U5": five characters of four bytes each, filled up with zeros; "|S5": five bytes.
Array text_array(const NpyHeader& header, std::string_view data, const std::string& what) {
  const bool wide = header.type[1] == 'U';
  int64_t width = 0;
  for (size_t i = 2; i < header.type.size(); ++i) {
    if (header.type[i] < '0' || header.type[i] > '9' || width > 1'000'000)
      fail("{}: the type '{}' is none of NumPy's texts", what, header.type);
    width = width * 10 + (header.type[i] - '0');
  }
  const auto each = static_cast<uint64_t>(width) * (wide ? 4 : 1);
  uint64_t count = 1;
  for (const int64_t extent : header.shape)
    if (extent < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(extent), &count) ||
        count > 100'000'000)
      fail("{}: an array of impossible size; the file is damaged", what);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(count, each, &bytes) || bytes != data.size())
    fail("{}: {} bytes of text where its shape takes {}", what, data.size(), bytes);
  std::vector<std::string> texts(count);
  for (uint64_t i = 0; i < count; ++i)
    for (int64_t k = 0; k < width; ++k) {
      uint32_t code = 0;
      if (wide)
        std::memcpy(&code, data.data() + i * each + static_cast<uint64_t>(k) * 4, 4);
      else
        code = static_cast<unsigned char>(data[i * each + static_cast<uint64_t>(k)]);
      if (code == 0) break;
      append_utf8(texts[i], code, what);
    }
  return Array(axes_of(header.shape.size()), header.shape, std::move(texts));
}

template <class Stored, class Out>
std::vector<Out> widened(const StridedTensor& tensor) {
  int64_t count = 1;
  for (const int64_t extent : tensor.shape) count *= extent;
  std::vector<Out> out;
  out.reserve(static_cast<size_t>(count));
  std::vector<int64_t> index(tensor.shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t flat = tensor.begin;
    for (size_t axis = 0; axis < index.size(); ++axis) flat += index[axis] * tensor.strides[axis];
    Stored value;
    std::memcpy(&value, tensor.storage.data() + static_cast<size_t>(flat) * sizeof value, sizeof value);
    out.push_back(static_cast<Out>(value));
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < tensor.shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

Array number_array(std::string_view bytes, const std::string& what) {
  const StridedTensor tensor = read_npy_tensor(bytes, what);
  const auto made = [&](auto values) {
    return Array(axes_of(tensor.shape.size()), tensor.shape, std::move(values));
  };
  switch (tensor.type) {
    case TensorType::f64:
      return made(widened<double, double>(tensor));
    case TensorType::f32:
      return made(widened<float, float>(tensor));
    case TensorType::i64:
      return made(widened<int64_t, int64_t>(tensor));
    case TensorType::i32:
      return made(widened<int32_t, int64_t>(tensor));
    case TensorType::i16:
      return made(widened<int16_t, int64_t>(tensor));
    case TensorType::i8:
      return made(widened<int8_t, int64_t>(tensor));
    case TensorType::u8:
    case TensorType::boolean:
      return made(widened<uint8_t, int64_t>(tensor));
    default:
      break;
  }
  fail("{}: arrays of {} are not read as tables; convert with astype('float32')", what, name_of(tensor.type));
}

Array array_of(std::string_view bytes, const std::string& what) {
  const NpyHeader header = parse_npy_header(bytes, what);
  const bool text = header.type.size() > 2 && (header.type[1] == 'U' || header.type[1] == 'S');
  if (!text) return number_array(bytes, what);
  if (header.type[0] == '>') fail("{}: big-endian text is not read", what);
  return text_array(header, bytes.substr(header.data_begin), what);
}

// 3 with texts ["prose", "code", ...] -> "math"; left alone where a number has no text.
Array named_by(const Array& numbers, const Array& names) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < numbers.size(); ++i) {
    const auto at = static_cast<int64_t>(numbers.number(i));
    if (at < 0 || at >= names.size()) return numbers;
    texts.push_back(names.text(at));
  }
  return Array(numbers.axes(), numbers.shape(), std::move(texts));
}

}  // namespace

Dataset read_numpy_table(const std::string& path) {
  const std::string file = read_file(path, file_limit);
  std::map<std::string, Array> arrays;
  if (path.ends_with(".npy")) {
    arrays.emplace("values", array_of(file, path));
  } else {
    for (const auto& [member, bytes] : read_zip(file, path)) {
      const std::string name = member.ends_with(".npy") ? member.substr(0, member.size() - 4) : member;
      arrays.emplace(name, array_of(bytes, path + ":" + name));
    }
  }
  const Array* steps = nullptr;
  for (const char* known : {"steps", "step"})
    if (const auto found = arrays.find(known);
        found != arrays.end() && found->second.axes().size() == 1 && found->second.dtype() == Dtype::i64)
      steps = &found->second;
  Dataset data;
  for (const auto& [name, array] : arrays) {
    if (&array == steps || array.axes().empty()) continue;
    Array mine = array;
    if (const auto names = arrays.find(name + "_names");
        names != arrays.end() && names->second.dtype() == Dtype::text && array.dtype() == Dtype::i64)
      mine = named_by(array, names->second);
    std::vector<std::string> axes = mine.axes();
    if (steps && mine.shape()[0] == steps->size()) axes[0] = "step";
    // Arrays of one file need not share anything: axes of another length get names of their own.
    for (size_t i = 0; i < axes.size(); ++i)
      while (data.has_axis(axes[i]) && data.extent(axes[i]) != mine.shape()[i]) axes[i] += "'";
    data.set(name, Array(axes, mine.shape(), mine.values()));
  }
  if (data.arrays().empty()) fail("{}: holds no array", path);
  if (steps && data.has_axis("step"))
    data.set_coord("step", Array({"step"}, {steps->size()}, steps->values()));
  return data;
}

Dataset rows_as_steps(const Dataset& log) {
  const Array* const ticks = log.coord("row");
  if (!ticks) return log;
  std::map<int64_t, size_t> place;
  for (int64_t i = 0; i < ticks->size(); ++i) place[static_cast<int64_t>(ticks->number(i))] = 0;
  std::vector<int64_t> steps;
  for (auto& [step, at] : place) at = steps.size(), steps.push_back(step);
  Dataset data;
  data.title = log.title;
  data.notes = log.notes;
  for (const auto& [name, array] : log.arrays()) {
    if (array.axes() != std::vector<std::string>{"row"} || array.dtype() == Dtype::text) continue;
    std::vector<double> column(steps.size(), std::nan(""));
    for (int64_t i = 0; i < array.size(); ++i)
      if (!std::isnan(array.number(i)))
        column[place[static_cast<int64_t>(ticks->number(i))]] = array.number(i);
    data.set(name, Array({"step"}, {static_cast<int64_t>(steps.size())}, std::move(column)));
  }
  const auto count = static_cast<int64_t>(steps.size());
  data.set_coord("step", Array({"step"}, {count}, std::move(steps)));
  return data;
}

Dataset chosen_array(const Dataset& data, const std::string& name) {
  Dataset one;
  one.title = data.title;
  one.provenance = data.provenance;
  one.notes = data.notes;
  one.set(name, data[name]);
  for (const std::string& axis : data[name].axes())
    if (const Array* ticks = data.coord(axis)) one.set_coord(axis, *ticks);
  return one;
}

}  // namespace varve
