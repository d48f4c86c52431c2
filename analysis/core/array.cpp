// What an Array promises about its axes, shape and values.
#include "analysis/core/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "analysis/core/error.h"

namespace varve {
namespace {

int64_t product(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  bool none = false;  // an extent of 0 must not hide an overflow-free product of the others
  for (int64_t extent : shape) {
    if (extent < 0)
      fail("an array was asked for with the shape [{}]; an extent cannot be negative",
           fmt::join(shape, ", "));
    if (extent == 0) none = true;
  }
  if (none) return 0;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(size, extent, &size))
      fail("an array of shape [{}] has more values than can be counted", fmt::join(shape, ", "));
  return size;
}

template <class T>
bool equal_bits(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (std::isnan(a) && std::isnan(b));
  else
    return a == b;
}

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  if constexpr (std::is_same_v<T, int64_t>) return Dtype::i64;
  if constexpr (std::is_same_v<T, uint8_t>) return Dtype::u8;
  return Dtype::text;
}

std::string described(const Array& array) {
  return fmt::format("{} [{}] over [{}]", name_of(array.dtype()), fmt::join(array.shape(), ", "),
                     fmt::join(array.axes(), ", "));
}

}  // namespace

std::string_view name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "f32";
    case Dtype::f64:
      return "f64";
    case Dtype::i64:
      return "i64";
    case Dtype::u8:
      return "u8";
    case Dtype::text:
      return "text";
  }
  fail("a number type with the code {} does not exist", static_cast<int>(dtype));
}

Array::Array(std::vector<std::string> axes, std::vector<int64_t> shape, Values values)
    : axes_(std::move(axes)), shape_(std::move(shape)), values_(std::move(values)) {
  if (axes_.size() != shape_.size())
    fail("an array was made with {} axes [{}] but {} extents [{}]; each axis needs one extent", axes_.size(),
         fmt::join(axes_, ", "), shape_.size(), fmt::join(shape_, ", "));
  for (size_t i = 0; i < axes_.size(); ++i)
    if (std::find(axes_.begin(), axes_.begin() + i, axes_[i]) != axes_.begin() + i)
      fail("an array was made with the axis '{}' twice, in [{}]; axes must differ", axes_[i],
           fmt::join(axes_, ", "));
  const int64_t wanted = product(shape_);
  if (wanted != size())
    fail("an array of shape [{}] needs {} values but {} were given", fmt::join(shape_, ", "), wanted, size());
}

Array Array::empty(Dtype dtype, std::vector<std::string> axes, std::vector<int64_t> shape) {
  const auto count = static_cast<size_t>(product(shape));
  Values values;
  switch (dtype) {
    case Dtype::f32:
      values = std::vector<float>(count, std::numeric_limits<float>::quiet_NaN());
      break;
    case Dtype::f64:
      values = std::vector<double>(count, std::numeric_limits<double>::quiet_NaN());
      break;
    case Dtype::i64:
      values = std::vector<int64_t>(count, 0);
      break;
    case Dtype::u8:
      values = std::vector<uint8_t>(count, uint8_t{0});
      break;
    case Dtype::text:
      values = std::vector<std::string>(count);
      break;
  }
  return Array(std::move(axes), std::move(shape), std::move(values));
}

Array Array::scalar(double value) { return Array({}, {}, std::vector<double>{value}); }

Dtype Array::dtype() const {
  return std::visit(
      [](const auto& values) { return dtype_of<typename std::decay_t<decltype(values)>::value_type>(); },
      values_);
}

int64_t Array::size() const {
  return std::visit([](const auto& values) { return static_cast<int64_t>(values.size()); }, values_);
}

int64_t Array::bytes() const {
  if (const auto* words = std::get_if<std::vector<std::string>>(&values_)) {
    int64_t total = 0;
    for (const std::string& word : *words) total += static_cast<int64_t>(sizeof(std::string) + word.size());
    return total;
  }
  return std::visit(
      [](const auto& values) {
        return static_cast<int64_t>(values.size() *
                                    sizeof(typename std::decay_t<decltype(values)>::value_type));
      },
      values_);
}

std::optional<int64_t> Array::axis(std::string_view name) const {
  const auto place = std::find(axes_.begin(), axes_.end(), name);
  if (place == axes_.end()) return std::nullopt;
  return place - axes_.begin();
}

int64_t Array::extent(std::string_view name) const {
  const auto place = axis(name);
  if (!place) fail("the axis '{}' was asked for, but this array is {}", name, described(*this));
  return shape_[static_cast<size_t>(*place)];
}

