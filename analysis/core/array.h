// Numbers with named axes. Row-major; missing floats are NaN, missing text is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace varve {

enum class Dtype { f32, f64, i64, u8, text };
std::string_view name_of(Dtype dtype);

class Array {
 public:
  using Values = std::variant<std::vector<float>, std::vector<double>, std::vector<int64_t>,
                              std::vector<uint8_t>, std::vector<std::string>>;

  Array() : values_(std::vector<double>{}) {}  // no axes, no values
  // Throws Error unless values.size() == product(shape), axes.size() == shape.size(), axes distinct.
  Array(std::vector<std::string> axes, std::vector<int64_t> shape, Values values);
  // All NaN / 0 / empty.
  static Array empty(Dtype dtype, std::vector<std::string> axes, std::vector<int64_t> shape);
  static Array scalar(double value);

  const std::vector<std::string>& axes() const { return axes_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  Dtype dtype() const;
  int64_t size() const;
  int64_t bytes() const;
  std::optional<int64_t> axis(std::string_view name) const;  // its place, if the array has it
  int64_t extent(std::string_view axis) const;               // throws Error where the axis is absent

  template <class T>
  std::span<const T> as() const {
    return checked<T>();
  }
  template <class T>
  std::span<T> as() {
    std::span<const T> values = checked<T>();
    return {const_cast<T*>(values.data()), values.size()};
  }
  const Values& values() const { return values_; }

  double number(int64_t flat) const;     // widened to double; throws Error for text
  std::string text(int64_t flat) const;  // text as it is, numbers printed in full
  int64_t flat(std::span<const int64_t> index) const;

  Array at(std::string_view axis, int64_t index) const;  // that slice, without the axis
  // Copies of one shape and dtype joined along a new first axis.
  static Array stack(std::string axis, std::span<const Array> parts);

  std::string unit;   // "nats", "probability", "" where it has none
  std::string title;  // long name for axes and tables

  bool same_values(const Array& other) const;  // bit for bit, NaN equal to NaN

 private:
  template <class T>
  std::span<const T> checked() const;
  std::vector<std::string> axes_;
  std::vector<int64_t> shape_;
  Values values_;
};

extern template std::span<const float> Array::checked<float>() const;
extern template std::span<const double> Array::checked<double>() const;
extern template std::span<const int64_t> Array::checked<int64_t>() const;
extern template std::span<const uint8_t> Array::checked<uint8_t>() const;
extern template std::span<const std::string> Array::checked<std::string>() const;

}  // namespace varve