template <class T>
std::span<const T> Array::checked() const {
  const auto* values = std::get_if<std::vector<T>>(&values_);
  if (!values)
    fail("the values were asked for as {}, but this array is {}", name_of(dtype_of<T>()), described(*this));
  return *values;
}

template std::span<const float> Array::checked<float>() const;
template std::span<const double> Array::checked<double>() const;
template std::span<const int64_t> Array::checked<int64_t>() const;
template std::span<const uint8_t> Array::checked<uint8_t>() const;
template std::span<const std::string> Array::checked<std::string>() const;

double Array::number(int64_t place) const {
  if (place < 0 || place >= size())
    fail("value {} was asked for, but this array is {}", place, described(*this));
  return std::visit(
      [&](const auto& values) -> double {
        if constexpr (std::is_same_v<typename std::decay_t<decltype(values)>::value_type, std::string>)
          fail("a number was asked for, but this array is {}", described(*this));
        else
          return static_cast<double>(values[static_cast<size_t>(place)]);
      },
      values_);
}

std::string Array::text(int64_t place) const {
  if (place < 0 || place >= size())
    fail("value {} was asked for, but this array is {}", place, described(*this));
  return std::visit(
      [&](const auto& values) -> std::string {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        const Value& value = values[static_cast<size_t>(place)];
        if constexpr (std::is_same_v<Value, std::string>) {
          return value;
        } else {
          if constexpr (std::is_floating_point_v<Value>)
            if (std::isnan(value)) return "NaN";
          return fmt::format("{}", value);
        }
      },
      values_);
}

int64_t Array::flat(std::span<const int64_t> index) const {
  if (index.size() != shape_.size())
    fail("an index of {} numbers was given, but this array is {}", index.size(), described(*this));
  int64_t place = 0;
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || index[i] >= shape_[i])
      fail("index {} along '{}' is outside 0 to {}", index[i], axes_[i], shape_[i] - 1);
    place = place * shape_[i] + index[i];
  }
  return place;
}

Array Array::at(std::string_view name, int64_t index) const {
  const int64_t length = extent(name);
  if (index < 0 || index >= length) fail("index {} along '{}' is outside 0 to {}", index, name, length - 1);
  const auto place = static_cast<size_t>(*axis(name));
  // The array as [outer, length, inner].
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < place; ++i) outer *= shape_[i];
  for (size_t i = place + 1; i < shape_.size(); ++i) inner *= shape_[i];

  std::vector<std::string> axes = axes_;
  std::vector<int64_t> shape = shape_;
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(place));
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(place));
  Values kept = std::visit(
      [&](const auto& values) -> Values {
        std::decay_t<decltype(values)> slice;
        slice.reserve(static_cast<size_t>(outer * inner));
        for (int64_t i = 0; i < outer; ++i) {
          const auto begin = values.begin() + (i * length + index) * inner;
          slice.insert(slice.end(), begin, begin + inner);
        }
        return slice;
      },
      values_);
  Array result(std::move(axes), std::move(shape), std::move(kept));
  result.unit = unit;
  result.title = title;
  return result;
}

Array Array::stack(std::string axis, std::span<const Array> parts) {
  if (parts.empty()) fail("nothing was given to join along '{}'", axis);
  const Array& first = parts.front();
  for (const Array& part : parts)
    if (part.axes_ != first.axes_ || part.shape_ != first.shape_ || part.dtype() != first.dtype())
      fail("arrays joined along '{}' must be alike, but one is {} and another {}", axis, described(first),
           described(part));
  std::vector<std::string> axes = first.axes_;
  std::vector<int64_t> shape = first.shape_;
  axes.insert(axes.begin(), std::move(axis));
  shape.insert(shape.begin(), static_cast<int64_t>(parts.size()));
  Values joined = std::visit(
      [&](const auto& like) -> Values {
        std::decay_t<decltype(like)> all;
        all.reserve(like.size() * parts.size());
        for (const Array& part : parts) {
          const auto& values = std::get<std::decay_t<decltype(like)>>(part.values_);
          all.insert(all.end(), values.begin(), values.end());
        }
        return all;
      },
      first.values_);
  Array result(std::move(axes), std::move(shape), std::move(joined));
  result.unit = first.unit;
  result.title = first.title;
  return result;
}

bool Array::same_values(const Array& other) const {
  if (axes_ != other.axes_ || shape_ != other.shape_ || values_.index() != other.values_.index())
    return false;
  return std::visit(
      [&](const auto& values) {
        using Vector = std::decay_t<decltype(values)>;
        return std::ranges::equal(values, std::get<Vector>(other.values_),
                                  equal_bits<typename Vector::value_type>);
      },
      values_);
}

}  // namespace varve
